#!/bin/bash
# deps.sh GROUP...: installs with apt what is missing of build, run, test. Nothing to do is fast and quiet.
set -eu

build="gcc make pkg-config binutils libmicrohttpd-dev libcurl4-openssl-dev libjansson-dev libyaml-dev libssl-dev libmbedtls-dev libarchive-dev libhiredis-dev libcmocka-dev"
run="redis-server curl ca-certificates tzdata python3 nodejs"
test="git zsh fish mandoc python3-pytest python3-pytest-xdist python3-cryptography zstd clang clang-format libclang-rt-14-dev"
native=$(dpkg --print-architecture 2>/dev/null || true)

wanted=""
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    run) wanted="$wanted $run" ;;
    test) wanted="$wanted $test" ;;
    static-"$native") wanted="$wanted dpkg-dev" ;;
    static-amd64) wanted="$wanted dpkg-dev gcc-x86-64-linux-gnu linux-libc-dev-amd64-cross" ;;
    static-arm64) wanted="$wanted dpkg-dev gcc-aarch64-linux-gnu linux-libc-dev-arm64-cross" ;;
    static-armhf) wanted="$wanted dpkg-dev gcc-arm-linux-gnueabihf linux-libc-dev-armhf-cross" ;;
    static-test) wanted="$wanted qemu-user-static" ;;
    templates) wanted="$wanted git golang-go cargo rustc php-cli ruby default-jdk-headless" ;;
    images) wanted="$wanted docker.io podman buildah debootstrap" ;;
    bench) wanted="$wanted nginx-light haproxy wrk" ;;
    tidy) wanted="$wanted clang-tidy" ;;
    *) echo "deps.sh: unknown group $group (build, run, test, static-ARCH, static-test, templates, images, bench, tidy)" >&2; exit 2 ;;
    esac
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "This is not a Debian system, so nothing was installed. Minnow needs, under Debian's names:" >&2
    printf '   %s\n' $wanted >&2
    echo "Install their counterparts, then run make again." >&2
    exit 1
fi

present() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
missing=""
for package in $wanted; do present "$package" || missing="$missing $package"; done
[ -z "$missing" ] && exit 0

sudo=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "Missing:$missing. Install them as root: apt-get install$missing" >&2; exit 1; }
    sudo=sudo
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# Debian starts redis-server when it is installed; ours is started by 'make up' with its own settings.
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
