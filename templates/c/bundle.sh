#!/bin/sh
# Makes a bundle of the assembled folder: compiles the handler into ./handler, and runs its tests.
# Build arguments CC, CFLAGS and LDFLAGS are used as make would.
set -eu

cc=${CC:-cc}
command -v "$cc" >/dev/null || { echo "There is no C compiler ($cc). Debian: apt-get install gcc" >&2; exit 1; }

modules=$(sed 's/#.*//' function/packages.txt 2>/dev/null || true)
flags=""
libs=""
if [ -n "$(echo $modules)" ]; then
    command -v pkg-config >/dev/null || {
        echo "packages.txt asks for libraries, but pkg-config is missing. Debian: apt-get install pkg-config" >&2
        exit 1
    }
    flags=$(pkg-config --cflags $modules)
    libs=$(pkg-config --libs $modules)
fi

# -I. lets a handler say #include "function.h" wherever in the folder it stands.
cflags="-std=gnu11 -O2 -Wall ${CFLAGS:-} $flags -I. -Ifunction"
sources=$(find function -name '*.c' ! -name '*_test.c' | sort)
$cc $cflags -o handler main.c $sources -s ${LDFLAGS:-} $libs

[ "${TEST_ENABLED:-true}" != false ] || exit 0
for test in $(find function -name '*_test.c' | sort); do
    # Everything but the program's own main, since the test brings one.
    $cc $cflags -g -Dmain=program_main -c -o test-main.o main.c
    $cc $cflags -g -o test-run "$test" test-main.o $sources ${LDFLAGS:-} $libs
    ./test-run
    rm test-main.o test-run
done
