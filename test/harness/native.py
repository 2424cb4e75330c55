# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of Cairn's own calls: programs like those of the guest layer, linked with user/lib, that no other kernel can run."""
import os

from harness import guest, machine
from harness.machine import ROOT, kernel_image

NATIVE = os.path.join(ROOT, "test", "native")
LIBRARY = os.path.join(ROOT, "user", "lib")
INCLUDE = (guest.GUEST, os.path.join(ROOT, "abi", "native"))


def jobs(arches, only):
    if machine.under_test == "cairn":
        for arch in arches:
            yield f"native/{arch}", lambda report, arch=arch: run(report, arch, only)


def sources_in(folder):
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".c")]


def build(arch):
    tests = [(path, os.path.basename(path)[:-2]) for path in sources_in(NATIVE)]
    library = [(path, "library") for path in sources_in(LIBRARY)]
    return guest.build_from(arch, "native", [(os.path.join(guest.GUEST, "main.c"), "main"), *tests, *library], INCLUDE)


def run(report, arch, only):
    results = guest.run_tests(arch, kernel_image(arch), build(arch), only)
    if not results:
        report.result(f"native/{arch}", False, ["no test ran"])
    for name, (passed, reasons) in results.items():
        report.result(f"native/{arch}/{name}", passed, reasons)
