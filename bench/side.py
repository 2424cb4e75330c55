# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's Linux and Cairn side by side: the same machine, the same initramfs, boots in turn, figures out of the console.

A benchmark is a module with a `build(arch)` and a list of `Load`s; what runs in the guest prints for each row a line
"bench GROUP NAME NANOSECONDS of OPERATIONS" (for one operation; -1 when the kernel cannot do it), and "bench done" at its end.

Clocks. instructions: QEMU counts (-icount, one CPU), so that figures repeat exactly; it does not see TLB flushes or atomics.
wall: the guest's clock under multi-threaded emulation, the median of boots in turn. With 2 CPUs Linux reads the HPET.
With ACCEL=kvm there is only wall, in real cycles.
"""
import argparse
import dataclasses
import os
import statistics
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test"))
sys.path.insert(0, os.path.join(ROOT, "bench"))
from harness import machine  # noqa: E402
import report  # noqa: E402

CLOCKS = ("instructions", "wall")
KERNELS = ("linux", "cairn")
CC = {"x86_64": "gcc", "aarch64": "aarch64-linux-gnu-gcc"}
# Where Linux is not handicapped: with erms it copies by a string instruction that emulation runs byte by byte.
CPU = {"x86_64": "max,la57=off,erms=off,fsrm=off", "aarch64": "max,pauth=off"}
# Address randomisation off: emulation keys its translations by address.
WORDS = "quiet norandmaps panic=-1"


@dataclasses.dataclass
class Load:
    """Something to boot. `words`: more for the kernel's command line; `extra`: more for QEMU (disks)."""
    initrd: str
    words: str = ""
    memory: str = "256M"
    extra: tuple = ()


def parser(description, runs):
    """The options that all benchmarks share."""
    options = argparse.ArgumentParser(usage=description.replace("%", "%%"))
    options.add_argument("--arch", choices=machine.ARCHES, action="append")
    options.add_argument("--clock", choices=CLOCKS, action="append")
    options.add_argument("--only", default="", help="the name of one row, or of a group of rows")
    options.add_argument("--runs", type=int, default=runs, help="pairs of boots of the wall clock")
    options.add_argument("--cpus", type=int, action="append", help="of the wall clock; 1 and then 2 unless told")
    options.add_argument("--mitigations", choices=("default", "off"), default="default")
    options.add_argument("--record", action="store_true", help="make today's ratios the recorded ones")
    return options


def run(arch, which, load, clock, cpus):
    """Nanoseconds by (group, name)."""
    count = ("-icount", "shift=0,sleep=off") if clock == "instructions" else ()
    boot = machine.Boot(arch, machine.kernel_image(arch, which), load.initrd, f"{WORDS} {load.words}", seconds=900,
                        silence=300, extra=(*count, *load.extra), model=CPU[arch], cpus=cpus, memory=load.memory)
    print(f"{which} on {arch}, {clock}: {os.path.basename(load.initrd)} in {boot.seconds:.0f} s", file=sys.stderr, flush=True)
    figures = {}
    for line in boot.lines:
        words = line.split()
        if len(words) == 6 and words[0] == "bench":
            figures[words[1], words[2]] = float(words[3])
            if float(words[3]) < 0:
                print(f"{which} on {arch} cannot do {words[2]}", file=sys.stderr)
        elif line.startswith("failed: "):
            print(f"{which} on {arch}: {line}", file=sys.stderr)
    if not any(line.startswith("bench done") for line in boot.lines):
        print(f"{which} on {arch} did not finish ({boot.end}):", *boot.tail(), sep="\n  ", file=sys.stderr)
    return figures


def measure(arch, loads, clock, runs, cpus):
    """The figures of one architecture: boots of the two kernels in turn, medians; `spread`: of the ratios, largest by least."""
    pairs = []
    for _ in range(runs):
        pair = ({}, {})
        for load in loads:
            for which, figures in zip(KERNELS, pair):
                figures.update(run(arch, which, load, clock, cpus))
        pairs.append(pair)
    rows = []
    for group, name in pairs[0][0]:
        both = [[pair[index].get((group, name), -1) for pair in pairs] for index in range(2)]
        ratios = [linux / cairn for linux, cairn in zip(*both) if linux > 0 and cairn > 0]
        rows.append({"group": group, "name": name, "unit": "instructions" if clock == "instructions" else "ns",
                     "linux": statistics.median(both[0]), "cairn": statistics.median(both[1]),
                     "spread": max(ratios) / min(ratios) if ratios else None})
    return rows


def clocks(options):
    """(clock, CPUs, pairs of boots) that the options want."""
    for clock in options.clock or CLOCKS:
        if clock == "wall":
            for cpus in options.cpus or (1, 2):
                yield clock, cpus, options.runs
        elif not os.environ.get("ACCEL"):
            yield clock, 1, 1


def main(options, kind, build):
    """Measures and prints what the options want; build(arch, only) gives the loads. 1 when a recorded ratio has dropped."""
    dropped = []
    for arch in options.arch or machine.ARCHES:
        loads = build(arch, options.only)
        if options.mitigations == "off":
            loads = [dataclasses.replace(load, words=f"mitigations=off {load.words}") for load in loads]
        for clock, cpus, runs in clocks(options):
            figures = measure(arch, loads, clock, runs, cpus)
            key = " ".join(word for word in (arch, clock, kind, f"{cpus} cpus" if cpus > 1 else "",
                                             "mitigations=off" if options.mitigations == "off" else "",
                                             os.environ.get("ACCEL", "")) if word)
            report.table(f"{key}: {cpus} CPU, median of {runs}; {machine.qemu.cpu(arch, CPU[arch])}, norandmaps", figures)
            report.keep(key, figures)
            if options.record:
                report.record(key, figures)
            dropped += report.regressions(key, figures, by_group=clock == "wall")
    print(*dropped, sep="\n")
    return 1 if dropped else 0
