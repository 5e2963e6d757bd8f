# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# sh -s dnf | zypper: makes a server of the lab pass for one of Red Hat's family, or of SUSE's, with a repository of its
# own in which everything has an update. Security updates are those of linux-firmware, which asks for a restart, and of
# excluded.
set -eu
repository=/srv/repository

if [ "$1" = zypper ]; then
    dpkg --remove dnf-plugins-core
    dpkg --install /opt/zypper/*.deb
fi
mkdir /opt/debian
mv /usr/bin/apt* /usr/bin/dpkg* /opt/debian
rm -f /etc/debian_version
case $1 in
    dnf)
        printf 'NAME="Rocky Linux"\nID=rocky\nID_LIKE="rhel centos fedora"\nVERSION_ID=9.4\n' >/etc/os-release
        echo 'Rocky Linux release 9.4 (Blue Onyx)' >/etc/redhat-release
        ;;
    zypper) printf 'NAME="openSUSE Leap"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID=15.6\n' >/etc/os-release ;;
esac

mkdir -p "$repository"
echo '<updates>' >/root/updateinfo.xml
for name in linux-firmware excluded ordinary; do
    restart=
    if [ "$name" = linux-firmware ]; then restart='<reboot_suggested>True</reboot_suggested>'; fi
    for version in 1.0 1.1; do
        cat >"/root/$name.spec" <<END
Name: $name
Version: $version
Release: 1
Summary: package of the lab
License: GPL-3.0-or-later
BuildArch: noarch
${restart:+Provides: installhint(reboot-needed)}
%description
%summary
%files
END
        rpmbuild -bb --quiet --define "_rpmdir $repository" "/root/$name.spec" 2>/dev/null
    done
    [ "$name" = ordinary ] || cat >>/root/updateinfo.xml <<END
<update from="lab" status="stable" type="security" version="1">
  <id>LAB-$name</id><title>$name</title><issued date="2026-01-01 00:00:00"/><severity>Important</severity>
  <pkglist><collection short="lab"><name>lab</name>
    <package name="$name" epoch="0" version="1.1" release="1" arch="noarch" src="$name-1.1-1.src.rpm">
      <filename>$name-1.1-1.noarch.rpm</filename>$restart
    </package>
  </collection></pkglist>
</update>
END
done
echo '</updates>' >>/root/updateinfo.xml

createrepo_c --quiet "$repository"
modifyrepo_c /root/updateinfo.xml "$repository/repodata" >/dev/null
# Debian's rpm would look for its database in the user's own folder, where zypper does not.
mkdir -p /etc/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.lab
rpm --initdb
case $1 in
    dnf)
        mkdir -p /etc/yum.repos.d /etc/dnf/vars
        echo 9 >/etc/dnf/vars/releasever
        # Debian's dnf would keep a copy of every package, with tools that it does not bring along.
        sed -i 's/^enabled.*/enabled = false/' /etc/dnf/plugins/local.conf
        printf '[lab]\nname=lab\nbaseurl=file://%s\ngpgcheck=0\nmetadata_expire=1\n' "$repository" >/etc/yum.repos.d/lab.repo
        dnf --assumeyes --quiet install linux-firmware-1.0 excluded-1.0 ordinary-1.0
        ;;
    zypper)
        zypper --non-interactive --quiet addrepo --no-gpgcheck "file://$repository" lab
        zypper --non-interactive --quiet install linux-firmware=1.0 excluded=1.0 ordinary=1.0
        # That of the old version is none of an update's.
        rm -f /run/reboot-needed
        ;;
esac
