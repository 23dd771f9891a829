#!/bin/bash
# run-integration-tests.sh [ONLY [FILE...]]: the integration suite against the programs in $BIN.
# A skipped test is a failed one.
set -eu
cd "$(dirname "$0")/.."
only=${1:-}
shift $(($# > 0))
[ $# -gt 0 ] || set -- tests/integration
exec /usr/bin/python3 -m pytest -q --durations=5 -p no:cacheprovider "$@" ${only:+-k "$only"}
