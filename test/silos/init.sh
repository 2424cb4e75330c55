#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of the user land "silos": a shell on the console.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /srv /run /tmp /lib64
ln -s /proc/mounts /etc/mtab
ip link set lo up
cd /root || exit
PS1='# ' setsid -c bash --norc --noprofile --noediting
echo o > /proc/sysrq-trigger
sleep 100
