#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The micro benchmarks on Debian's Linux and on Cairn, side by side.

  micro.py [--arch ARCH] [--clock instructions|wall] [--only NAME] [--runs N] [--cpus N] [--record]

instructions: QEMU counts (-icount, one CPU), so that figures repeat exactly; it does not see TLB flushes or atomics.
wall: the guest's clock, boots of the two kernels in turn, the median of N. (With 2 CPUs Linux reads the HPET.)
Prints a table, keeps JSON and a plot in build/. Status 1 when a ratio is more than 10 % below the one that is recorded in
bench/recorded.json (wall time: the mean of a group, because rows vary); --record makes today's ratios the recorded ones.
"""
import argparse
import os
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test"))
sys.path.insert(0, os.path.join(ROOT, "bench"))
from harness import machine  # noqa: E402
import report  # noqa: E402

CLOCKS = ("instructions", "wall")
CC = {"x86_64": "gcc", "aarch64": "aarch64-linux-gnu-gcc"}
# Where Linux is not handicapped: with erms it copies by a string instruction that emulation runs byte by byte.
CPU = {"x86_64": "max,la57=off,erms=off,fsrm=off", "aarch64": "max,pauth=off"}


def build(arch):
    """The initramfs: the benchmarks as /init, and BusyBox for the shell row."""
    out = os.path.join(machine.BUILD, arch, "bench-micro")
    folder = os.path.join(ROOT, "bench", "micro")
    library = os.path.join(ROOT, "user", "lib")
    sources = sorted(os.path.join(f, name) for f in (folder, library) for name in os.listdir(f) if name.endswith(".c"))
    subprocess.run([CC[arch], "-O2", "-static", "-pthread", "-Wall", "-Wno-unused-result", "-I" + os.path.join(ROOT, "abi", "native"), "-o", out, *sources], check=True)
    machine.fetch(arch, "busybox-static", "linux")
    initrd = out + ".cpio"
    machine.tool("tools/mkinitramfs", initrd, "--file", f"init={out}", "--file", f"bin/busybox={machine.busybox(arch)}")
    return initrd


def run(arch, which, initrd, clock, only, cpus):
    """Nanoseconds by (group, name)."""
    extra = ("-icount", "shift=0,sleep=off") if clock == "instructions" else ()
    append = "quiet norandmaps panic=-1" + (f" -- {only}" if only else "")
    boot = machine.Boot(arch, machine.kernel_image(arch, which), initrd, append, seconds=900, silence=300, extra=extra,
                        cpu=CPU[arch], cpus=cpus)
    figures = {}
    for line in boot.lines:
        words = line.split()
        if len(words) == 6 and words[0] == "bench":
            figures[words[1], words[2]] = float(words[3])
    if not any(line.startswith("bench done") for line in boot.lines):
        print(f"{which} on {arch} did not finish ({boot.end}):", *boot.tail(), sep="\n  ", file=sys.stderr)
    return figures


def measure(arch, clock, only, runs, cpus):
    """The figures of one architecture: boots of the two kernels in turn, medians."""
    initrd = build(arch)
    pairs = [[run(arch, which, initrd, clock, only, cpus) for which in ("linux", "cairn")] for _ in range(runs)]

    def median(index, key):
        return statistics.median(pair[index].get(key, -1) for pair in pairs)

    unit = "instructions" if clock == "instructions" else "ns"
    return [{"group": key[0], "name": key[1], "unit": unit, "linux": median(0, key), "cairn": median(1, key)}
            for key in pairs[0][0]]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--arch", choices=machine.ARCHES, action="append")
    parser.add_argument("--clock", choices=CLOCKS, action="append")
    parser.add_argument("--only", default="")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    dropped = []
    for arch in options.arch or machine.ARCHES:
        for clock in options.clock or CLOCKS:
            cpus = 1 if clock == "instructions" else options.cpus
            runs = options.runs or (1 if clock == "instructions" else 5)
            figures = measure(arch, clock, options.only, runs, cpus)
            key = f"{arch} {clock}" + (f" {cpus} cpus" if cpus > 1 else "")
            report.table(f"{arch}, {clock}, {cpus} CPU, median of {runs}; -cpu {CPU[arch]}, norandmaps", figures)
            report.keep(key, figures)
            if options.record:
                report.record(key, figures)
            dropped += report.regressions(key, figures, by_group=clock == "wall")
    print(*dropped, sep="\n")
    return 1 if dropped else 0


if __name__ == "__main__":
    sys.exit(main())
