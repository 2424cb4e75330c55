#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of "tools": what people run by hand.
. /bench/common.sh

(echo 'BEGIN; CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c INT);'
for ((i = 0; i < 2000; i++)); do echo "INSERT INTO t VALUES($i, 'row $i', $((i * 7919 % 1000)));"; done
echo 'COMMIT; CREATE INDEX i ON t(c);'
for ((i = 0; i < 50; i++)); do echo "UPDATE t SET b = 'changed' WHERE c = $i; SELECT count(*), sum(c) FROM t WHERE c < $i;"; done
) > script.sql
timed sqlite3 2100 'sqlite3 data.db < script.sql'

export PYTHONHASHSEED=0
timed python3_start 5 'for i in 1 2 3 4 5; do python3 -c pass; done'
timed python3_loop 1 'python3 -c "
total = 0
for i in range(500000): total += i % 7
print(total)"'

(echo '#include <stdio.h>'
for ((i = 0; i < 500; i++)); do
	printf 'int f%d(int a, int b)\n{\n\tint c = a * %d + b;\n\treturn c > %d ? c : printf("%%d", c);\n}\n\n' $i $i $i
done) > large.c
timed gcc_3000_lines 1 'gcc -O1 -c large.c'

mkdir tree
for ((d = 0; d < 50; d++)); do
	mkdir tree/d$d
	for ((i = 0; i < 100; i++)); do echo "file $d $i" > tree/d$d/f$i; done
done
cd tree
if wanted git_status; then
	sleep 1.1 # the index notes seconds: of the same second as the files, git would read every file again
	git init -q .
	git -c core.compression=0 add .
fi
timed git_status 5000 'git status --short | wc -l'
cd ..
tar cf tree.tar --exclude=.git tree
timed untar 5000 'mkdir out; tar xf tree.tar -C out'
timed find 5000 'find tree/d* -type f -size -2 -name "*7" | wc -l'
timed copy_tree 5000 'cp -r out out2'
timed remove_tree 5000 'rm -rf out out2'
head -c 4194304 /dev/zero > zeros
timed sha256sum 4 'sha256sum zeros'
timed pipeline 1 'cat tree/d*/f* | sort | uniq -c | grep 7 | wc -l'
timed shell_loop 100 'for ((i = 0; i < 100; i++)); do x=$(/bin/echo $i); done'
finish
