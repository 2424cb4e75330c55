# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests that run inside the kernel (foo_ktest.c): a debug build with ktest= on its command line."""
import os
import re

from harness.machine import BUILD, Boot, qemu, tool

LINE = re.compile(r"ktest: \S+: (\S+) (ok|FAILED)$")
END = re.compile(r"ktest: \d+ passed, \d+ failed")


def jobs(arches, only):
    for arch in arches:
        yield f"ktest/{arch}", lambda report, arch=arch: run(report, arch, only or "all")


def run(report, arch, only):
    tool("make", "--no-print-directory", "-j2", f"ARCH={arch}", "KTEST=1")
    image = os.path.join(BUILD, f"{arch}-ktest", qemu.IMAGE[arch])
    for cpus, name in ((1, f"ktest/{arch}"), (4, f"ktest-smp4/{arch}")):
        run_once(report, arch, only, cpus, name, image)


def run_once(report, arch, only, cpus, name, image):
    boot = Boot(arch, image, append=f"ktest={only} panic=-1", seconds=120, silence=40, cpus=cpus)
    reasons, ended = [], False
    for line in boot.lines:
        match = LINE.search(line)
        ended = ended or bool(END.search(line))
        if match:
            report.result(f"{name}/{match[1]}", match[2] == "ok", reasons[-30:])
            reasons = []
        else:
            reasons.append(line)
    if not ended:
        report.result(f"{name}/end", False, [f"the machine {boot.end} before the end", *boot.tail(40)])
