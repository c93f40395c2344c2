#!/bin/sh
# Stands in for systemd on a machine of the lab, where none runs. It reads the units that are installed,
# follows their aliases, and really starts and stops what they name, with the capabilities that they
# leave. As with systemd, who asks is not who does it.
#   systemctl enable|start|stop|restart|is-active UNIT    waits until it is done
#   systemctl --manage                                    does it
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
export PATH
OWN=/etc/systemd/system
RUN=/run/units

fail() {
    echo "Failed to $verb $name.service: $1"
    exit "${2:-1}"
}

values() { sed -n "s/^$1=//p" "$unit"; }

# The main process; fails when it is gone.
main() { cat "$pidfile" 2>/dev/null && kill -0 "$(cat "$pidfile")" 2>/dev/null; }

# What leads a command line that is to have no more than the unit leaves.
limits() {
    kept=$(values CapabilityBoundingSet | tr 'A-Z\n' 'a-z ' | sed 's/cap_/+/g; s/ $//; s/ /,/g')
    echo "setpriv ${kept:+--bounding-set=-all,$kept}" \
        "$(values NoNewPrivileges | sed 's/yes/--no-new-privs/')" --
}

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
        setsid $(limits) sh -c "exec $(values ExecStart)" >>"$log" 2>&1 </dev/null &
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

work() {
    verb=$1
    name=${2%.service}
    for folder in $OWN /lib/systemd/system; do
        [ -e "$folder/$name.service" ] && unit=$(readlink -f "$folder/$name.service") && break
    done
    [ -n "$unit" ] || fail "Unit $name.service not found." 5
    name=$(basename "$unit" .service)
    log=$RUN/$name.log
    pidfile=$(values PIDFile)
    pidfile=${pidfile:-$RUN/$name.pid}
    case $verb in
    enable) for alias in $(values Alias); do ln -sf "$unit" "$OWN/$alias"; done ;;
    start) start ;;
    stop) stop || : ;;
    restart)
        stop
        start
        ;;
    is-active) main >/dev/null && echo active || { echo inactive; exit 3; } ;;
    *) fail "unknown command" ;;
    esac
}

if [ "$1" = --manage ]; then
    mkdir -p $RUN
    mkfifo $RUN/requests
    while read -r answer verb unit; do
        # Whoever asked may be gone by then: it may have stopped itself.
        (
            (work "$verb" "$unit") >"$answer.said" 2>&1
            echo $? >"$answer.status"
            mv "$answer.status" "$answer"
        ) &
    done <>$RUN/requests
fi

answer=$RUN/answer.$$
echo "$answer $1 $2" >$RUN/requests
until [ -e "$answer" ]; do sleep 0.02; done
cat "$answer.said" >&2
status=$(cat "$answer")
rm "$answer" "$answer.said"
exit "$status"
