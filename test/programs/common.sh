# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the init of each user land: mounts, environment, and how a section is run. Output is compared with Linux line by
# line; in a section whose name ends with ~ every number counts as N and every run of spaces as one.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=xterm LANG=C.UTF-8 TZ=UTC
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm /run /tmp /root
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
chmod 1777 /tmp
hostname guest

cd /tmp

# section NAME [SECONDS]: runs the commands on standard input in a directory of their own; only=NAME on the kernel's command line
# leaves out the others.
section() {
	[ "${only:-$1}" = "$1" ] || return
	echo "=== $1"
	mkdir -p "/tmp/w/$1"
	cat > /tmp/section.sh
	(cd "/tmp/w/$1" && timeout -k 5 "${2:-60}" bash /tmp/section.sh < /dev/null 2>&1)
	status=$?
	[ $status -eq 0 ] || echo "status $status"
}

finish() {
	echo "=== end"
	sync
	echo o > /proc/sysrq-trigger
	sleep 100
}
