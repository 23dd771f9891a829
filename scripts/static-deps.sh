#!/bin/bash
# static-deps.sh ARCH: makes build/static/ARCH/sysroot, what a fully static fwatchdog is built with: the C library musl, a
# libmicrohttpd without TLS, jansson, of mbedtls what checks signatures, all from Debian's source packages, and the kernel's
# headers. sysroot/bin/cc compiles and links with them. Nothing is written outside of build/, apart from packages
# installed. Done once, it is fast and quiet.
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
packages="musl libmicrohttpd jansson mbedtls"

# The path is part of the stamp, because the compiler's specs name it.
stamp="$(sha256sum <scripts/static-deps.sh) $sysroot"
[ "$(cat "$sysroot/stamp" 2>/dev/null)" = "$stamp" ] && exit 0
printf '  %-5s %s\n' DEPS "${sysroot#"$PWD"/} ($packages: a minute or two, once)"
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
    for package in $packages; do
        (cd "$sources" && quietly apt-get source -q "$package" && mv "$package"-*/ "$package")
    done
    unset APT_CONFIG
}
(
    flock 9 # side by side we only compile
    scripts/deps.sh build "static-$arch"
    (cd "$sources" && [ "$(ls -d $packages 2>/dev/null | wc -l)" = "$(wc -w <<<"$packages")" ]) || { find "$sources" -mindepth 1 ! -path "$sources/lock" -delete; fetch_sources; }
) 9>"$sources/lock"

# musl's older allocator: the newer one gives memory back to the kernel at once, and a server that frees per request what
# it takes again for the next spent six times the CPU on that.
mkdir "$work/musl" "$work/libmicrohttpd"
(cd "$sources" && printf '  %-5s %s\n' DEPS "$(echo *.dsc)")
cd "$work/musl"
quietly env CROSS_COMPILE="$gnu-" "$sources/musl/configure" --target="$musl" --prefix="$sysroot" \
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

cflags="-O2 -g -ffunction-sections -fdata-sections -fstack-protector-strong"
cflags+=" -fno-asynchronous-unwind-tables -falign-functions=1 -falign-jumps=1 -falign-loops=1 -falign-labels=1"
cd "$work/libmicrohttpd"
quietly "$sources/libmicrohttpd/configure" --host="$musl" --prefix="$sysroot" --disable-shared --enable-static \
    --disable-dependency-tracking --disable-https --disable-bauth --disable-dauth --disable-postprocessor \
    --disable-thread-names --disable-nls --disable-doc --disable-examples --disable-curl --without-libiconv-prefix \
    CC="$sysroot/bin/cc" AR="$gnu-ar" RANLIB="$gnu-ranlib" STRIP="$gnu-strip" \
    CFLAGS="$cflags"
quietly make -j2 -C src/microhttpd install-libLTLIBRARIES
quietly make -C src/include install
quietly make install-pkgconfigDATA

# For size, because tokens are rare and their code is mapped all the same. jansson's configure script has to be made first,
# by tools that nothing else here needs, to find out what is known for musl.
cp -r "$sources/jansson/src" "$work/jansson"
cd "$work/jansson"
printf '#define %s\n' 'JSON_INLINE inline' 'JSON_INTEGER_IS_LONG_LONG 1' 'JSON_HAVE_LOCALECONV 0' \
    'JSON_PARSER_MAX_DEPTH 2048' >jansson_config.h
printf '#define %s 1\n' HAVE_STDINT_H HAVE_FCNTL_H HAVE_SCHED_H HAVE_UNISTD_H HAVE_SYS_STAT_H HAVE_SYS_TIME_H \
    HAVE_SYS_TYPES_H HAVE_OPEN HAVE_CLOSE HAVE_READ HAVE_GETTIMEOFDAY HAVE_GETPID HAVE_SCHED_YIELD HAVE_ATOMIC_BUILTINS \
    USE_URANDOM >jansson_private_config.h
quietly "$sysroot/bin/cc" $cflags -Os -DHAVE_CONFIG_H -I. -c ./*.c
quietly "$gnu-ar" rcs "$sysroot/lib/libjansson.a" ./*.o
cp jansson.h jansson_config.h "$sysroot/include"
printf 'Name: jansson\nDescription: JSON\nVersion: %s\nLibs: -L%s -ljansson\nCflags: -I%s\n' \
    "$(sed -n 's/^#define JANSSON_VERSION  *"\(.*\)"/\1/p' jansson.h)" "$sysroot/lib" "$sysroot/include" \
    >"$sysroot/lib/pkgconfig/jansson.pc"

# What libfaas/jwk.c asks of it: signatures of RSA and of three curves are checked, nothing is ever signed, so there is no
# secret whose use would have to be blinded with random numbers.
mkdir "$work/mbedtls"
cp -r "$sources/mbedtls"/{library,include,3rdparty} "$work/mbedtls"
cd "$work/mbedtls"
{
    echo '#ifndef MBEDTLS_CONFIG_H'
    echo '#define MBEDTLS_CONFIG_H'
    printf '#define MBEDTLS_%s\n' HAVE_ASM BIGNUM_C OID_C ASN1_PARSE_C ASN1_WRITE_C MD_C SHA256_C SHA512_C \
        RSA_C PKCS1_V15 PKCS1_V21 ECP_C ECDSA_C ECP_DP_SECP256R1_ENABLED ECP_DP_SECP384R1_ENABLED \
        ECP_DP_SECP521R1_ENABLED ECP_NIST_OPTIM ECP_NO_INTERNAL_RNG
    echo '#include "mbedtls/check_config.h"'
    echo '#endif'
} >include/mbedtls/config.h
quietly make -j2 -C library CC="$sysroot/bin/cc" AR="$gnu-ar" RL="$gnu-ranlib" CFLAGS="$cflags -Os" libmbedcrypto.a
cp library/libmbedcrypto.a "$sysroot/lib"
cp -r include/mbedtls "$sysroot/include"

cd "$work" && (set -- $packages && rm -rf "$@")
echo "$stamp" >"$sysroot/stamp"
