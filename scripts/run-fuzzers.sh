#!/bin/bash
# run-fuzzers.sh SECONDS FUZZER...: each for so long, from the committed corpus.
set -eu
seconds=$1; shift
for fuzzer in "$@"; do
    name=${fuzzer##*/fuzz_}
    mkdir -p "build/fuzz-new/$name" "build/fuzz-crashes"
    dirs=("build/fuzz-new/$name")
    for dir in "tests/fuzz/corpus/$name" "tests/fuzz/regression/$name"; do
        if [ -d "$dir" ]; then dirs+=("$dir"); fi
    done
    printf 'fuzz %-24s ' "$name"
    if ! "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
        -artifact_prefix="build/fuzz-crashes/$name-" "${dirs[@]}" >"build/fuzz-crashes/$name.log" 2>&1; then
        echo FAILED; tail -n 40 "build/fuzz-crashes/$name.log"; exit 1
    fi
    grep -o 'Done [0-9]* runs.*' "build/fuzz-crashes/$name.log"
done
