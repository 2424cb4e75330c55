#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The first process of a machine whose power is cut under a database: checks that every transaction that sqlite promised is whole
# in it and no other is torn, then makes more. `round`, `promises` and `work` as in power.c.
export PATH=/usr/bin:/bin
busybox=/bin/busybox
db=/disk/database
kept=5

end()
{
	$busybox sync
	$busybox poweroff -f
}

fail()
{
	echo "failed: $*"
	end
}

# Transactions of a round with all of their ten rows, or with another number of them.
transactions()
{
	sqlite3 $db "SELECT count(*) FROM (SELECT number FROM t WHERE round = $1 GROUP BY number
		HAVING (count(*) = 10 AND min(length(data)) = 500) = $2);"
}

for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk; do
	$busybox insmod /modules/$module.ko 2>/dev/null
done
$busybox mkdir -p /disk /tmp
$busybox mount -t devtmpfs dev /dev 2>/dev/null
n=0
while ! $busybox test -b /dev/vda && $busybox test $n -lt 200; do
	$busybox usleep 50000
	n=$((n + 1))
done
$busybox mount -t ext4 /dev/vda /disk || fail mount
sqlite3 $db 'CREATE TABLE IF NOT EXISTS t (round INTEGER, number INTEGER, row INTEGER, data BLOB);' || fail open
state=$(sqlite3 $db 'PRAGMA integrity_check;')
$busybox test "$state" = ok || fail "integrity: $state"
checked=$((round > kept ? round - kept : 0))
for promised in $(echo $promises | $busybox tr , ' '); do
	$busybox test "$(transactions $checked 1)" -ge $promised || fail "round $checked lacks transactions"
	$busybox test "$(transactions $checked 0)" = 0 || fail "round $checked has torn transactions"
	checked=$((checked + 1))
done
echo checked
mode=$($busybox test $((round % 2)) = 0 && echo DELETE || echo WAL)
if $busybox test "$work" != 0; then
	i=0
	{
		echo "PRAGMA journal_mode=$mode; PRAGMA synchronous=EXTRA; DELETE FROM t WHERE round < $((round - kept));"
		while $busybox test $i -lt 1000; do
			echo "BEGIN; INSERT INTO t WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c WHERE x < 10)"
			echo "SELECT $round, $i, x, randomblob(500) FROM c; COMMIT;"
			echo ".print promise $i"
			i=$((i + 1))
		done
	} | sqlite3 -bail $db || fail work
fi
$busybox umount /disk || fail umount
echo unmounted
end
