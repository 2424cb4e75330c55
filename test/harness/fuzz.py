# SPDX-License-Identifier: GPL-2.0-or-later
"""The system call fuzzer (test/fuzz) on the sanitizer build with four CPUs: no panic, no hang, no leak.

A panic names the cell that ran; the kernel's command line "-- seed=N" begins with it. FUZZ_SECONDS in the environment
makes the run longer than the default.
"""
import os

from harness.guest import CFLAGS, COMPILER
from harness.machine import BUILD, ROOT, Boot, build_variant, qemu, tool

SECONDS = int(os.environ.get("FUZZ_SECONDS", "20"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))


def jobs(arches, only):
    for arch in arches:
        yield f"fuzz/{arch}", lambda report, arch=arch: run(report, arch)


def build(arch):
    out = os.path.join(BUILD, "fuzz", arch)
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "grammar.h"), "w", encoding="utf-8") as grammar:
        grammar.write(tool("tools/syscalls.py", "fuzz", arch))
    folder = os.path.join(ROOT, "test", "fuzz")
    tool(COMPILER[arch], *CFLAGS, f"-I{out}", "-o", os.path.join(out, "init"), os.path.join(folder, "fuzz.c"),
         os.path.join(folder, "cell.c"))
    initrd = os.path.join(out, "initramfs.cpio")
    tool("tools/mkinitramfs", initrd, "--file", f"init={os.path.join(out, 'init')}")
    return initrd


def run(report, arch):
    build_variant(arch, "sanitize")
    boot = Boot(arch, qemu.cairn(arch, "sanitize"), build(arch), f"quiet panic=-1 -- seconds={SECONDS} seed={SEED}", cpus=4,
                memory="512M", seconds=SECONDS + 120, silence=45)
    text = [line for line in boot.lines if line.startswith("fuzz:")]
    passed = "fuzz done" in boot.lines
    report.result(f"fuzz/{arch}", passed, [*text, f"the machine {boot.end}", *boot.tail(400 if boot.end == 'silent' else 50)])
    for line in text:
        report.note(f"fuzz/{arch}: {line[:300]}")
