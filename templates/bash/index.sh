#!/usr/bin/env bash
# Runs the handler once: the request comes on standard input, the answer goes to standard output.
set -euo pipefail

# secret NAME prints one of the function's secrets.
secret() {
    cat "${secret_mount_path:-/var/openfaas/secrets}/$1"
}

. ./function/handler.sh
