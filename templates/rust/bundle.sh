#!/bin/sh
# Makes a bundle of the assembled folder: tests run, everything compiled into ./handler.
set -eu

PATH=$PATH:${HOME:-/root}/.cargo/bin
command -v cargo >/dev/null || { echo "cargo is missing. Debian: apt-get install cargo" >&2; exit 1; }

# Beside the bundles and not in one, so that what was compiled once is there the next time.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/../.cargo-$(basename "$PWD")}"
[ -z "${no_cache:-}" ] || rm -rf "$CARGO_TARGET_DIR"
if [ "${TEST_ENABLED:-true}" != false ]; then
    cargo test --quiet --package handler --lib >&2
fi
cargo build --quiet --release
cp "$CARGO_TARGET_DIR/release/main" handler
