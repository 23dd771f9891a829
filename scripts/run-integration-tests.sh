#!/bin/bash
# Runs the integration suite against the programs in $BIN. A skipped test is a failed one.
set -eu
cd "$(dirname "$0")/.."
exec /usr/bin/python3 -m pytest -q --durations=5 -p no:cacheprovider tests/integration ${1:+-k "$1"}
