#!/bin/bash
# make down: stops what make up started. Functions, secrets and logs stay.
set -eu
source "$(dirname "$0")/up-common.sh"

stop() { # PIDFILE NAME
    local pid
    if pid=$(running "$1" "$2"); then
        kill -TERM "$pid"
        timeout 60 tail --pid="$pid" -f /dev/null || { echo "$2 ($pid) does not stop" >&2; exit 1; }
        echo "$2 stopped"
    else
        echo "$2 does not run"
    fi
    rm -f "$1"
}

stop "$up/gateway.pid" faas-gateway
stop "$up/redis.pid" redis-server
