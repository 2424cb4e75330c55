#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Init of the applet comparison: runs BusyBox applets with fixed inputs in sections "=== NAME". What a section prints is
# the same on every kernel, so it shows no process ids, times, versions or free memory.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root LC_ALL=C TZ=UTC
exec 2>&1
mkdir -p /proc /sys /dev /tmp /work
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /work

# Each section starts in a directory of its own with these two files.
inputs()
{
	seq 1 400 > numbers
	printf 'delta 4\nalpha 1\ncharlie 3\nbravo 2\nalpha 1\n' > words
}

section_text()
{
sort words; sort -u words; sort -k2 -n -r words; uniq -c words; sort words | uniq -d
cut -d' ' -f1 words; cut -c1-3 words; paste words words; head -n 2 words; tail -n 2 words; tac words; rev words
nl words; fold -w 4 words; expand words; tr a-z A-Z < words; wc words; wc -c < numbers
grep -n alpha words; grep -c 1 numbers; egrep '^(a|b)' words; fgrep bravo words; grep -q nothing words; echo $?
sed -n '2,3p' words; sed 's/a/A/g' words; sed -e '1d' -e '$d' words; sed -i 's/delta/echo/' words; cat words
awk '{ s += $1 } END { print s, NR }' numbers; awk -F' ' '{ print $2 ":" $1 }' words
awk 'BEGIN { printf "%5.2f %x %s\n", 3.14159, 255, substr("hello", 2, 3) }'
diff words numbers | head -n 5; cmp words words; echo $?; cmp words numbers; echo $?
comm words numbers 2>&1 | head -n 1
ed words <<END
1,\$s/a/@/
w
q
END
cat words
}

section_encodings()
{
md5sum numbers; sha1sum numbers; sha256sum numbers; sha512sum numbers; sha3sum numbers; crc32 numbers
base64 numbers | md5sum; base64 numbers | base64 -d | cmp - numbers; uuencode n < numbers | md5sum
uuencode n < numbers | uudecode -o - | cmp - numbers; xxd numbers | head -n 3; od -c numbers | head -n 3
hexdump -C numbers | tail -n 2; xxd numbers | xxd -r | cmp - numbers; strings numbers | head -n 1
printf 'a\r\nb\n' | dos2unix | od -c; echo a | unix2dos | od -c
}

section_compressors()
{
gzip -c numbers | gunzip | cmp - numbers; echo $?; bzip2 -c numbers | bunzip2 | cmp - numbers; echo $?
gzip -c numbers > n.gz; zcat n.gz | md5sum; gunzip -t n.gz; echo $?; bzip2 -c numbers | bzcat | md5sum
lzop -c numbers | lzop -d | md5sum
printf 'not gzip' | gunzip; echo $?
}

section_archives()
{
mkdir -p tree/sub; cp numbers tree; echo x > tree/sub/x; ln -s x tree/sub/l; ln tree/numbers tree/hard; mkfifo tree/p
touch -d '2020-01-02 03:04:05' tree/numbers tree/sub/x tree/p tree/sub tree
chmod 640 tree/numbers; chown 5:6 tree/sub/x
tar cf t.tar tree; tar tvf t.tar | sort -k6 | awk '{ print $1, $2, $6, $7, $8 }'
mkdir o; tar xf t.tar -C o; find o | sort; ls -l o/tree/numbers | awk '{ print $1, $3, $5, $6, $7, $8 }'
tar czf t.tgz tree; tar xzf t.tgz -O tree/sub/x; find tree | cpio -o -H newc 2>/dev/null | cpio -t 2>&1 | sort
ar cr a.a numbers words 2>/dev/null; ar t a.a
}

section_files()
{
cd tree
stat -c '%n %F %s %a %u %g %h' numbers sub/x sub sub/l p; readlink sub/l; realpath sub/l; basename /a/b.c .c; dirname /a/b
ls -1R; ls -lan sub | awk 'NR > 1 { print $1, $2, $3, $4, $5, $NF }'; ls -F; ls -i numbers hard | awk '{ print $1 }' | uniq | wc -l
du -a | sort -k2; test -e numbers && test ! -e none && test -p p && test -L sub/l; echo $?
cp -r sub copy; diff -r sub copy; echo $?; mv copy moved; ls moved; rm -r moved; ls moved; rmdir sub; rm sub; echo $?
touch a b; ln -sf a b; readlink b; ln none c; unlink a; ls a; truncate -s 5000 big; stat -c '%s %b' big; truncate -s 10 big
chmod u+s,g-w,o=x numbers; stat -c %a numbers; chmod 9 numbers; umask; umask 077; touch u; stat -c %a u; umask 022
chgrp 9 u; stat -c '%u %g' u; mknod dev c 1 3; stat -c '%F %t %T' dev; echo x > dev; fallocate -l 9000 f; stat -c %s f
mktemp -d /tmp/x.XXXXXX | sed 's/\..*/./'; shred -u u; ls u; find . -type f -name 'n*' -size +0; find . -perm 4641; which ls
touch -d 2020-02-02 b; touch -d 2019-01-01 old; find . -newer old -name b; find . -type d -empty; find . -exec echo {} + | wc -w; xargs -n 2 echo < ../words; fsync numbers 2>/dev/null
}

