#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# init of the machine that runs BusyBox's own test suite.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TZ=UTC
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs tmpfs /tmp
chmod 1777 /tmp
cp -r /testsuite /tmp/testsuite
cd /tmp/testsuite
# bc's tests compute for an hour here, and ask the kernel for nothing.
bindir=/b tsdir=/tmp/testsuite ./runtest -v $(/b/busybox --list | grep "^[$letters]" | grep -v '^bc$') < /dev/null 2>&1
echo "=== end"
poweroff -f
sleep 100
