# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# sh -s NAME=VERSION...: simulates the update of what is installed in an older version to exactly these. What is newer
# already is named (newer-here NAME INSTALLED VERSION) and left as it is; what is held stays, too. It changes nothing.
for wanted in "$@"; do
    shift
    name=${wanted%%=*} version=${wanted#*=}
    here=$(dpkg-query -W -f '${Version}' "$name" 2>/dev/null) || continue
    if [ "$(dpkg-query -W -f '${db:Status-Want}' "$name")" = hold ]; then continue; fi
    if dpkg --compare-versions "$here" gt "$version"; then
        echo "newer-here $name $here $version"
    else
        set -- "$@" "$wanted"
    fi
done
if [ "$#" -gt 0 ]; then apt-get --simulate --quiet install --only-upgrade "$@"; fi
