# SPDX-License-Identifier: GPL-2.0-or-later
"""The kselftests of Debian's linux-source-6.1 (install it by hand: it is large) that need neither a disk nor a network."""
import os
import re
import subprocess

from harness.guest import COMPILER
from harness.machine import BUILD, ROOT, fetch, tool

NAME = "kselftest"
MEMORY, SECONDS, SILENCE = "512M", 1200, 150

TARBALL = "/usr/src/linux-source-6.1.tar.xz"
TOP = "linux-source-6.1/tools/testing/selftests"
FOLDERS = ("futex", "membarrier", "rseq", "clone3", "sigaltstack", "timers", "kcmp")
FUTEX = ("futex_requeue", "futex_requeue_pi", "futex_requeue_pi_mismatched_ops", "futex_requeue_pi_signal_restart",
         "futex_wait", "futex_wait_private_mapped_file", "futex_wait_timeout", "futex_wait_uninitialized_heap",
         "futex_wait_wouldblock", "futex_waitv")
TIMERS = ("posix_timers", "nanosleep", "nsleep-lat", "set-timer-lat", "inconsistency-check", "raw_skew", "threadtest")
CLONE3 = ("clone3", "clone3_clear_sighand", "clone3_set_tid")

# name: (source, further flags)
PROGRAMS = {name: (f"futex/functional/{name}.c", ("-Ifutex/include", "-Ifutex/functional")) for name in FUTEX}
PROGRAMS |= {name: (f"timers/{name}.c", ()) for name in TIMERS}
PROGRAMS |= {name: (f"clone3/{name}.c", ()) for name in CLONE3}
PROGRAMS |= {f"membarrier_test_{kind}_thread": (f"membarrier/membarrier_test_{kind}_thread.c", ())
             for kind in ("single", "multi")}
RSEQ = ("-Irseq", "-I../../include", "rseq/rseq.c")
PROGRAMS |= {name: (f"rseq/{name}.c", RSEQ) for name in ("basic_test", "basic_percpu_ops_test", "param_test")}
PROGRAMS |= {"param_test_compare_twice": ("rseq/param_test.c", (*RSEQ, "-DRSEQ_COMPARE_TWICE"))}
PROGRAMS |= {"sas": ("sigaltstack/sas.c", ()), "kcmp_test": ("kcmp/kcmp_test.c", ())}

# (part, seconds, words); the first word is one of PROGRAMS.
COMMANDS = [("futex", 40, name) for name in FUTEX]
COMMANDS += [("futex", 40, f"futex_requeue_pi {words}") for words in (
    "-b", "-b -l", "-b -o", "-l", "-o", "-b -l -t 5000", "-l -t 5000", "-b -l -t 500000", "-l -t 500000", "-b -t 5000",
    "-t 5000", "-b -o -t 5000", "-b -l -t 2000000000")]
COMMANDS += [("membarrier", 60, f"membarrier_test_{kind}_thread") for kind in ("single", "multi")]
COMMANDS += [("rseq", 120, "basic_test"), ("rseq", 120, "basic_percpu_ops_test")]
COMMANDS += [("rseq", 120, f"{program} {words} -r 100 -t 8") for program in ("param_test", "param_test_compare_twice")
             for words in ("-T s", "-T l", "-T b", "-T b -M", "-T m", "-T m -M", "-T i", "-T r")]
COMMANDS += [("rseq", 120, f"param_test {words} -r 50 -t 8") for words in
             ("-T s -m 1000 -1 100", "-T l -m 10 -4 200 -k", "-T i -s 1 -m 3", "-T b -y 10")]
COMMANDS += [("clone3", 60, name) for name in CLONE3]
COMMANDS += [("sigaltstack", 30, "sas"), ("kcmp", 30, "kcmp_test")]
COMMANDS += [("timers", 120, name) for name in TIMERS if name not in ("inconsistency-check", "threadtest", "raw_skew")]
COMMANDS += [("timers", 120, "inconsistency-check -t 2"), ("timers", 120, "threadtest -n 4 -t 5")]

CFLAGS = ("-O2", "-g0", "-static", "-pthread", "-w", "-D_GNU_SOURCE", "-include", "stddef.h")
PARTS = {part: None for part, _, _ in COMMANDS}
START = re.compile(r"^start (\S.*)$")
ENDED = re.compile(r"ended (\d+) (\S.*)$")


def compile_programs(arch, out):
    """Programs by name; unpacks the sources once."""
    if not os.path.exists(TARBALL):
        raise SystemExit("kselftest: apt-get install linux-source-6.1 first")
    sources = os.path.join(out, "..", "source")
    top = os.path.join(sources, TOP)
    if not os.path.isdir(top):
        os.makedirs(sources, exist_ok=True)
        wanted = [f"{TOP}/{name}" for name in (*FOLDERS, "kselftest.h", "kselftest_harness.h")]
        subprocess.run(["tar", "-C", sources, "-xf", TARBALL, *wanted, "linux-source-6.1/tools/include"], check=True)
    files = {}
    for name, (source, flags) in PROGRAMS.items():
        files[name] = os.path.abspath(os.path.join(out, name))
        if not os.path.exists(files[name]):
            subprocess.run([COMPILER[arch], *CFLAGS, "-I.", f"-I{os.path.dirname(source)}", "-o", files[name], source,
                            *flags, "-lrt", "-lm"], cwd=top, check=True)
    return files


def build(arch):
    fetch(arch, "linux")
    out = os.path.join(BUILD, "suites", arch)
    os.makedirs(out, exist_ok=True)
    init, table = os.path.join(out, "init"), os.path.join(out, "commands")
    tool(COMPILER[arch], "-O1", "-static", "-Wall", "-Wextra", "-Werror", "-o", init,
         os.path.join(ROOT, "test", "suites", "command_list.c"))
    with open(table, "w", encoding="utf-8") as text:
        text.writelines(f"{part} {seconds} {words}\n" for part, seconds, words in COMMANDS)
    files = {f"suite/{name}": path for name, path in compile_programs(arch, out).items()}
    files |= {"init": init, "commands": table}
    initrd = os.path.join(out, "kselftest.cpio")
    tool("tools/mkinitramfs", initrd, *(word for name, path in files.items() for word in ("--file", f"{name}={path}")))
    return initrd


def append(part):
    return f"part={part}"


def parse(lines):
    """A command passes with status 0 and without a "not ok"; 4 is kselftest's skip."""
    found, bad = {}, False
    for line in lines:
        ended = ENDED.search(line)
        if START.match(line):
            bad = False
        elif ended:
            found[ended[2]] = "skip" if ended[1] == "4" else "fail" if bad or ended[1] != "0" else "ok"
        elif line.startswith("not ok"):
            bad = True
    return found


def group(test):
    return test.split("/")[0]


def explain(lines, test):
    """What the failing command printed."""
    start = next((i for i, line in enumerate(lines) if line == f"start {test}"), None)
    if start is None:
        return []
    end = next((i for i in range(start, len(lines)) if ENDED.search(lines[i])), len(lines) - 1)
    return lines[start + 1:end + 1][-15:]
