# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of Cairn's own calls: programs like those of the guest layer, linked with user/lib, that no other kernel can run.

Those of test/native/failures make allocations fail, which the sanitizer build can.
"""
import os

from harness import guest, machine
from harness.machine import ROOT, build_variant, kernel_image

NATIVE = os.path.join(ROOT, "test", "native")
FAILURES = os.path.join(NATIVE, "failures")
LIBRARY = os.path.join(ROOT, "user", "lib")
INCLUDE = (guest.GUEST, os.path.join(ROOT, "abi", "native"))


def jobs(arches, only):
    if machine.under_test == "cairn":
        for arch in arches:
            yield f"native/{arch}", lambda report, arch=arch: run(report, arch, "native", NATIVE, "", only)
            yield f"native-sanitize/{arch}", lambda report, arch=arch: run(report, arch, "native-sanitize", FAILURES, "sanitize", only)


def sources_in(folder):
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".c")]


def areas(folder):
    return [os.path.basename(path)[:-2] for path in sources_in(folder)]


def build(arch, layer="native", folder=NATIVE):
    tests = list(zip(sources_in(folder), areas(folder)))
    library = [(path, "library") for path in sources_in(LIBRARY)]
    return guest.build_from(arch, layer, [(os.path.join(guest.GUEST, "main.c"), "main"), *tests, *library], INCLUDE)


def run(report, arch, layer, folder, variant, only):
    if only and not any(only.startswith(area) or area.startswith(only) for area in areas(folder)):
        return
    if variant:
        build_variant(arch, variant)
    results = guest.run_tests(arch, kernel_image(arch, variant=variant), build(arch, layer, folder), only)
    if not results:
        report.result(f"{layer}/{arch}", False, ["no test ran"])
    for name, (passed, reasons) in results.items():
        report.result(f"{layer}/{arch}/{name}", passed, reasons)
