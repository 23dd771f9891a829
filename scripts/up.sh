#!/bin/bash
# make up: Redis, the gateway, and the functions of stack.yml.example, running and called once.
# Settings of faas-gateway can be given in the environment: port=9000 make up
set -eu
source "$(dirname "$0")/up-common.sh"
umask 022
export OPENFAAS_URL=$url

step() { printf '\n== %s\n' "$*"; }
die() { echo "make up: $*" >&2; exit 1; }

start_redis() {
    if running "$up/redis.pid" redis-server >/dev/null; then return; fi
    mkdir -p "$up/redis"
    # A socket of our own: no port to collide with the system's Redis, nothing open to the network.
    redis-server --port 0 --unixsocket "$up/redis.sock" --unixsocketperm 600 --dir "$up/redis" \
        --appendonly yes --save '' --daemonize yes --pidfile "$up/redis.pid" --logfile "$up/redis.log" >/dev/null
    for _ in $(seq 100); do
        redis-cli -s "$up/redis.sock" ping >/dev/null 2>&1 && return
        sleep 0.05
    done
    die "Redis does not answer; see $up/redis.log"
}

start_gateway() {
    if running "$up/gateway.pid" faas-gateway >/dev/null; then echo "It runs already."; return; fi
    "$bin/faas-gateway" --init-auth
    : >>"$up/gateway.log"
    setsid "$bin/faas-gateway" >>"$up/gateway.log" 2>&1 </dev/null &
    echo $! >"$up/gateway.pid"
    curl -fsS -o /dev/null --retry 100 --retry-delay 0 --retry-max-time 10 --retry-connrefused "$url/healthz" 2>/dev/null ||
        die "the gateway does not answer on $url; its last words in $up/gateway.log: $(tail -n 1 "$up/gateway.log")"
}

# NAME for each function of the sample stack.
samples() { sed -nE '/^functions:/,$ s/^  ([a-z0-9-]+):.*/\1/p' stack.yml.example; }

deploy_samples() {
    local have missing=""
    have=$("$bin/faas-cli" list --quiet)
    for name in $(samples); do
        grep -qx -- "$name" <<<"$have" || missing=$missing${missing:+|}$name
    done
    if [ -z "$missing" ]; then echo "They are deployed already."; return; fi
    "$bin/faas-cli" up -f stack.yml.example --regex "^($missing)\$"
}

mkdir -p "$up" 2>/dev/null || die "cannot make $up; set state_dir to a folder of yours"
step "Redis"; start_redis; echo "unix:$up/redis.sock"
export redis_url=${redis_url:-unix://$up/redis.sock}
step "Gateway"; start_gateway; echo "$url   (log: $up/gateway.log)"
if [ "${basic_auth:-true}" = true ]; then
    "$bin/faas-cli" login --username admin --password-stdin <"${secret_mount_path:-$state/auth}/basic-auth-password" >/dev/null
fi
step "Sample functions"; deploy_samples
step "Each answers"
for name in $(samples); do
    printf '%s\n   %s\n' "$url/function/$name" \
        "$(echo "Minnow" | curl -fsS --data-binary @- "$url/function/$name" | head -n 3)" ||
        die "$name does not answer; see: faas-cli logs $name"
done
cat <<EOF

Next:
   echo hi | $bin/faas-cli invoke $(samples | head -n 1)
   curl -i -d hi $url/async-function/$(samples | head -n 1)
   $bin/faas-cli new --lang python3 my-function
   make down
EOF
