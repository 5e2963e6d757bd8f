# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Prints what only the playbook assess asks of a host, a line per fact. It changes nothing, and needs no root.
# What the facts mean is decided in plugins/plugin_utils/safe_update/packages.py.
LC_ALL=C; export LC_ALL
# When the last update ended: of apt's log, whose times are local, the last upgrade without an error.
for log in /var/log/apt/history.log.1.gz /var/log/apt/history.log; do zcat -f "$log" 2>/dev/null; done | awk '
    /^Start-Date:/ { upgraded = failed = 0 }
    /^Upgrade:/ { upgraded = 1 }
    /^Error:/ { failed = 1 }
    /^End-Date:/ && upgraded && !failed { end = $2 " " $3 }
    END { if (end) print end }' | while read -r end; do date -d "$end" '+updated %s' 2>/dev/null; done
# dnf writes its history with each transaction; to ask it would take seconds.
for history in /usr/lib/sysimage/libdnf5/transaction_history.sqlite /var/lib/dnf/history.sqlite; do
    stat -c 'updated %Y' "$history" 2>/dev/null
done
# zypper's history has local times, too.
grep -s '^[0-9: -]*|install|' /var/log/zypp/history | tail -n 1 | cut -d'|' -f1 | while read -r end; do
    date -d "$end" '+updated %s' 2>/dev/null
done
# Which updates mend security, by the lists that are there.
if command -v dnf >/dev/null; then timeout 60 dnf -C -q updateinfo list --security 2>/dev/null | sed 's/^/advisory /'; fi
if command -v zypper >/dev/null; then
    # As if nothing were locked: a lock in the way of one patch keeps it from answering at all.
    settings=$(mktemp 2>/dev/null) &&
        cat /usr/etc/zypp/zypp.conf /etc/zypp/zypp.conf /etc/zypp/zypp.conf.d/*.conf >"$settings" 2>/dev/null
    printf '\n[main]\nlocksfile.path = /dev/null\n' >>"${settings:-/dev/null}"
    ZYPP_CONF=$settings timeout 60 zypper --non-interactive --no-refresh --xmlout patch --dry-run --category security \
        --with-interactive 2>/dev/null | sed -n \
        's/.*<solvable type="package" name="\([^"]*\)" edition="\([^"]*\)" arch="\([^"]*\)".*/advisory \1-\2.\3/p'
    rm -f "$settings"
fi
echo end
