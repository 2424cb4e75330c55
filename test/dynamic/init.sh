#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Init of the dynamic tests, run by Debian's bash.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin GREETING=there LC_ALL=C
mkdir -p /proc /sys /dev /tmp
busybox=/bin/busybox
$busybox mount -t proc proc /proc
$busybox mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
$busybox mount -t devpts devpts /dev/pts
ln -s /proc/self/fd /dev/fd
cd /tmp

# expect NAME WANTED COMMAND...: the command prints WANTED and ends with status 0.
expect()
{
	local name=$1 wanted=$2 got
	shift 2
	got=$("$@" 2>&1)
	local status=$?
	if [ "$got" = "$wanted" ] && [ $status = 0 ]; then
		echo "ok $name"
	else
		echo "$*: status $status, printed:"
		echo "$got"
		echo "not ok $name"
	fi
}

for program in /programs/*; do
	expect "${program##*/}_program" "hello 2 there 0.500" "$program" 1.5
done

expect bash_version "5" echo "${BASH_VERSINFO[0]}"
expect bash_arithmetic "42 100" echo "$((6 * 7)) $(printf %d 0x64)"
expect bash_arrays "c b a" bash -c 'a=(a b c); for ((i = 2; i >= 0; i--)); do r+="${a[i]} "; done; echo ${r% }'
expect bash_process_substitution "5 4" bash -c 'paste -d " " <(echo 5) <(echo 4)'
expect bash_here_string "one two" cat <<< "one two"
expect bash_pipefail "1" bash -c 'set -o pipefail; false | true; echo $?'
expect bash_trap "term" bash -c 'trap "echo term; exit 0" TERM; kill -TERM $$; sleep 5'
expect bash_wait "7" bash -c '(exit 7) & wait $!; echo $?'
expect bash_coprocess "HELLO" bash -c 'coproc tr a-z A-Z; echo hello >&${COPROC[1]}; eval "exec ${COPROC[1]}>&-"; cat <&${COPROC[0]}'
expect seq_sort_uniq "3" bash -c 'seq 1 3 | sort -rn | uniq | wc -l'
expect ls_lists "a
b" bash -c 'mkdir d; touch d/b d/a; ls d'
expect cp_mv_ln "x" bash -c 'echo x > f; cp -a f g; mv g h; ln h i; ln -s i j; cat j'
expect stat_formats "regular file 2 644" bash -c 'umask 022; rm -f s; echo y > s; stat -c "%F %s %a" s'
expect dd_copies "100000" bash -c 'dd if=/dev/zero bs=1000 count=100 2>/dev/null | wc -c'
expect sha256sum_of_nothing "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  /dev/null" sha256sum /dev/null
expect split_and_cat "same" bash -c 'seq 1 3000 > n; split -l 100 n part.; [ "$(cat part.* | md5sum)" = "$(md5sum < n)" ] && echo same'
expect tail_follows "third" timeout 20 bash -c 'echo first > log; (sleep 0.5; echo third >> log) & tail -f -n 0 log 2> /dev/null | head -n 1; kill %1 2>/dev/null; true'
expect timeout_ends "124" bash -c 'timeout 0.3 sleep 20; echo $?'
expect nproc_counts "1" nproc
expect id_of_root "0 0" bash -c 'echo $(id -u) $(id -G)'
expect realpath_resolves "/tmp/f" bash -c 'mkdir -p x/y; ln -sf ../../f x/y/l; realpath x/y/l'
expect date_formats "1970-01-01 00:01:40" date -u -d @100 "+%F %T"
expect touch_sets_times "1000000000" bash -c 'touch -d @1000000000 t; stat -c %Y t'
expect mktemp_makes "directory" bash -c 'stat -c %F "$(mktemp -d)"'
expect tee_copies "v v" bash -c 'echo -n v | tee o > p; echo "$(cat o) $(cat p)"'
expect factor_factors "123456789: 3 3 3607 3803" factor 123456789
expect script_on_a_pty "on a terminal" bash -c 'script -q -c "[ -t 0 ] && echo on a terminal" /tmp/typescript < /dev/null | tr -d "\r"'
echo "end of tests"
exec $busybox poweroff -f
