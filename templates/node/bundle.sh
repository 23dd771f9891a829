#!/bin/sh
# Makes a bundle of the assembled folder: the handler is checked, its packages are installed.
set -eu

# The interpreter that the function will run under comes first.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
command -v node >/dev/null || { echo "node is missing. Debian: apt-get install nodejs" >&2; exit 1; }

node --check function/handler.js

if [ -f function/package.json ]; then
    wanted=$(node -p 'Object.keys(require("./function/package.json").dependencies || {}).length')
    if [ "$wanted" -gt 0 ]; then
        command -v npm >/dev/null || {
            echo "package.json asks for packages, but npm is missing. Debian: apt-get install npm" >&2
            exit 1
        }
        (cd function && npm install --omit=dev --no-audit --no-fund --no-update-notifier)
    fi
fi
