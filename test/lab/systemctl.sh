#!/bin/sh
# Stands in for systemd's systemctl on a machine of the lab, where no systemd runs. It reads the units
# that are installed, follows their aliases, and really starts and stops what they name.
#   systemctl enable|start|stop|restart|is-active UNIT
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
export PATH
OWN=/etc/systemd/system
verb=$1
name=${2%.service}

fail() {
    echo "Failed to $verb $name.service: $1" >&2
    exit "${2:-1}"
}

for folder in $OWN /lib/systemd/system; do
    [ -e "$folder/$name.service" ] && unit=$(readlink -f "$folder/$name.service") && break
done
[ -n "$unit" ] || fail "Unit $name.service not found." 5
name=$(basename "$unit" .service)

values() { sed -n "s/^$1=//p" "$unit"; }

mkdir -p /run/units
log=/run/units/$name.log
pidfile=$(values PIDFile)
pidfile=${pidfile:-/run/units/$name.pid}

# The main process; fails when it is gone.
main() { cat "$pidfile" 2>/dev/null && kill -0 "$(cat "$pidfile")" 2>/dev/null; }

start() {
    main >/dev/null && return
    environment=$(values EnvironmentFile)
    set -a
    [ -e "${environment#-}" ] && . "${environment#-}"
    set +a
    before=$(values ExecStartPre)
    sh -c "${before:-:}" >>"$log" 2>&1 || fail "ExecStartPre= failed."
    if [ "$(values Type)" = forking ]; then
        sh -c "$(values ExecStart)" >>"$log" 2>&1 </dev/null || fail "ExecStart= failed."
    else
        setsid sh -c "exec $(values ExecStart)" >>"$log" 2>&1 </dev/null &
        echo $! >"$pidfile"
    fi
}

# SIGTERM to the main process, as with KillMode=mixed, and SIGKILL when its time is over.
stop() {
    pid=$(main) || return
    stopping=$(values ExecStop)
    [ -z "$stopping" ] || sh -c "${stopping#-}" >>"$log" 2>&1
    kill -TERM "$pid" 2>/dev/null
    patience=$(($(values TimeoutStopSec | grep . || echo 90) * 10))
    while kill -0 "$pid" 2>/dev/null; do
        [ $((patience -= 1)) -gt 0 ] || kill -KILL "$pid"
        sleep 0.1
    done
}

case $verb in
enable)
    for alias in $(values Alias); do ln -sf "$unit" "$OWN/$alias"; done ;;
start) start ;;
stop) stop || : ;;
restart)
    stop
    start ;;
is-active) main >/dev/null && echo active || { echo inactive; exit 3; } ;;
*) fail "unknown command" ;;
esac
