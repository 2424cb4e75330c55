# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person does in the shell, step by step. Each function is one test; all share a machine, in this order.

A step leaves the shell at its prompt. `shell.run` types a command and returns what it printed.
"""
import re
import time

STEPS = []


def step(function):
    function.ends_machine = False
    STEPS.append(function)
    return function


def last_step(function):
    """A step that ends its machine, which it has for itself."""
    step(function)
    function.ends_machine = True
    return function


def has(text, *patterns):
    for pattern in patterns:
        assert re.search(pattern, text, re.M), f"no {pattern!r} in:\n{text}"


def same(got, wanted):
    assert got == wanted, f"wanted {wanted!r}, got {got!r}"


@step
def uname(shell):
    has(shell.run("uname -a"), r"^Linux cairn 6\.\S+ .*(x86_64|aarch64) GNU/Linux")


@step
def environment_of_the_shell(shell):
    assert shell.run("tty") in ("/dev/ttyS0", "/dev/ttyAMA0")
    assert shell.run("echo $$ $PPID") != "1 0"
    same(shell.run("id -u"), "0")
    same(shell.run("pwd"), "/root")


@step
def list_proc(shell):
    shell.run("ls -lR /proc > /tmp/proc 2> /tmp/errors", 120)
    has(shell.run("grep -c . /tmp/proc"), r"^\d{3,}$")
    has(shell.run("grep ' self -> ' /tmp/proc"), r"self -> \d+")
    # A process may end while it is listed; nothing else may fail.
    same(shell.run("grep -v 'No such file\\|No such process' /tmp/errors | head"), "")


@step
def list_sys(shell):
    shell.run("ls -lR /sys > /tmp/sys 2> /tmp/errors; echo $?", 120)
    same(shell.run("cat /tmp/errors | head"), "")
    has(shell.run("head -3 /tmp/sys"), r"^/sys:")


@step
def list_dev(shell):
    text = shell.run("ls -lR /dev", 60)
    has(text, r"^crw-rw-rw- .* 1, +3 .* null$", r"^crw-rw-rw- .* 1, +5 .* zero$", r"^crw-rw-rw- .* 5, +0 .* tty$",
        r" 5, +1 .* console$", r" 5, +2 .* ptmx$", r" 1, +9 .* urandom$")


@step
def process_list(shell):
    has(shell.run("ps"), r"^ *1 .*init", r" ps\b|\{ps\}")
    has(shell.run("ps -o pid,ppid,stat,comm"), r"^ *1 +0 S")


@step
def top(shell):
    has(shell.run("top -b -n 1"), r"^Mem: \d+K used", r"^CPU: ", r" top ")
    shell.type("top\r")
    shell.wait("Load average")
    shell.type("q")
    shell.wait(shell.PROMPT)


@step
def vi_edits_and_saves(shell):
    shell.run("rm -f /tmp/text; stty cols 80 rows 24")
    shell.type("vi /tmp/text\r")
    shell.wait("/tmp/text")
    for keys in ("ifirst line\rsecond line", "\x1b", "kx", "A!", "\x1b", ":wq\r"):
        shell.type(keys)
        time.sleep(0.6)  # a lone escape is told from a key's sequence by the pause after it
    shell.wait(shell.PROMPT)
    shell.run("stty cols 1000")
    text = shell.run("cat /tmp/text")
    has(text, r"^first lin.*!$", r"^second line$")


@step
def less_pages(shell):
    shell.run("stty cols 80 rows 24; seq 1 200 > /tmp/numbers")
    shell.type("less /tmp/numbers\r")
    shell.wait("23")
    shell.type(" ")
    shell.wait("46")
    shell.type("G")
    shell.wait("200")
    shell.type("q")
    shell.wait(shell.PROMPT)
    shell.run("stty cols 1000")


@step
def pipeline_of_ten(shell):
    cats = " | cat" * 8
    same(shell.run(f"seq 1 20000{cats} | md5sum"), shell.run("seq 1 20000 | md5sum"))
    has(shell.run("seq 1 20000 | md5sum"), r"^[0-9a-f]{32} ")
    same(shell.run(f"yes | head -c 200000{cats} | wc -c", 60), "200000")


@step
def jobs_in_the_background(shell):
    shell.run("sleep 100 &")
    has(shell.run("jobs"), r"\[1\].*Running.*sleep 100")
    shell.type("fg\r")
    shell.wait("sleep 100")
    time.sleep(0.3)
    shell.type("\x1a")
    has(shell.wait(shell.PROMPT), r"Stopped")
    has(shell.run("jobs"), r"\[1\].*Stopped.*sleep 100")
    shell.run("bg")
    has(shell.run("jobs"), r"\[1\].*Running")
    shell.run("kill %1; sleep 0.3")
    assert "Running" not in shell.run("jobs")


@step
def control_c(shell):
    shell.type("sleep 100\r")
    time.sleep(0.5)
    shell.type("\x03")
    shell.wait(shell.PROMPT)
    same(shell.run("echo $?"), "130")
    shell.type("cat | cat | cat\r")
    time.sleep(0.5)
    shell.type("\x03")
    shell.wait(shell.PROMPT)


@step
def control_backslash(shell):
    shell.type("sleep 100\r")
    time.sleep(0.5)
    shell.type("\x1c")
    shell.wait(shell.PROMPT)
    same(shell.run("echo $?"), "131")


@step
def canonical_input(shell):
    shell.type("cat > /tmp/typed\r")
    time.sleep(0.5)
    shell.type("wrong\x15rigtt\x7f\x7fht\r\x04")
    shell.wait(shell.PROMPT)
    same(shell.run("cat /tmp/typed"), "right")


@step
def find_everything(shell):
    has(shell.run("find / 2>/dev/null | wc -l", 120), r"^\d{3,}$")
    same(shell.run("find /bin -name busybox"), "/bin/busybox")


@step
def tar_gzip_md5sum(shell):
    shell.run("mkdir -p /tmp/tree/a/b; seq 1 5000 > /tmp/tree/a/numbers; cp /bin/busybox /tmp/tree/a/b; "
              "ln -s numbers /tmp/tree/a/link", 60)
    shell.run("cd /tmp; tar cf - tree | gzip > tree.tgz; mkdir out; tar xzf tree.tgz -C out", 120)
    first = shell.run("cd /tmp/tree && find . -type f | sort | xargs md5sum", 60)
    second = shell.run("cd /tmp/out/tree && find . -type f | sort | xargs md5sum", 60)
    has(first, r"busybox$", r"numbers$")
    assert first == second, f"{first}\n{second}"
    same(shell.run("readlink /tmp/out/tree/a/link; cd; rm -r /tmp/out /tmp/tree /tmp/tree.tgz"), "numbers")


@step
def dd_copies(shell):
    has(shell.run("dd if=/dev/zero of=/tmp/zeros bs=4096 count=256 2>&1"), r"256\+0 records out")
    has(shell.run("ls -l /tmp/zeros; rm /tmp/zeros"), r" 1048576 ")
    has(shell.run("dd if=/dev/zero of=/dev/full count=1 2>&1"), r"No space left on device")
    same(shell.run("dd if=/dev/urandom bs=1000 count=3 2>/dev/null | wc -c"), "3000")


@step
def mount_tmpfs(shell):
    shell.run("mkdir -p /mnt; mount -t tmpfs -o size=1m none /mnt")
    has(shell.run("mount"), r"none on /mnt type tmpfs")
    has(shell.run("df /mnt"), r"none +1024 ")
    has(shell.run("dd if=/dev/zero of=/mnt/big bs=64k 2>&1"), r"No space left on device")
    same(shell.run("umount /mnt; ls /mnt"), "")


@step
def fifo_between_processes(shell):
    shell.run("mkfifo /tmp/fifo; cat /tmp/fifo > /tmp/copy & seq 1 1000 > /tmp/fifo; wait")
    same(shell.run("wc -l < /tmp/copy; rm /tmp/fifo"), "1000")


@step
def stty_settings(shell):
    has(shell.run("stty -a"), r"speed \d+ baud", r"intr = \^C", r"icanon")
    shell.run("stty rows 30 cols 100")
    same(shell.run("stty size"), "30 100")
    shell.run("stty rows 24 cols 1000")


@step
def time_of_a_command(shell):
    has(shell.run("time sleep 1 2>&1"), r"^real\s+0?m? ?1\.\d+s|^real\s+0m 1\.\d+s", r"^user", r"^sys")


@step
def kill_stop_and_continue(shell):
    shell.run("sleep 200 & pid=$!")
    shell.run("kill -STOP $pid; sleep 0.2")
    has(shell.run("grep State /proc/$pid/status"), r"T \(stopped\)")
    shell.run("kill -CONT $pid; sleep 0.2")
    has(shell.run("grep State /proc/$pid/status"), r"S \(sleeping\)")
    shell.run("kill -KILL $pid; sleep 0.3")  # the shell waits for it before the next prompt
    same(shell.run("kill -0 $pid 2>/dev/null || echo gone"), "gone")


@step
def trap_catches(shell):
    same(shell.run("sh -c 'trap \"echo caught\" USR1; kill -USR1 $$; echo on'"), "caught\non")
    same(shell.run("sh -c 'trap \"echo bye\" EXIT; exit 3'; echo $?"), "bye\n3")


@step
def here_document(shell):
    shell.type("cat <<END\r")
    shell.wait("MORE> ")
    shell.type("value $((6 * 7))\r")
    shell.wait("MORE> ")
    shell.type("END\r")
    has(shell.wait(shell.PROMPT), r"^value 42$")


@step
def wget_fails_cleanly(shell):
    text = shell.run("wget http://192.0.2.1/ 2>&1; echo status $?", 60)
    has(text, r"^wget: ", r"^status 1$")


@step
def status_of_signals(shell):
    same(shell.run("sh -c 'kill -SEGV $$'; echo $?").splitlines()[-1], "139")
    same(shell.run("false; echo $?"), "1")
    same(shell.run("/nonexistent; echo $?").splitlines()[-1], "127")
    same(shell.run("/etc/passwd; echo $?").splitlines()[-1], "126")


@step
def users_and_permissions(shell):
    shell.run("echo secret > /tmp/secret; chmod 600 /tmp/secret; echo walker:x:1000: >> /etc/group; "
              "echo walker:x:1000:1000::/:/bin/sh >> /etc/passwd")
    has(shell.run("su walker -s /bin/sh -c 'id; cat /tmp/secret' 2>&1"), r"uid=1000\(walker\)", r"Permission denied")


@step
def date_moves(shell):
    first = int(shell.run("date +%s"))
    assert first > 1_600_000_000, first
    shell.run("sleep 1")
    assert 1 <= int(shell.run("date +%s")) - first <= 10
    has(shell.run("cat /proc/uptime"), r"^\d+\.\d\d \d+\.\d\d$")


@step
def fork_storm_leaves_nothing(shell):
    shell.run("i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done", 120)
    has(shell.run("ps | wc -l"), r"^\d{1,2}$")


@step
def break_and_letter_reach_the_kernel(shell):
    shell.type("\x01b")  # what QEMU makes a break of
    shell.type("t")
    shell.wait("sysrq: t", 20)
    shell.wait("rcu ", 20)
    shell.type("\r")
    shell.wait(shell.PROMPT)
    has(shell.run("echo m > /proc/sysrq-trigger; dmesg | tail -20"), r"memory: \d+ pages", r"order 0: ")
    has(shell.run("echo l > /proc/sysrq-trigger; dmesg | tail -40"), r"cpu \d+: preemption count", r"call trace:")


@step
def init_survives_signals(shell):
    shell.run("kill -9 1")
    same(shell.run("echo alive"), "alive")


@last_step
def poweroff(shell):
    shell.type("poweroff\r")
    same(shell.wait_for_end(60), 0)


@last_step
def reboot(shell):
    shell.type("reboot\r")
    same(shell.wait_for_end(60), 0)  # the machine is told not to start again
