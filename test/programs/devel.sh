#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# init of the user land "devel": compilers, interpreters, version control.
. /programs/common.sh
ln -sf gawk /usr/bin/awk 2>/dev/null

section gcc_pthreads 240 <<'END'
cat > t.c <<'C'
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
static atomic_long sum; static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t b; static int turn; static __thread int local;
static void *run(void *arg) { long id = (long)arg; pthread_barrier_wait(&b);
  for (int i = 0; i < 1000; i++) { sum += i; local++; }
  pthread_mutex_lock(&m); while (turn != id) pthread_cond_wait(&c, &m); printf("thread %ld %d\n", id, local); turn++; pthread_cond_broadcast(&c); pthread_mutex_unlock(&m);
  return (void *)(id * 2); }
int main(void) { pthread_t t[8]; void *r; long all = 0; pthread_barrier_init(&b, 0, 8);
  for (long i = 0; i < 8; i++) pthread_create(&t[i], 0, run, (void *)i);
  for (int i = 0; i < 8; i++) { pthread_join(t[i], &r); all += (long)r; }
  printf("%ld %ld\n", (long)sum, all); return 0; }
C
gcc -O2 -Wall -pthread t.c -o t && ./t; gcc -static -O0 -pthread t.c -o ts && ./ts | tail -n 1; file=$(gcc -print-prog-name=cc1); [ -x "$file" ] && echo cc1; gcc -S t.c -o - | grep -c pthread_create | sed 's/[1-9][0-9]*/some/'; echo 'int f(void) { return 1 }' > bad.c; gcc -c bad.c 2>&1 | head -n 2
END
section make 240 <<'END'
for i in 1 2 3 4 5 6; do echo "int f$i(int x) { return x + $i; }" > f$i.c; done
(for i in 1 2 3 4 5 6; do echo "int f$i(int);"; done; echo '#include <stdio.h>'; echo 'int main(void) { printf("%d\n", f1(f2(f3(f4(f5(f6(0))))))); return 0; }') > main.c
printf 'O := $(patsubst %%.c,%%.o,$(sort $(wildcard *.c)))\nprog: $O\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -c -o $@ $<\nclean:\n\trm -f $O prog\n.PHONY: clean\n' > Makefile
make -s -j3 && ./prog; make | sed 's/[^ ]*make/make/'; touch f3.c; make; make clean; make -n | wc -l; ar rcs l.a 2>/dev/null; echo ar $?
END
section git 240 <<'END'
export GIT_AUTHOR_DATE='2001-01-01T00:00:00Z' GIT_COMMITTER_DATE='2001-01-01T00:00:00Z'
git config --global user.name N; git config --global user.email n@example.com; git config --global init.defaultBranch main; git config --global advice.detachedHead false
git init -q a; cd a; for i in 1 2 3; do seq $i 100 > f$i; done; mkdir d; echo x > d/y; git add .; git commit -q -m first; git log --format='%H %s'; git status --short
sed -i s/5/five/ f1; git diff --stat; git commit -qam second; git branch b; git checkout -q b; echo b > only; git add only; git commit -qm third; git checkout -q main; echo m > m; git add m; git commit -qm fourth; git merge -q b -m merged; git log --oneline --graph
cd ..; git clone -q a c; git -C c log -1 --format=%H; git clone -q --bare a e.git; git -C c push -q ../e.git HEAD:new; git -C e.git branch; git clone -q "file://$PWD/a" f && git -C f rev-parse HEAD; cd a; git gc -q; git fsck 2>&1 | tail -n 1; git stash list; echo z >> f1; git stash -q; git stash pop | tail -n 1 | cut -c1-7; git grep -c five; git archive HEAD | tar -t 2>/dev/null | wc -l; git rebase -q HEAD~1; git tag t; git describe; git worktree add -q ../w HEAD; ls ../w; git bisect start HEAD HEAD~2 2>&1 | tail -n 1 | cut -c1-10; git blame -s f1 | head -n 1 | cut -c1-12
END
section perl 120 <<'END'
perl -e 'use strict; use warnings; my %h = map { $_ => $_ ** 2 } 1..5; print join(",", map { "$_=$h{$_}" } sort keys %h), "\n"; my $p = fork; if (!$p) { exit 3 } waitpid $p, 0; print $? >> 8, "\n"; open(my $f, "-|", "echo piped") or die; print <$f>; $SIG{ALRM} = sub { print "alarm\n" }; alarm 1; sleep 5; print "done\n"'
perl -MPOSIX -MSocket -MFile::Temp -MTime::HiRes=usleep,time -e 'socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair $!"; syswrite $a, "hi\n"; print scalar <$b>; print strftime("%Y", gmtime 0), "\n"; my $t = time; usleep 1000; print time > $t ? "later\n" : "no\n"; my ($fh, $n) = File::Temp::tempfile(); print -e $n ? "temp\n" : "no\n"; print((uname())[0], "\n"); my @s = stat "/"; print scalar @s, "\n"; print POSIX::ttyname(0) // "none", "\n"; printf "%.3f\n", POSIX::floor(2.7)'
perl -Mthreads -e 'my @t = map { threads->create(sub { $_[0] * 2 }, $_) } 1..4; print join(" ", map { $_->join } @t), "\n"'; perl -ne 'print if /root/' /etc/passwd; perl -pe 's/a/b/' <<< aaa; perl -e 'use IPC::Open3; my $pid = open3(my $i, my $o, undef, "cat"); print $i "x\n"; close $i; print <$o>; waitpid $pid, 0; $SIG{CHLD} = "IGNORE"; system("true"); print "ok\n"; kill "TERM", $$'
END
section python 240 <<'END'
python3 - <<'P'
import asyncio, concurrent.futures, ctypes, mmap, multiprocessing, os, queue, selectors, signal, socket, subprocess, tempfile, threading, time
print(subprocess.run(["sh", "-c", "echo out; exit 3"], capture_output=True))
with concurrent.futures.ThreadPoolExecutor(4) as pool: print(list(pool.map(lambda x: x * x, range(8))))
def work(x): return os.getpid() != 0 and x + 1
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(3) as pool: print(pool.map(work, range(5)))
async def main():
    p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1); o, _ = await p.communicate(b"async"); print(o, p.returncode)
    await asyncio.gather(*(asyncio.sleep(0.05) for _ in range(20))); print("slept")
