#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's programs, unmodified, on Debian's Linux and on Cairn, side by side.

  programs.py [--arch ARCH] [--clock instructions|wall] [--load NAME] [--only ROW] [--runs N] [--cpus N]...
              [--mitigations off] [--record]

A load is a tree of packages whose init is bench/programs/NAME.sh; clocks, table and gate: bench/side.py.
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "bench"))
import side  # noqa: E402
from side import machine  # noqa: E402

SCRIPTS = os.path.join(ROOT, "bench", "programs")
# Load: packages, memory.
LOADS = {
    "load": ("bash coreutils mawk sed mount rt-tests linux-perf sysbench fio iperf3", "1G"),
    "tools": ("bash coreutils mawk sed grep findutils mount tar python3 gcc libc6-dev git sqlite3", "1536M"),
    "servers": ("bash coreutils mawk sed mount redis-server redis-tools nginx-light wrk", "1G"),
    "threads": ("bash coreutils mawk sed mount rt-tests linux-perf stress-ng", "1G"),
    "postgres": ("bash coreutils mawk sed mount util-linux postgresql-15", "1536M"),
}
# What `make bench` measures; "threads" is of interest on several CPUs: make bench-threads.
USUAL = [name for name in LOADS if name != "threads"]
# Parts of packages that no row opens: they would only fill the machine's memory.
UNUSED = ("*/perl", "*/perl-base", "*/locales", "*/gconv", "*/bitcode", "*/libLLVM*", "*/libz3*", "*/lto1", "*lto-dump*",
          "*/libasan*", "*/libtsan*", "*/test", "*/dist-packages", "*/perf-core", "*/zoneinfo", "*/fonts")


def initramfs(arch, name):
    packages = LOADS[name][0].split()
    machine.fetch(arch, "--tree", f"bench-{name}", *packages)
    machine.fetch(arch, "linux")
    out = os.path.join(machine.BUILD, arch, f"bench-{name}")
    loopback_up = os.path.join(machine.BUILD, arch, "bench-loopback-up")
    subprocess.run([side.CC[arch], "-O2", "-static", "-o", loopback_up, os.path.join(SCRIPTS, "loopback_up.c")], check=True)
    words = ["--tree", os.path.join(machine.BUILD, "packages", arch, "trees", f"bench-{name}")]
    words += [f"--exclude={pattern}" for pattern in UNUSED]
    words += ["--link", "bin/awk=/usr/bin/mawk", "--link", "bin/sh=bash", "--file", f"bin/loopback_up={loopback_up}",
              "--file", f"init={os.path.join(SCRIPTS, name + '.sh')}"]
    for path in ("bench/common.sh", "bench/nginx.conf", "etc/passwd", "etc/group"):
        words += ["--file", f"{path}={os.path.join(SCRIPTS, os.path.basename(path))}"]
    machine.tool("tools/mkinitramfs", out + ".cpio", *words)
    return out + ".cpio"


def names_in(name):
    """The rows of a load, read from its script."""
    with open(os.path.join(SCRIPTS, name + ".sh"), encoding="utf-8") as script:
        words = [line.split() for line in script]
    return [line[1] for line in words if len(line) > 1 and line[0] in ("timed", "rated", "captured")] + \
        ["stress_" + line[1] for line in words if len(line) == 2 and line[0] == "stressor"]


def loads(arch, only, names):
    return [side.Load(initramfs(arch, name), words=f"only={only}" if only else "", memory=LOADS[name][1])
            for name in names if not only or only in names_in(name)]


def main():
    parser = side.parser(__doc__, runs=3)
    parser.add_argument("--load", choices=LOADS, action="append")
    options = parser.parse_args()
    return side.main(options, "programs", lambda arch, only: loads(arch, only, options.load or USUAL))


if __name__ == "__main__":
    sys.exit(main())