section_errors()
{
cat none; (cd none); ls -l none; rm none; mv none x; cp none x; mkdir a/b/c; rmdir /proc; ln -s; (cat < none); (echo x > /work); (. ./none)
/work; /etc/passwd; none; chmod 777 none; touch a/b; readlink numbers; kill 99999; mount -t none a b; umount /work/numbers; umount none
cd /init/x; mkdir /proc/x; touch /proc/x; rm /proc/self; (echo x > /proc/version); ls /proc/99999; cat /proc/self/mem; cat /proc
(echo x > /sys/x); mkfifo numbers; mknod numbers p; ln numbers words; chroot /work true; sleep x; dd if=none; dd of=/; tail none; wc none
}

section_shell()
{
echo $((1 + 2 * 3)) $((0x10)) $((7 / 2)) $((7 % 4)) $((1 << 10)); x=abc; echo ${#x} ${x%c} ${x#a} ${x:-y} ${z:-y} ${x:+y}
for i in 1 2 3; do echo -n $i; done; echo; case abc in a*) echo a;; *) echo b;; esac; f() { return 3; }; f; echo $?
(exit 4); echo $?; ! true; echo $?; true && false || echo or; set -- a 'b c' d; echo $# "$2"; shift; echo "$*"; echo "$@"
cat <<A; cat <<-'B'
sum $((2 + 2)) `echo sub` $(echo sub)
A
	raw $((2 + 2))
	B
echo a b c | (read x y; echo "$y $x"); IFS=:; set -- $(echo a:b:c); echo $2; unset IFS; eval 'echo ev'; echo *; echo [nw]*; type cd
trap 'echo exit trap' EXIT; trap - EXIT; sh -c 'trap "echo t" TERM; kill -TERM $$; echo after'; sh -c 'kill -KILL $$'; echo $?
sh -c 'exit 300'; echo $?; sleep 0.1 & wait $!; echo $?; (sleep 5; echo never) & kill $!; wait $! 2>/dev/null; echo $?
echo hello | tee t1 t2 | cat; cat t1 t2; yes | head -n 2; seq 3 | while read n; do echo "<$n>"; done; ulimit -n; ulimit -s; exec 3> t3; echo three >&3; exec 3>&-; cat t3
printf '%s-%d-%05.1f-%c\n' a 5 2.55 xyz; printf '%b' 'a\tb\n'; echo -e 'a\\b'; echo -n; getopt ab:c -a -b x -- y; expr 3 + 4; expr abc : 'a\(.*\)'
time -f %x true; timeout 0.2 sleep 5; echo $?; nice -n 5 sh -c nice 2>/dev/null; nohup echo nohup < /dev/null 2>/dev/null; env -i A=1 env; setsid echo sid
[ a = a ]; echo $?; [[ a = b ]]; echo $?; test 3 -gt 2; echo $?; factor 91 1001; cal 2 2024; date -u -d @86400 +%F; bc -e '2^64' 2>/dev/null || echo '2^64' | bc; echo '5 3 - p' | dc
}

section_processes()
{
sh -c 'echo $PPID' | grep -c .; ps -o comm | grep -c ps; pidof none; echo $?; sleep 9 & kill -STOP $!; sleep 0.1; awk '/^State/ { print $2 }' /proc/$!/status; kill -CONT $!; kill $!
id; id -u; whoami; groups; logname; su -c id nobody -s /bin/sh; setpriv --dump 2>/dev/null | head -n 3; start-stop-daemon -S -x /bin/true; echo $?; chroot / echo rooted
renice 5 $$ ; taskset -p $$ | sed 's/pid [0-9]*/pid/'; killall none; echo $?; nproc; arch; uname -s -m -o; tty; hostid; hostname x; hostname; nsenter --help 2>&1 | head -n 1; unshare --help 2>&1 | head -n 1
}

