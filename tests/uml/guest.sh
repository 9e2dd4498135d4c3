#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# First process of the guest kernel: a file system over dm-log-writes, the writer, and out.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc proc /proc
exec >/dev/tty0 2>&1
for setting in $(cat /proc/cmdline); do
    case $setting in jw_*=*) export "${setting?}" ;; esac
done
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mkdir /run/medium
ip link set lo up
for module in dm-mod dm-log-writes; do
    insmod "$(find /usr/lib/uml/modules/ -name $module.ko)"
done
sectors=$(cat /sys/block/ubda/size)
dmsetup create --noudevsync --noudevrules cuts \
    --table "0 $sectors log-writes /dev/ubda /dev/ubdb" &&
    dmsetup mknodes cuts &&
    mount -t ext4 /dev/mapper/cuts /run/medium &&
    JOULEWAY_BUILD=$jw_build "$jw_python" "$jw_writer" /run/medium "$jw_seconds"
echo "guest: exit $?"
umount /run/medium
dmsetup remove cuts
sync
halt -f
