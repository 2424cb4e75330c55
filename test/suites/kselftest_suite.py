# SPDX-License-Identifier: GPL-2.0-or-later
"""The kselftests of Debian's linux-source-6.1 (install it by hand: it is large) that need neither a disk nor a network card."""
import os
import subprocess

from command_suite import CommandSuite
from harness.guest import COMPILER
from harness.machine import BUILD, fetch

TARBALL = "/usr/src/linux-source-6.1.tar.xz"
TOP = "linux-source-6.1/tools/testing/selftests"
LIBRARIES = ("libcap-dev", "libcap-ng-dev", "libpopt-dev")
FUTEX = ("futex_requeue", "futex_requeue_pi", "futex_requeue_pi_mismatched_ops", "futex_requeue_pi_signal_restart",
         "futex_wait", "futex_wait_private_mapped_file", "futex_wait_timeout", "futex_wait_uninitialized_heap",
         "futex_wait_wouldblock", "futex_waitv")
TIMERS = ("posix_timers", "nanosleep", "nsleep-lat", "set-timer-lat", "mqueue-lat", "inconsistency-check", "raw_skew",
          "threadtest", "rtcpie", "valid-adjtimex", "adjtick", "change_skew", "skew_consistency", "leap-a-day", "set-tai",
          "set-2038", "set-tz", "leapcrash", "freq-step")
CLONE3 = ("clone3", "clone3_clear_sighand", "clone3_set_tid", "clone3_cap_checkpoint_restore")
PIDFD = ("pidfd_test", "pidfd_fdinfo_test", "pidfd_open_test", "pidfd_poll_test", "pidfd_wait", "pidfd_getfd_test",
         "pidfd_setns_test")
PROC = ("fd-001-lookup", "fd-002-posix-eq", "fd-003-kthread", "proc-loadavg-001", "proc-empty-vm", "proc-pid-vm",
        "proc-self-map-files-001", "proc-self-map-files-002", "proc-self-syscall", "proc-self-wchan", "proc-subset-pid",
        "proc-tid0", "proc-uptime-001", "proc-uptime-002", "read", "self", "setns-dcache", "setns-sysvipc", "thread-self",
        "proc-multiple-procfs", "proc-fsconfig-hidepid")
SYNC = ("sync_test", "sync", "sync_alloc", "sync_fence", "sync_merge", "sync_wait", "sync_stress_parallelism",
        "sync_stress_consumer", "sync_stress_merge")

# name: (source, further flags)
PROGRAMS = {name: (f"futex/functional/{name}.c", ("-Ifutex/include", "-Ifutex/functional")) for name in FUTEX}
PROGRAMS |= {name: (f"timers/{name}.c", ("-Wl,-z,muldefs",)) for name in TIMERS}
PROGRAMS |= {name: (f"clone3/{name}.c", ("-l:libcap.a",)) for name in CLONE3}
PROGRAMS |= {name: (f"pidfd/{name}.c", ()) for name in PIDFD}
PROGRAMS |= {name: (f"proc/{name}.c", ()) for name in PROC}
PROGRAMS |= {f"membarrier_test_{kind}_thread": (f"membarrier/membarrier_test_{kind}_thread.c", ())
             for kind in ("single", "multi")}
RSEQ = ("-Irseq", "-I../../include", "rseq/rseq.c")
PROGRAMS |= {name: (f"rseq/{name}.c", RSEQ) for name in ("basic_test", "basic_percpu_ops_test", "param_test")}
PROGRAMS |= {"param_test_compare_twice": ("rseq/param_test.c", (*RSEQ, "-DRSEQ_COMPARE_TWICE"))}
PROGRAMS |= {"sas": ("sigaltstack/sas.c", ()), "kcmp_test": ("kcmp/kcmp_test.c", ())}
PROGRAMS |= {name: (f"exec/{name}.c", ()) for name in ("execveat", "non-regular", "recursion-depth", "null-argv")}
PROGRAMS |= {f"load_address.{align}": ("exec/load_address.c", ("-pie", "-fPIE", f"-Wl,-z,max-page-size={align}"))
             for align in ("0x10000", "0x200000", "0x1000000")}
