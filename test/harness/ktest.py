# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests that run inside the kernel (foo_ktest.c): a debug build with ktest= on its command line."""
import re

from harness.machine import Boot, build_variant, qemu

# Layer of results, processors, build; the sanitizer build has these tests too.
LAYERS = (("ktest", 1, "ktest"), ("ktest-smp4", 4, "ktest"), ("ktest-sanitize", 4, "sanitize"))
LINE = re.compile(r"ktest: \S+: (\S+) (ok|FAILED)$")
END = re.compile(r"ktest: \d+ passed, \d+ failed")


def jobs(arches, only):
    for arch in arches:
        yield f"ktest/{arch}", lambda report, arch=arch: run(report, arch, only or "all")


def run(report, arch, only):
    for layer, cpus, variant in LAYERS:
        build_variant(arch, variant)
        run_once(report, arch, only, cpus, f"{layer}/{arch}", qemu.cairn(arch, variant))


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