section_procfs()
{
ls -ld /proc /proc/self/fd /proc/self/status | awk '{ print $1, $2 > 0, $3 }'; ls /proc/self | grep -x -e auxv -e cmdline -e comm -e cwd -e environ -e exe -e fd -e fdinfo -e limits -e maps -e mem -e mounts -e root -e stat -e statm -e status -e task
ls /proc | grep -x -e cmdline -e cpuinfo -e devices -e filesystems -e interrupts -e loadavg -e meminfo -e mounts -e self -e stat -e sys -e uptime -e version -e vmstat -e thread-self
tr '\0' ' ' < /proc/self/cmdline; echo; cat /proc/self/comm; readlink /proc/self/exe /proc/self/cwd /proc/self/root; readlink /proc/self/fd/0; grep -e cpu -e size -e files /proc/self/limits; awk '{ print $2 }' /proc/self/stat; grep -e ^Name -e ^State -e ^Uid -e ^Threads -e ^SigIgn /proc/self/status
wc -w < /proc/self/statm; wc -w < /proc/self/stat; wc -w < /proc/loadavg; grep -c heap /proc/self/maps; grep -o -e '\[stack\]' -e '\[vdso\]' /proc/self/maps | sort; grep -o -e ^MemTotal -e ^MemFree -e ^MemAvailable -e ^Buffers -e ^Cached -e ^SwapTotal /proc/meminfo
cat /proc/sys/kernel/ostype /proc/sys/kernel/hostname /proc/sys/kernel/pid_max; sysctl -n kernel.ostype; grep -e tmpfs -e proc$ -e sysfs -e devpts /proc/filesystems | sort; grep -c ^processor /proc/cpuinfo; cat /proc/mounts | awk '{ print $1, $2, $3 }'
}

section_mounts()
{
mkdir m; mount -t tmpfs -o size=64k,mode=711 none m; stat -c %a m; dd if=/dev/zero of=m/x bs=1k count=100 2>&1 | tail -n 2 | head -n 1; df -k m | tail -n 1; df -i m > /dev/null; echo $?; ls -l m | awk 'NR > 1 { print $5 }'
rm m/x; mount -o remount,ro m; touch m/y; mount -o remount,rw m; touch m/y; ls m; mount --bind tree m; ls m | head -n 2; umount m; ls m; umount m; umount m; mountpoint m 2>/dev/null; mount | grep -c ' /work '; pivot_root . . ; echo $?
}

section_devices()
{
for d in null zero full random urandom tty console ptmx kmsg; do stat -c "%n %F %t %T %a" /dev/$d; done; head -c 5 /dev/zero | od -c; head -c 20 /dev/urandom | wc -c; echo x > /dev/full; echo $?; cat /dev/null; dd if=/dev/zero bs=7 count=3 2>/dev/null | wc -c
ls -d /dev/pts /dev/shm 2>/dev/null; stty size < /dev/console; stty -a < /dev/console | tr ';' '\n' | grep -e intr -e icanon -e onlcr | head -n 4; stty -F /dev/console raw; stty -F /dev/console -a | grep -o -e '-icanon' -e '-isig'; stty -F /dev/console sane
}

section_fifos()
{
mkfifo q; (for i in 1 2 3; do echo $i; done > q) & cat q; wait; (cat < q | tr a-z A-Z) & echo fifo > q; wait; ls -l q | cut -c1; yes | (head -n 1); echo ${PIPESTATUS:-none}; cat numbers | cat | cat | cat | cat | cat | cat | cat | cat | wc -l
}

section_others()
{
unexpand -a words; usleep 1000; echo $?; echo $(shuf numbers | sort -n | md5sum); linux64 uname -m > /dev/null; echo $?; clear | od -c | head -n 1; reset 2>/dev/null | od -c | head -n 1
seq 1 3 | more; echo hidden > secret; nuke secret; ls secret; mkdir parts; printf '#!/bin/sh\necho part $0\n' > parts/one; chmod +x parts/one; run-parts parts; run-parts --test parts
cp words old; sed 's/bravo/BRAVO/' words > new; diff -u old new > change; patch old change; cmp old new; echo $?
xz -d < /dev/null; echo $?; printf '\3757zXZ\0' | unxz; echo $?; unlzma < words; echo $?; uncompress words; echo $?; unzip words; echo $?
who; last 2>/dev/null | head -n 1; getty 2>&1 | head -n 1; start-stop-daemon -S -b -x /bin/sleep -- 100; sleep 0.2; start-stop-daemon -K -q -x /bin/sleep; echo $?
(svc -d parts; svok parts; echo $?) 2>&1; lsmod; insmod nothing; swapon nothing; losetup nothing; mt -f nothing status; dnsdomainname; ipcalc -n 10.1.2.3/8; crontab -l -c /work; logger x; echo $?; hwclock -f nothing; openvt true; adjtimex | grep -c status; devmem; setkeycodes; watchdog; mkpasswd -m md5 -S abcdefgh secret
dmesg | grep -i 'command line' | grep -c -m 1 console; dmesg -n 1; echo $?; dmesg -c > /dev/null; dmesg | wc -l; halt --help 2>&1 | head -n 1; ts < /dev/null; uevent --help 2>&1 | head -n 1
}

# A section that hangs or ends its shell costs one section.
for name in text encodings compressors archives files errors shell processes procfs mounts devices fifos others; do
	echo "=== $name"
	mkdir /work/$name
	(cd /work/$name && inputs && section_$name) < /dev/null &
	main=$!
	(sleep 25; kill -KILL $main 2>/dev/null && echo "section does not end") > /dev/console 2>&1 &
	wait $main 2>/dev/null
	kill $! 2>/dev/null
done
echo "=== end"
poweroff -f
