#!/bin/sh
# Makes a bundle of the assembled folder: packages beside the handler, tests run, everything byte-compiled.
set -eu

# The interpreter that the function will run under comes first.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
command -v python3 >/dev/null || { echo "python3 is missing. Debian: apt-get install python3" >&2; exit 1; }

if [ -f function/requirements.txt ] && grep -q '^[[:space:]]*[^#[:space:]]' function/requirements.txt; then
    python3 -m pip --version >/dev/null 2>&1 || {
        echo "requirements.txt asks for packages, but pip is missing. Debian: apt-get install python3-pip" >&2
        exit 1
    }
    python3 -m pip install --disable-pip-version-check --no-warn-script-location --quiet \
        --root-user-action=ignore ${no_cache:+--no-cache-dir} \
        --target packages --requirement function/requirements.txt
fi

if [ "${TEST_ENABLED:-true}" != false ] && [ -n "$(find function -name '*_test.py')" ]; then
    # 5 is what newer versions end with when a file has no test in it.
    said=$(PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=packages \
        python3 -m unittest discover -t . -s function -p '*_test.py' 2>&1) || [ $? = 5 ] || {
        printf '%s\n' "$said" >&2
        exit 1
    }
fi

# A function may not write beside its code, so the compiled form comes with it. It must not depend
# on file times, which an archive does not keep.
python3 -m compileall -q -f --invalidation-mode unchecked-hash .
