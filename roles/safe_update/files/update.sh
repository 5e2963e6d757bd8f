# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# An update that runs on by itself: no lost connection, no end of a session and no killed controller ends it.
#   sh -s start NAME SECONDS WORD...  start a command, which the host ends after so many seconds, with all that belongs
#                                     to it; one of that name that was started already is left alone
#   sh -s state NAME                  whether it runs (running, ended, none), how it ended and what it printed last
#   sh -s finish NAME                 forget it, and note which packages it has left half done
# With systemd it is a unit of its own; elsewhere a session of its own, whose processes have its name in their
# environment: a time limit alone would miss what has left the process group.
set -u
action=$1 name=$2
shift 2
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
files=/run/$name
failed=/var/lib/safe-update.failed

has_systemd() { [ -d /run/systemd/system ]; }

state() {
    if has_systemd; then
        systemctl show --property=LoadState,ActiveState,SubState,Result,ExecMainStatus "$name.service" | awk -F= '
            { of[$1] = $2 }
            END {
                state = "running"
                if (of["SubState"] ~ /^(exited|failed|dead)$/) state = "ended"
                if (of["LoadState"] == "not-found") state = "none"
                print "state " state
                print "result " of["Result"]
                print "status " of["ExecMainStatus"]
            }'
    elif [ -e "$files.status" ]; then
        printf 'state ended\n%s\n' "$(cat "$files.status")"
    elif [ ! -e "$files.pid" ]; then
        echo 'state none'
    elif kill -0 "$(cat "$files.pid")" 2>/dev/null; then
        echo 'state running'
    else
        printf 'state ended\nresult lost\nstatus 1\n'
    fi
}

# Its last lines, whatever bytes they are made of.
printed() {
    if has_systemd; then
        timeout 30 journalctl --sync 2>/dev/null
        journalctl --quiet --no-pager --output=cat --lines=400 _SYSTEMD_UNIT="$name.service" _TRANSPORT=stdout
    else
        cat "$files.log"
    fi 2>/dev/null | tail -c 40000
}

start() {
    seconds=$1
    shift
    if ! state | grep -qx 'state none'; then return; fi
    if has_systemd; then
        systemctl reset-failed 'safe-update-*.service' 2>/dev/null
        value=
        set -- -- "$@"
        # What this session knows, such as proxies and APT_CONFIG, is to be in force there too.
        for variable in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
            case $variable in
                SSH_* | SUDO_* | XDG_* | DBUS_* | LC_* | LANG | LANGUAGE | LS_COLORS | MAIL | OLDPWD | PWD | SHLVL | TERM | _) continue ;;
            esac
            eval "value=\${$variable-}"
            case $value in *[[:cntrl:]]*) continue ;; esac
            set -- "--setenv=$variable=$value" "$@"
        done
        set -- --quiet --unit="$name" --description="Update by safe_update" --remain-after-exit \
            --property=RuntimeMaxSec="$seconds" --property=TimeoutStopSec=15 "$@"
        # One helper that runs out of memory does not end the whole; an old systemd knows no such property.
        systemd-run --property=OOMPolicy=continue "$@" 2>/dev/null || systemd-run "$@" ||
            ! state | grep -qx 'state none'
    else
        umask 022
        # shellcheck disable=SC2016 # that shell expands it
        setsid sh -c '
            name=$1 files=$2 seconds=$3
            shift 3
            echo $$ >"$files.pid"
            SAFE_UPDATE=$name timeout -k 15 "$seconds" "$@" </dev/null >"$files.log" 2>&1
            status=$?
            result=exit-code
            case $status in 0) result=success ;; 124 | 137) result=timeout ;; esac
            if [ "$result" = timeout ]; then
                for try in 1 2 3 4 5; do
                    left=$(grep -lzxF "SAFE_UPDATE=$name" /proc/[0-9]*/environ 2>/dev/null | sed "s/[^0-9]//g")
                    if [ -z "$left" ]; then break; fi
                    # shellcheck disable=SC2086 # several numbers
                    kill -KILL $left
                    sleep 1
                done
            fi
            printf "result %s\nstatus %s\n" "$result" "$status" >"$files.status"
        ' sh "$name" "$files" "$seconds" "$@" </dev/null >/dev/null 2>&1 &
        for try in 1 2 3 4 5; do
            if [ -e "$files.pid" ]; then return; fi
            sleep 1
        done
        echo "it did not begin: try $try" >&2
        return 1
    fi
}

finish() {
    half=
    case $(state | sed -n 's/^result //p')/$name in
        success/*) ;;
        # What ran out of time may only have been slow, unless there was nothing else to do.
        timeout/*[0-9Z]) ;;
        *)
            if command -v dpkg-query >/dev/null; then
                half=$(dpkg-query --show --showformat '${db:Status-Status} ${binary:Package} ${Version}\n' |
                    sed '/^installed \|^config-files \|^not-installed /d; s/^[^ ]* //')
            fi
            ;;
    esac
    # A later run reads in it that the same thing has failed before, and why.
    if [ -n "$half" ]; then
        { printf '%s\n\n' "$half" && printed | tail -c 4000; } >"$failed"
    else
        rm -f "$failed"
    fi 2>/dev/null
    if has_systemd; then
        systemctl reset-failed "$name.service" 2>/dev/null
        # Stopping it would end what its packages have started in it.
        group=$(systemctl show --property=ControlGroup "$name.service")
        group=${group#*=}
        if [ -z "$group" ] || [ -z "$(cat "/sys/fs/cgroup$group/cgroup.procs" "/sys/fs/cgroup/systemd$group/cgroup.procs" 2>/dev/null)" ]; then
            systemctl stop "$name.service" 2>/dev/null
        fi
    else
        rm -f "$files.pid" "$files.log" "$files.status"
    fi
    return 0
}

case $action in
    start) start "$@" ;;
    state)
        said=$(state)
        echo "$said"
        case $said in "state ended"*) printed | base64 | sed 's/^/printed /' ;; esac
        ;;
    finish) finish ;;
esac
