#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots Debian's kernel and Cairn with the same initramfs and prints them side by side.

  boot.py [--arch ARCH] [--runs N]

host time: from the start of QEMU to the first line of init; guest time: CLOCK_BOOTTIME there (medians of N boots in turn);
image size; memory that is not free at BusyBox's shell with 128 MiB; the smallest memory that reaches that shell.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test"))
from harness import machine  # noqa: E402

CC = {"x86_64": "gcc", "aarch64": "aarch64-linux-gnu-gcc"}
KERNELS = ("linux", "cairn")
# What the shell runs: enough to know that it works, and to see the books.
SCRIPT = """#!/bin/sh
mount -t proc proc /proc
cat /proc/meminfo
echo shell reached
poweroff -f
"""


def initramfs(arch, name, *words):
    out = os.path.join(machine.BUILD, arch, name)
    machine.tool("tools/mkinitramfs", out, *words)
    return out


def first_initramfs(arch):
    program = os.path.join(machine.BUILD, arch, "bench-first")
    subprocess.run([CC[arch], "-O2", "-static", "-o", program, os.path.join(ROOT, "bench", "first.c")], check=True)
    return initramfs(arch, "bench-first.cpio", "--file", f"init={program}")


def shell_initramfs(arch):
    script = os.path.join(machine.BUILD, arch, "bench-shell")
    with open(script, "w", encoding="utf-8") as out:
        out.write(SCRIPT)
    os.chmod(script, 0o755)
    return initramfs(arch, "bench-shell.cpio", "--busybox", machine.busybox(arch), "--file", f"init={script}")


def time_to_init(arch, which, initrd):
    """(host, guest) seconds."""
    seen = []
    boot = machine.Boot(arch, machine.kernel_image(arch, which), initrd, "quiet panic=-1",
                        on_line=lambda line: seen.append(time.monotonic()) if "init began" in line else None)
    guest = re.search(r"init began at ([\d.]+)", "\n".join(boot.lines))
    if not guest:
        sys.exit("\n".join([f"{which} on {arch} did not reach init:", *boot.tail()]))
    return seen[0] - boot.started, float(guest[1])


def shell_boot(arch, which, initrd, memory):
    """The lines of a boot that reached the shell, or None."""
    boot = machine.Boot(arch, machine.kernel_image(arch, which), initrd, "quiet panic=-1", seconds=60, silence=25,
                        memory=memory)
    return boot.lines if "shell reached" in boot.lines else None


def memory_not_free(arch, which, initrd):
    text = "\n".join(shell_boot(arch, which, initrd, "128M") or [])
    return 128 - int(re.search(r"MemFree:\s+(\d+)", text)[1]) / 1024


def smallest_memory(arch, which, initrd):
    low, high = 1, 128  # MiB: fails, works
    while high - low > 1:
        middle = (low + high) // 2
        if shell_boot(arch, which, initrd, f"{middle}M"):
            high = middle
        else:
            low = middle
    return high


def measure(arch, runs):
    machine.fetch(arch, "busybox-static", "linux")
    first, shell = first_initramfs(arch), shell_initramfs(arch)
    times = [{which: time_to_init(arch, which, first) for which in KERNELS} for _ in range(runs)]

    def median(which, index):
        return statistics.median(run[which][index] for run in times)

    rows = [
        ("host time to init, s", [median(which, 0) for which in KERNELS]),
        ("guest time to init, s", [median(which, 1) for which in KERNELS]),
        ("image size, MiB", [os.path.getsize(os.path.realpath(machine.kernel_image(arch, which))) / 2**20
                             for which in KERNELS]),
        ("not free at the shell (128 MiB), MiB", [memory_not_free(arch, which, shell) for which in KERNELS]),
        ("smallest memory that reaches it, MiB", [smallest_memory(arch, which, shell) for which in KERNELS]),
    ]
    print(f"\n{arch}, median of {runs} boots\n{'':38} {'Linux':>9} {'Cairn':>9} {'ratio':>7}")
    for name, (linux, cairn) in rows:
        print(f"{name:38} {linux:9.3f} {cairn:9.3f} {linux / cairn:7.1f}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--arch", choices=machine.ARCHES, action="append")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    for arch in options.arch or machine.ARCHES:
        measure(arch, options.runs)


if __name__ == "__main__":
    main()
