#!/bin/sh
# Makes a bundle of the assembled folder: the handler is checked, that its packages are there, and by its test.
set -eu

bash -n function/handler.sh

wanted=$(sed 's/#.*//' function/packages.txt 2>/dev/null || true)
if command -v dpkg-query >/dev/null; then
    missing=""
    for package in $wanted; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        echo "packages.txt asks for what is not installed: apt-get install$missing" >&2
        exit 1
    fi
fi

if [ "${TEST_ENABLED:-true}" != false ] && [ -f function/handler_test.sh ]; then
    bash -eu function/handler_test.sh
fi