asyncio.run(main())
a, b = socket.socketpair(); a.send(b"x"); print(b.recv(1)); s = selectors.DefaultSelector(); s.register(b, selectors.EVENT_READ); print(s.select(0.01)); a.send(b"y"); print(len(s.select(1)))
m = mmap.mmap(-1, 8192); m[:5] = b"hello"; print(m[:5]); signal.signal(signal.SIGUSR1, lambda *x: print("signal", x[0])); os.kill(os.getpid(), signal.SIGUSR1)
with tempfile.TemporaryFile() as f: f.write(b"z" * 10000); f.seek(9999); print(f.read())
q = queue.Queue(); threading.Thread(target=lambda: q.put(1)).start(); print(q.get(timeout=5)); print(ctypes.CDLL(None).getpid() == os.getpid()); print(os.sched_getaffinity(0), os.cpu_count(), os.uname().sysname)
pid, fd = os.forkpty() if hasattr(os, "forkpty") else (0, 0)
P
python3 -c 'import pty, os; pid, fd = pty.fork()
if pid == 0: os.execvp("stty", ["stty", "size"])
import time
try: print(os.read(fd, 100))
except OSError as e: print(e)
os.waitpid(pid, 0)'; python3 -m timeit -n 1 -r 1 'sum(range(1000))' | wc -l; python3 -m json.tool <<< '{"a":[1,2]}'; python3 -c 'import sqlite3, zlib, hashlib, ssl, decimal, lzma, bz2; print(sqlite3.sqlite_version > "3", hashlib.sha256(zlib.compress(b"x"*1000)).hexdigest()[:8])'; python3 -c 'import resource, time; print(resource.getrlimit(resource.RLIMIT_NOFILE)); import http.server'
END
section lua <<'END'
cat > t.lua <<'L'
local t = {} for i = 1, 1000 do t[#t + 1] = i * i end print(#t, t[1000]) local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) print(co(), co(), co())
local f = io.popen("echo popen") print(f:read("a")) f:close() print(os.getenv("HOME"), os.execute("exit 3")) print(string.format("%q", "a\nb"), os.time{year=2001,month=1,day=1,hour=12}, pcall(error, "x")) local n = os.tmpname() print(#n > 0, os.remove(n)) print(collectgarbage("count") > 0)
L
lua5.4 t.lua; echo 'print(1+1)' | lua5.4 -
END
section node 240 <<'END'
node -e 'console.log(process.version.length > 3, [1,2,3].map(x => x * 2), process.platform)'
cat > t.js <<'J'
const fs = require("fs"), cp = require("child_process"), { Worker, isMainThread, parentPort } = require("worker_threads"), crypto = require("crypto"), os = require("os");
if (isMainThread) {
  fs.writeFileSync("f", "text"); console.log(fs.readFileSync("f", "utf8"), fs.statSync("f").size, cp.execSync("echo child").toString().trim());
  const w = new Worker(__filename); w.on("message", m => { console.log("worker", m); w.terminate().then(() => next()); });
  const next = async () => { await new Promise(r => setTimeout(r, 50)); const p = cp.spawn("cat"); p.stdout.on("data", d => console.log("cat", d.toString())); p.on("exit", c => { console.log("exit", c); fs.watch(".", { persistent: false }, () => {}); console.log(os.cpus().length > 0, os.type()); process.on("SIGUSR2", () => { console.log("signal"); process.exit(0); }); fs.promises.readdir(".").then(l => { console.log(l); process.kill(process.pid, "SIGUSR2"); }); }); p.stdin.end("in"); };
  console.log(crypto.createHash("sha256").update("x").digest("hex").slice(0, 8));
} else { let s = 0; for (let i = 0; i < 1e6; i++) s += i; parentPort.postMessage(s); }
J
node t.js
END
section sqlite 120 <<'END'
sqlite3 db 'create table t(a integer primary key, b text); begin; with recursive n(i) as (select 1 union all select i+1 from n where i < 5000) insert into t select i, printf("%05d", i*7%5000) from n; commit; create index x on t(b); select count(*), max(b) from t; select a from t where b = "00007"; pragma journal_mode=wal; update t set b = "z" where a < 10; select count(*) from t where b="z"; pragma integrity_check; vacuum;'
sqlite3 db .dump | wc -l; sqlite3 db 'select 1' & sqlite3 db 'insert into t values (99999, "y")'; wait; ls; echo '.tables' | sqlite3 db; sqlite3 :memory: 'select sqlite_version() > "3", hex(randomblob(4)) <> "";'
END
section openssl 120 <<'END'
openssl speed -seconds 1 -bytes 1024 sha256 2>/dev/null | awk '/^sha256/ {print $1, ($2 > 0)}'; echo text | openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -S 0011223344556677 | openssl enc -d -aes-256-cbc -pbkdf2 -pass pass:x; openssl genrsa 1024 2>/dev/null | openssl rsa -check -noout 2>&1; openssl dgst -sha256 <<< x | cut -c1-40; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out c -days 1 -subj /CN=x 2>/dev/null; openssl x509 -in c -noout -subject; openssl rand -hex 8 | wc -c; openssl version | cut -c1-9; openssl prime 97
END
finish
