#!/bin/bash
# static-deps.sh ARCH: makes build/static/ARCH/sysroot, what a fully static fwatchdog is built with: the C library musl and
# a libmicrohttpd without TLS, both from Debian's source packages, and the kernel's headers. sysroot/bin/cc compiles and
# links with them. Nothing is written outside of build/, apart from packages installed. Done once, it is fast and quiet.
set -eu
cd "$(dirname "$0")/.."
arch=${1:?usage: static-deps.sh amd64|arm64|armhf}
case $arch in
amd64) gnu=x86_64-linux-gnu musl=x86_64-linux-musl ;;
arm64) gnu=aarch64-linux-gnu musl=aarch64-linux-musl ;;
armhf) gnu=arm-linux-gnueabihf musl=arm-linux-musleabihf ;;
*) echo "static-deps.sh: no static build for $arch (amd64, arm64, armhf)" >&2; exit 2 ;;
esac
sources=$PWD/build/static/sources
work=$PWD/build/static/$arch
sysroot=$work/sysroot
log=$work/deps.log

# The path is part of the stamp, because the compiler's specs name it.
stamp="$(sha256sum <scripts/static-deps.sh) $sysroot"
[ "$(cat "$sysroot/stamp" 2>/dev/null)" = "$stamp" ] && exit 0
printf '  %-5s %s\n' DEPS "${sysroot#"$PWD"/} (musl, libmicrohttpd: a minute or two, once)"
unset MAKEFLAGS MFLAGS # what was said to the make that calls us is not for theirs
mkdir -p "$sources" "$work"
find "$work" -mindepth 1 -delete # our objects too: they were compiled against what is replaced
quietly() { "$@" >>"$log" 2>&1 || { tail -n 30 "$log" >&2; echo "static-deps.sh: failed: $* (all of it: $log)" >&2; exit 1; }; }

# The machine's own package lists need not know sources, so apt gets lists of ours, from the same mirrors.
fetch_sources() {
    local lists=$sources/apt package
    mkdir -p "$lists/lists/partial"
    apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(SITE) $(RELEASE)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 == "main" { print "deb-src", $3, $4, "main" }' | sort -u >"$lists/sources.list"
    [ -s "$lists/sources.list" ] || { echo "static-deps.sh: apt knows no Debian mirror; run apt-get update" >&2; exit 1; }
    printf '%s "%s";\n' Dir::Etc::SourceList "$lists/sources.list" Dir::Etc::SourceParts - Dir::State::Lists "$lists/lists" \
        Dir::Cache "$lists" APT::Sandbox::User "$(id -un)" >"$lists/apt.conf"
    export APT_CONFIG=$lists/apt.conf
    apt-get update -q >>"$log" 2>&1 || echo "static-deps.sh: not every list of sources could be fetched (see $log)" >&2
    for package in musl libmicrohttpd; do
        (cd "$sources" && quietly apt-get source -q "$package" && mv "$package"-*/ "$package")
    done
    unset APT_CONFIG
}
(
    flock 9 # side by side we only compile
    scripts/deps.sh build "static-$arch"
    [ -d "$sources/musl" ] && [ -d "$sources/libmicrohttpd" ] || { find "$sources" -mindepth 1 ! -name lock -delete; fetch_sources; }
) 9>"$sources/lock"

# musl's older allocator: the newer one gives memory back to the kernel at once, and a server that frees per request what
# it takes again for the next spent six times the CPU on that.
mkdir "$work/musl" "$work/libmicrohttpd"
(cd "$sources" && printf '  %-5s %s\n' DEPS "$(echo *.dsc)")
cd "$work/musl"
quietly env CROSS_COMPILE="$gnu-" CFLAGS=-O2 "$sources/musl/configure" --target="$musl" --prefix="$sysroot" \
    --syslibdir="$sysroot/lib" --with-malloc=oldmalloc --disable-shared --enable-wrapper=gcc
quietly make -j2 install
# Static, yet laid out at random in memory: these are the only programs that we link, so it need not be asked for.
sed -i -e 's|Scrt1\.o|rcrt1.o|; s|^-dynamic-linker [^ ]*|--no-dynamic-linker -pie -z text|; s|%{static:-static}|-static|' \
    "$sysroot/lib/musl-gcc.specs"
printf '#!/bin/sh\nexec %s-gcc -static-pie "$@" -specs %s\n' "$gnu" "$sysroot/lib/musl-gcc.specs" >"$sysroot/bin/cc"
chmod +x "$sysroot/bin/cc"
ln -s "$(command -v "$gnu-ar")" "$sysroot/bin/ar"
if [ "$(dpkg --print-architecture)" = "$arch" ]; then
    ln -s /usr/include/linux /usr/include/asm-generic "/usr/include/$gnu/asm" "$sysroot/include"
else
    ln -s "/usr/$gnu/include/linux" "/usr/$gnu/include/asm-generic" "/usr/$gnu/include/asm" "$sysroot/include"
fi

cd "$work/libmicrohttpd"
quietly "$sources/libmicrohttpd/configure" --host="$musl" --prefix="$sysroot" --disable-shared --enable-static \
    --disable-dependency-tracking --disable-https --disable-bauth --disable-dauth --disable-postprocessor \
    --disable-thread-names --disable-doc --disable-examples --disable-curl --without-libiconv-prefix \
    CC="$sysroot/bin/cc" AR="$gnu-ar" RANLIB="$gnu-ranlib" STRIP="$gnu-strip" \
    CFLAGS="-O2 -g -ffunction-sections -fdata-sections -fstack-protector-strong"
quietly make -j2 -C src/microhttpd install-libLTLIBRARIES
quietly make -C src/include install
quietly make install-pkgconfigDATA
cd "$work" && rm -rf musl libmicrohttpd
echo "$stamp" >"$sysroot/stamp"
