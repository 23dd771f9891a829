#!/bin/bash
# Runs unit test binaries side by side; shows the output of those that fail. A test that finds itself unable
# to run (no right to mount, say) is named; in CI it counts as failed.
set -u
pass=0 fail=0 skipped=0
run_one() { "$1" >"$1.log" 2>&1; echo "$? $1"; }
export -f run_one
while read -r rc test; do
    if [ "$rc" = 0 ]; then
        pass=$((pass + $(grep -c '\[       OK \]' "$test.log")))
        while read -r name; do
            skipped=$((skipped + 1)); echo "SKIPPED: $test: $name"
        done < <(sed -n 's/^\[  SKIPPED \] \([a-z_0-9]*\)$/\1/p' "$test.log" | sort -u)
    else
        fail=$((fail + 1)); echo "FAILED ($rc): $test"; tail -n 60 "$test.log"
    fi
done < <(printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'run_one {}')
if [ -n "${CI:-}" ]; then fail=$((fail + skipped)) skipped=0; fi
echo "unit: $pass passed, $fail failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$fail" = 0 ]
