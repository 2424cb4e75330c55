#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The micro benchmarks on Debian's Linux and on Cairn, side by side.

  micro.py [--arch ARCH] [--clock instructions|wall] [--only NAME] [--runs N] [--cpus N]... [--mitigations off] [--record]

What the clocks are: bench/side.py. Prints a table, keeps JSON and a plot in build/. Status 1 when a ratio is more than 10 %
below the one that is recorded in bench/recorded.json (wall time: the mean of a group, because rows vary).
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "bench"))
import side  # noqa: E402
from side import machine  # noqa: E402


def build(arch):
    """The initramfs: the benchmarks as /init, BusyBox for the shell row, and what Debian's kernel has as a module."""
    out = os.path.join(machine.BUILD, arch, "bench-micro")
    folders = [os.path.join(ROOT, *words) for words in (("bench", "micro"), ("user", "lib"))]
    sources = sorted(os.path.join(f, name) for f in folders for name in os.listdir(f) if name.endswith(".c"))
    subprocess.run([side.CC[arch], "-O2", "-static", "-pthread", "-Wall", "-Wno-unused-result",
                    "-I" + os.path.join(ROOT, "abi", "native"), "-o", out, *sources], check=True)
    machine.fetch(arch, "busybox-static", "linux")
    initrd = out + ".cpio"
    machine.tool("tools/mkinitramfs", initrd, "--file", f"init={out}", "--file", f"bin/busybox={machine.busybox(arch)}",
                 "--file", f"fuse.ko={machine.linux_module(arch, 'fuse')}")
    return initrd


def loads(arch, only):
    return [side.Load(build(arch), words=f"-- {only}" if only else "")]


if __name__ == "__main__":
    sys.exit(side.main(side.parser(__doc__, runs=5).parse_args(), "", loads))
