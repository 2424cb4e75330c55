#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The micro benchmarks on Debian's Linux and on Cairn, side by side.

  micro.py [--arch ARCH] [--clock instructions|wall] [--only NAME] [--runs N]

instructions: QEMU counts (-icount, one CPU), so that figures repeat exactly; it does not see TLB flushes or atomics.
wall: the guest's clock, boots of the two kernels in turn, the median of N.
Prints a table; ratio above 1: Cairn is faster. The same as JSON in build/bench-ARCH-CLOCK.json.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test"))
from harness import machine  # noqa: E402

CC = {"x86_64": "gcc", "aarch64": "aarch64-linux-gnu-gcc"}
# Where Linux is not handicapped: with erms it copies by a string instruction that emulation runs byte by byte.
CPU = {"x86_64": "max,la57=off,erms=off,fsrm=off", "aarch64": "max,pauth=off"}


def build(arch):
    """The initramfs: the benchmarks as /init, and BusyBox for the shell row."""
    out = os.path.join(machine.BUILD, arch, "bench-micro")
    folder = os.path.join(ROOT, "bench", "micro")
    sources = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".c"))
    subprocess.run([CC[arch], "-O2", "-static", "-pthread", "-Wall", "-Wno-unused-result", "-o", out, *sources], check=True)
    machine.fetch(arch, "busybox-static", "linux")
    initrd = out + ".cpio"
    machine.tool("tools/mkinitramfs", initrd, "--file", f"init={out}", "--file", f"bin/busybox={machine.busybox(arch)}")
    return initrd


def run(arch, which, initrd, clock, only):
    """Nanoseconds by (group, name)."""
    extra = ("-icount", "shift=0,sleep=off") if clock == "instructions" else ()
    append = "quiet norandmaps panic=-1" + (f" -- {only}" if only else "")
    boot = machine.Boot(arch, machine.kernel_image(arch, which), initrd, append, seconds=900, silence=300, extra=extra,
                        cpu=CPU[arch])
    figures = {}
    for line in boot.lines:
        words = line.split()
        if len(words) == 4 and words[0] == "bench":
            figures[words[1], words[2]] = float(words[3])
    if not any(line.startswith("bench done") for line in boot.lines):
        print(f"{which} on {arch} did not finish ({boot.end}):", *boot.tail(), sep="\n  ", file=sys.stderr)
    return figures


def median(runs):
    return {key: statistics.median(figures.get(key, -1) for figures in runs) for key in runs[0]}


def table(arch, clock, linux, cairn):
    unit = "instructions" if clock == "instructions" else "ns"
    print(f"\n{arch}, {unit} per operation, -cpu {CPU[arch]}, norandmaps")
    print(f"{'':30} {'Linux':>12} {'Cairn':>12} {'ratio':>7}")
    groups = {}
    for key, theirs in linux.items():
        ours = cairn.get(key, -1)
        ratio = theirs / ours if ours > 0 and theirs > 0 else None
        if ratio:
            groups.setdefault(key[0], []).append(ratio)
        print(f"{key[0]:8} {key[1]:21} {theirs:12.1f} {ours:12.1f} {ratio and format(ratio, '7.2f') or '      -'}")
    for group, ratios in (*groups.items(), ("all", [r for ratios in groups.values() for r in ratios])):
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"{group:8} {'geometric mean':21} {'':12} {'':12} {mean:7.2f}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--arch", choices=machine.ARCHES, action="append")
    parser.add_argument("--clock", choices=("instructions", "wall"), default="instructions")
    parser.add_argument("--only", default="")
    parser.add_argument("--runs", type=int)
    options = parser.parse_args()
    runs = options.runs or (1 if options.clock == "instructions" else 5)
    for arch in options.arch or machine.ARCHES:
        initrd = build(arch)
        pairs = [[run(arch, which, initrd, options.clock, options.only) for which in ("linux", "cairn")]
                 for _ in range(runs)]
        linux, cairn = (median([pair[i] for pair in pairs]) for i in (0, 1))
        table(arch, options.clock, linux, cairn)
        with open(os.path.join(machine.BUILD, f"bench-{arch}-{options.clock}.json"), "w", encoding="utf-8") as out:
            json.dump([{"group": g, "name": m, "linux": v, "cairn": cairn.get((g, m), -1)} for (g, m), v in linux.items()],
                      out, indent=1)


if __name__ == "__main__":
    main()
