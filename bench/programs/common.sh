# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the init of each load: mounts, environment, and how a row is measured. `only` is of the kernel's command line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C LC_ALL=C TZ=UTC
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm /run /tmp /root
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
loopback_up
cd /tmp
echo # the console may stand in the middle of a line

# True for a row that is to be prepared.
wanted() {
	[[ -z $only || $only == "$1" ]]
}

# True for a row that is to be measured: with `idle` on the command line the machine only prepares, for profiles.
measured() {
	wanted "$1" && [[ -z $idle ]]
}

# result NAME STATUS NANOSECONDS: the line that the host reads.
result() {
	if [[ $2 == 0 && $3 =~ [1-9] ]]; then
		echo "bench programs $1 $3 of 1"
	else
		tail -n 4 /run/out | sed "s/^/failed: $1: status $2: /"
		echo "bench programs $1 -1 of 0"
	fi
}

# timed NAME OPERATIONS COMMAND: what one of the operations takes that the command does.
timed() {
	local start end status
	measured "$1" || return
	start=$EPOCHREALTIME
	eval "$3" > /run/out 2>&1
	status=$?
	end=$EPOCHREALTIME
	result "$1" "$status" $(((${end/./} - ${start/./}) * 1000 / $2))
}

# captured NAME PATTERN FORMULA COMMAND: nanoseconds by a formula of `v`, the number of the output that the pattern captures.
captured() {
	local status value=
	measured "$1" || return
	eval "$4" > /run/out 2>&1
	status=$?
	[[ $(< /run/out) =~ $2 ]] && value=${BASH_REMATCH[1]}
	result "$1" "$status" "$(awk -v v="$value" "BEGIN { if (v > 0) printf \"%.3f\", $3 }")"
}

# rated NAME PATTERN COMMAND: the command prints operations per second.
rated() {
	captured "$1" "$2" "1e9 / v" "$3"
}

finish() {
	echo "bench done"
	sync
	echo o > /proc/sysrq-trigger
	sleep 100
}
