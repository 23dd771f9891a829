#!/bin/sh
# Makes a bundle of the assembled folder: compiles the handler into ./handler.
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
$cc -std=gnu11 -O2 -Wall ${CFLAGS:-} $flags -I. -Ifunction -o handler \
    main.c $(find function -name '*.c' | sort) -s ${LDFLAGS:-} $libs
