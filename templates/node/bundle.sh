#!/bin/sh
# Makes a bundle of the assembled folder: the handler is checked, its packages installed, its tests run.
set -eu

# The interpreter that the function will run under comes first.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
command -v node >/dev/null || { echo "node is missing. Debian: apt-get install nodejs" >&2; exit 1; }

node --check function/handler.js

# How many packages of a kind package.json asks for.
wanted() { node -p "Object.keys(require('./function/package.json').$1 || {}).length"; }
need_npm() {
    command -v npm >/dev/null || {
        echo "package.json asks for packages, but npm is missing. Debian: apt-get install npm" >&2
        exit 1
    }
}

[ -f function/package.json ] || exit 0
test=$(node -p "(require('./function/package.json').scripts || {}).test || ''")
[ "${TEST_ENABLED:-true}" != false ] || test=""
tools=0
[ -z "$test" ] || tools=$(wanted devDependencies)
if [ "$(($(wanted dependencies) + tools))" -gt 0 ]; then
    need_npm
    only=--omit=dev
    [ "$tools" = 0 ] || only=--include=dev
    (cd function && npm install "$only" --no-audit --no-fund --no-update-notifier)
fi

if [ -n "$test" ]; then
    said=$(cd function && PATH=$PWD/node_modules/.bin:$PATH sh -c "$test" 2>&1) || {
        printf '%s\n' "$said" >&2
        exit 1
    }
fi
