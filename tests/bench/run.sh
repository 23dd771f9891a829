#!/bin/bash
# run.sh [gateway|async|watchdog|modes|start|cli]: installs the peers that are missing and measures against them.
# BENCH_ROUNDS, BENCH_SECONDS and BENCH_CONNECTIONS change how long and how hard; nothing here fails
# because of a time. Results: a table here, everything in build/bench/*.json.
set -eu
cd "$(dirname "$0")/../.."
scripts/deps.sh bench
exec /usr/bin/python3 -B tests/bench/bench.py "$@"