PROGRAMS |= {"mq_open_tests": ("mqueue/mq_open_tests.c", ("-l:libpopt.a",)), "mq_perf_tests": ("mqueue/mq_perf_tests.c", ("-l:libpopt.a",))}
PROGRAMS |= {name: (f"ptrace/{name}.c", ()) for name in ("get_syscall_info", "peeksiginfo", "vmaccess")}
PROGRAMS |= {"seccomp_bpf": ("seccomp/seccomp_bpf.c", ("-l:libcap.a",)), "seccomp_benchmark": ("seccomp/seccomp_benchmark.c", ("-l:libcap.a",))}
PROGRAMS |= {name: (f"capabilities/{name}.c", ("-l:libcap-ng.a",)) for name in ("validate_cap", "test_execve")}
PROGRAMS |= {"devpts_pts": ("filesystems/devpts_pts.c", ()), "dnotify_test": ("filesystems/dnotify_test.c", ()),
             "epoll_wakeup_test": ("filesystems/epoll/epoll_wakeup_test.c", ()),
             "default_file_splice_read": ("splice/default_file_splice_read.c", ()), "splice_read": ("splice/splice_read.c", ()),
             "sync_test": ("sync/sync_test.c", tuple(f"sync/{name}.c" for name in SYNC[1:])),
             "get_size": ("size/get_size.c", ("-ffreestanding", "-nostartfiles", "-static")),
             "mincore_selftest": ("mincore/mincore_selftest.c", ()), "msgque": ("ipc/msgque.c", ())}
PROGRAMS |= {name: (f"openat2/{name}.c", ("openat2/helpers.c",)) for name in ("openat2_test", "resolve_test", "rename_attack_test")}
NET = ("bind_bhash", "ip_defrag", "ipv6_flowlabel", "ipv6_flowlabel_mgr", "psock_fanout", "psock_snd", "psock_tpacket",
       "reuseaddr_conflict", "reuseaddr_ports_exhausted", "reuseport_addr_any", "reuseport_bpf", "reuseport_bpf_cpu",
       "reuseport_dualstack", "rxtimestamp", "sk_bind_sendto_listen", "sk_connect_zero_addr", "so_netns_cookie", "socket",
       "stress_reuseport_listen", "tcp_fastopen_backup_key", "tcp_inq", "txring_overwrite", "udpgso", "udpgso_bench_rx",
       "udpgso_bench_tx", "cmsg_sender")
NET_SCRIPTS = ("in_netns", "bind_bhash", "ipv6_flowlabel", "psock_snd", "reuseaddr_ports_exhausted", "stress_reuseport_listen",
               "tcp_fastopen_backup_key", "udpgso_bench")
PROGRAMS |= {name: (f"net/{name}.c", ()) for name in NET}
PROGRAMS |= {name: (f"net/af_unix/{name}.c", ()) for name in ("diag_uid", "test_unix_oob", "unix_connect")}
SCRIPTS = ("splice/default_file_splice_read.sh", "splice/short_splice_read.sh", "exec/binfmt_script.py", *(f"net/{name}.sh" for name in NET_SCRIPTS))
ONLY = {"proc-empty-vm": "x86_64"}  # by the programs themselves

# (part, seconds, words); the first word is one of PROGRAMS.
COMMANDS = [("futex", 40, name) for name in FUTEX]
COMMANDS += [("futex", 40, f"futex_requeue_pi {words}") for words in (
    "-b", "-b -l", "-b -o", "-l", "-o", "-b -l -t 5000", "-l -t 5000", "-b -l -t 500000", "-l -t 500000", "-b -t 5000",
    "-t 5000", "-b -o -t 5000", "-b -l -t 2000000000")]
COMMANDS += [("membarrier", 60, f"membarrier_test_{kind}_thread") for kind in ("single", "multi")]
COMMANDS += [("rseq", 60, "basic_test")]
COMMANDS += [("rseq", 60, f"{program} {words} -r 20 -t 4") for program in ("param_test", "param_test_compare_twice")
             for words in ("-T s", "-T l", "-T b", "-T b -M", "-T m", "-T m -M", "-T i", "-T r")]
COMMANDS += [("rseq", 60, f"param_test {words} -r 10 -t 4") for words in
             ("-T s -m 1000 -1 100", "-T l -m 10 -4 200 -k", "-T i -s 1 -m 3", "-T b -y 10")]
COMMANDS += [("clone3", 60, name) for name in CLONE3]
COMMANDS += [("sigaltstack", 30, "sas"), ("kcmp", 30, "kcmp_test"), ("size", 30, "get_size"), ("ipc", 30, "msgque")]
COMMANDS += [("pidfd", 60, name) for name in PIDFD]
COMMANDS += [("proc", 60, name) for name in PROC]
COMMANDS += [("exec", 60, name) for name in ("execveat", "non-regular", "recursion-depth", "null-argv", "load_address.0x10000",
                                             "load_address.0x200000", "load_address.0x1000000", "binfmt_script.py")]
