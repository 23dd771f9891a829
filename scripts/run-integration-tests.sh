#!/bin/bash
# run-integration-tests.sh [ONLY [FILE...]]: the integration suite against the programs in $BIN.
# A skipped test is a failed one. Tests mostly wait, so TEST_JOBS of them run side
# by side (0: none; for what shares one engine).
set -eu
cd "$(dirname "$0")/.."
only=${1:-}
shift $(($# > 0))
[ $# -gt 0 ] || set -- tests/integration
exec /usr/bin/python3 -m pytest -q -n "${TEST_JOBS:-$(($(nproc) + 1))}" --durations=5 -p no:cacheprovider "$@" ${only:+-k "$only"}
