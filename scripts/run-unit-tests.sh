#!/bin/bash
# Runs unit test binaries side by side; shows the output of those that fail.
set -u
pass=0 fail=0
run_one() { "$1" >"$1.log" 2>&1; echo "$? $1"; }
export -f run_one
while read -r rc test; do
    if [ "$rc" = 0 ]; then
        pass=$((pass + $(grep -c '\[       OK \]' "$test.log")))
    else
        fail=$((fail + 1)); echo "FAILED ($rc): $test"; tail -n 60 "$test.log"
    fi
done < <(printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'run_one {}')
echo "unit: $pass passed, $fail failed"
[ "$fail" = 0 ]