# mq_perf_tests sends ten million messages: minutes, silently.
COMMANDS += [("mqueue", 60, "mq_open_tests /test1")]
COMMANDS += [("ptrace", 60, name) for name in ("get_syscall_info", "peeksiginfo", "vmaccess")]
COMMANDS += [("seccomp", 120, "seccomp_bpf"), ("capabilities", 60, "test_execve")]
COMMANDS += [("epoll", 200, "epoll_wakeup_test"), ("filesystems", 60, "devpts_pts")]
COMMANDS += [("splice", 60, "default_file_splice_read.sh"), ("splice", 60, "short_splice_read.sh"), ("sync", 60, "sync_test")]
COMMANDS += [("openat2", 100, name) for name in ("openat2_test", "resolve_test", "rename_attack_test")]
COMMANDS += [("mincore", 60, "mincore_selftest")]
# Those that need neither policy routing nor a queueing discipline; the first arguments are their scripts' own.
COMMANDS += [("net", 60, words) for words in (
    "reuseaddr_conflict", "reuseaddr_ports_exhausted.sh", "reuseport_addr_any", "reuseport_bpf", "reuseport_bpf_cpu",
    "reuseport_dualstack", "sk_bind_sendto_listen", "sk_connect_zero_addr", "so_netns_cookie", "socket", "bind_bhash.sh -4",
    "stress_reuseport_listen.sh", "in_netns.sh rxtimestamp", "psock_fanout", "psock_tpacket", "txring_overwrite",
    "psock_snd.sh", "ipv6_flowlabel.sh", "diag_uid", "test_unix_oob", "unix_connect", "tcp_inq",
    *(f"in_netns.sh ip_defrag {words}" for words in ("-4", "-4o", "-6", "-6o")),
    *(f"in_netns.sh udpgso {words}" for words in ("-4 -C", "-4 -C -s", "-6 -C", "-6 -C -s", "-4 -c", "-4 -C -m", "-6 -C -m")),
    *(f"cmsg_sender {words}" for words in ("-6 ::1 1234", "-m 7 -6 ::1 1234", "-f 1 -6 ::1 1234", "-H h -6 ::1 1234", "-H d -6 ::1 1234",
                                           "-H r -6 ::1 1234")), "tcp_fastopen_backup_key.sh")]
COMMANDS += [("net-segments", 200, "udpgso_bench.sh")]
LONG_TIMERS = {"inconsistency-check": " -t 2", "threadtest": " -n 4 -t 5", "leap-a-day": " -s -i 1"}
# raw_skew waits for five minutes; set-2038, leapcrash, freq-step and skew_consistency take longer than a part may.
NOT_RUN = ("raw_skew", "freq-step", "leapcrash", "skew_consistency", "set-2038")
COMMANDS += [("timers", 60, name + LONG_TIMERS.get(name, "")) for name in TIMERS if name not in NOT_RUN]

CFLAGS = ("-O2", "-s", "-pthread", "-w", "-D_GNU_SOURCE", "-include", "stddef.h", "-include", "errno.h")


def compile_programs(arch, out):
    """Files of the initramfs by name; unpacks the sources once."""
    if not os.path.exists(TARBALL):
        raise SystemExit("kselftest: apt-get install linux-source-6.1 first")
    fetch(arch, *LIBRARIES)
    sources = os.path.join(out, "..", "source")
    top = os.path.join(sources, TOP)
    if not os.path.isdir(os.path.join(top, "openat2")):
        os.makedirs(sources, exist_ok=True)
        subprocess.run(["tar", "-C", sources, "-xf", TARBALL, TOP, "linux-source-6.1/tools/include"], check=True)
    here = [os.path.join(BUILD, "packages", arch, name, "usr") for name in LIBRARIES]
    libraries = [f"-I{path}/include" for path in here] + [f"-L{path}/lib/{arch}-linux-gnu" for path in here]
    files, failed = {}, []
    for name, (source, flags) in PROGRAMS.items():
        if arch not in ONLY.get(name, arch):
            continue
        file = os.path.abspath(os.path.join(out, name))
        files[f"suite/{name}"] = file
        if not os.path.exists(file):
            done = subprocess.run([COMPILER[arch], *CFLAGS, "-I.", f"-I{os.path.dirname(source)}", "-o", file, source,
                                   *libraries, *flags, "-lrt", "-lm"], cwd=top, check=False)
            if done.returncode:
                failed.append(name)
    if failed:
        raise SystemExit(f"kselftest: these do not compile for {arch}: {' '.join(failed)}")
    files |= {f"suite/{os.path.basename(script)}": os.path.join(top, script) for script in SCRIPTS}
    return files


SUITE = CommandSuite("kselftest", "1G", COMMANDS, skips=(4,), files=compile_programs,
                     packages="bash dash coreutils grep sed gawk procps util-linux mount python3-minimal iproute2")
