#!/bin/sh
# Makes a bundle of the assembled folder: the handler is checked, its gems installed, its tests run.
set -eu

# The interpreter that the function will run under comes first.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
command -v ruby >/dev/null || { echo "ruby is missing. Debian: apt-get install ruby" >&2; exit 1; }

ruby -c function/handler.rb >/dev/null

if grep -qs '^[[:space:]]*gem[[:space:](]' function/Gemfile; then
    command -v bundle >/dev/null || {
        echo "The Gemfile asks for gems, but bundler is missing. Debian: apt-get install ruby-bundler" >&2
        exit 1
    }
    (cd function && BUNDLE_APP_CONFIG=.bundle BUNDLE_PATH=vendor bundle install --quiet)
fi

if [ "${TEST_ENABLED:-true}" != false ]; then
    for test in $(find function -name '*_test.rb' ! -path '*/vendor/*' | sort); do
        if [ -d function/vendor ]; then
            BUNDLE_GEMFILE=function/Gemfile BUNDLE_PATH=vendor ruby -rbundler/setup "$test" >&2
        else
            ruby "$test" >&2
        fi
    done
fi
