#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# First process of the guest kernel of run_in_guest.py: mounts, modules, the command, and out.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc proc /proc
exec >/dev/tty0 2>&1
for setting in $(cat /proc/cmdline); do
    case $setting in
        jw_command=*) command=$(cat "${setting#*=}") ;;
        jw_modules=*) modules=$(echo "${setting#*=}" | tr , ' ') ;;
    esac
done
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts 2>/dev/null
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
ip link set lo up
for module in $modules; do
    insmod "$(find /usr/lib/uml/modules/ -name "$module.ko")" || echo "init: no module $module"
done
sh -c "$command"
echo "guest: exit $?"
halt -f
