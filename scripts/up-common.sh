# Sourced by up.sh and down.sh: where things are, and whether they run.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=$PWD/build/release/bin
if [ -n "${state_dir:-}" ]; then
    state=$state_dir
elif [ "$(id -u)" = 0 ]; then
    state=/var/lib/minnow
else
    state=${XDG_STATE_HOME:-$HOME/.local/state}/minnow
fi
up=$state/up # pid files, logs, Redis
port=${port:-8080}
url=http://127.0.0.1:$port

# running PIDFILE NAME: the process that the file names, if it still is the one.
running() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] && echo "$pid"
}
