#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the instructions of one benchmark go, by function of the kernel: a row of bench/micro, bench/programs or bench/disk.

  profile.py NAME [--arch ARCH] [--lines N]

Counts every executed block of the guest (bench/profile.c), once with the benchmark and once without, and prints the
difference: instructions for one operation, their share, and calls, by function. User mode is one line. Of a program: of the whole row.
"""
import argparse
import bisect
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "bench"))
import disk  # noqa: E402
import micro  # noqa: E402
import programs  # noqa: E402
import side  # noqa: E402
from side import machine  # noqa: E402

KERNEL_HALF = 1 << 63


def build_plugin():
    out = os.path.join(machine.BUILD, "profile.so")
    subprocess.run(["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-fvisibility=hidden", "-o", out,
                    os.path.join(ROOT, "bench", "profile.c")], check=True)
    return out


def count(arch, plugin, load):
    """{(address, instructions): executions} of a boot that runs the load, and the operations that it did."""
    out = os.path.join(machine.BUILD, f"profile-{arch}.txt")
    boot = machine.Boot(arch, machine.kernel_image(arch), load.initrd, f"{side.WORDS} {load.words}", seconds=300, silence=200,
                        extra=("-icount", "shift=0,sleep=off", "-plugin", f"{plugin},out={out}", *load.extra), model=side.CPU[arch],
                        memory=load.memory)
    operations = 0
    for line in boot.lines:
        match = re.fullmatch(r"bench \S+ \S+ \S+ of (\d+)", line)
        operations = int(match[1]) if match else operations
    blocks = {}
    with open(out, encoding="ascii") as lines:
        for line in lines:
            address, instructions, executions = line.split()
            blocks[int(address, 16), int(instructions)] = int(executions)
    return blocks, operations


def functions(arch):
    """Sorted addresses of the kernel's functions, and their names."""
    text = subprocess.run(["llvm-nm-22", "--defined-only", os.path.join(machine.BUILD, arch, "cairn.elf")],
                          capture_output=True, text=True, check=True).stdout
    symbols = sorted((int(words[0], 16), words[2]) for words in map(str.split, text.splitlines())
                     if words[1] in "tTwW" and not words[2].startswith((".", "$")))
    return [address for address, _ in symbols], [name for _, name in symbols]


def loads(arch, name):
    """What runs the benchmark, and what runs without it."""
    for load, (_, memory) in programs.LOADS.items():
        if name in programs.names_in(load):
            initrd = programs.initramfs(arch, load)
            return [side.Load(initrd, words=f"only={name}{idle}", memory=memory) for idle in ("", " idle=1")]
    if name in disk.names():
        return disk.build(arch, name) + disk.build(arch, "none")
    initrd = micro.build(arch)
    return [side.Load(initrd, words=f"-- {only}") for only in (name, "none")]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("name")
    parser.add_argument("--arch", choices=machine.ARCHES, default="x86_64")
    parser.add_argument("--lines", type=int, default=40)
    options = parser.parse_args()
    arch, plugin = options.arch, build_plugin()
    with_it, without = loads(arch, options.name)
    blocks, operations = count(arch, plugin, with_it)
    if not operations:
        sys.exit(f"profile.py: no benchmark {options.name}, or it failed")
    idle, _ = count(arch, plugin, without)
    addresses, names = functions(arch)
    spent, calls, entries = {}, {}, set(addresses)
    for (address, instructions), executions in blocks.items():
        more = executions - idle.get((address, instructions), 0)
        where = names[bisect.bisect(addresses, address) - 1] if address >= KERNEL_HALF else "(user mode)"
        spent[where] = spent.get(where, 0) + instructions * more
        if address in entries:
            calls[where] = calls.get(where, 0) + more
    total = sum(spent.values())
    print(f"{options.name} on {arch}: {total / operations:.1f} instructions for one operation, {operations} operations")
    for where, n in sorted(spent.items(), key=lambda item: -item[1])[:options.lines]:
        if n < 0.0005 * total:
            break
        print(f"{n / operations:12.1f} {100 * n / total:6.1f} % {calls.get(where, 0) / operations:8.2f}  {where}")


if __name__ == "__main__":
    main()
