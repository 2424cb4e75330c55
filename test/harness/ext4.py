# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux programs on an ext4 disk, first under Debian's kernel, then under this one; then e2fsck finds nothing."""
import os
import subprocess
import tempfile

from harness import guest
from harness.machine import BUILD, ROOT, disk_module_words, fetch, kernel_image, qemu
from harness.power import fsck

TESTS = os.path.join(ROOT, "test", "ext4")
SIZE = "128M"


def jobs(arches, only):
    for arch in arches:
        yield f"ext4/{arch}", lambda report, arch=arch: run(report, arch, only)


def build(arch):
    tests = [(os.path.join(TESTS, name), "ext4") for name in sorted(os.listdir(TESTS)) if name.endswith(".c")]
    return guest.build_from(arch, "ext4", [(os.path.join(guest.GUEST, "main.c"), "main"), *tests], (guest.GUEST, TESTS),
                            disk_module_words(arch))


def tests_on(arch, which, initrd, only):
    """The results of the tests and of e2fsck on a new disk."""
    with tempfile.TemporaryDirectory(dir=BUILD) as directory:
        disk = os.path.join(directory, "disk")
        with open(disk, "wb"):
            pass
        subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", disk, SIZE], check=True)
        results = guest.run_tests(arch, kernel_image(arch, which), initrd, only,
                                  extra=tuple(qemu.disks([disk], ",cache=unsafe,discard=unmap")))
        results["ext4.e2fsck_finds_nothing"] = fsck(disk)
    return results


def run(report, arch, only):
    fetch(arch, "linux")
    initrd = build(arch)
    linux = tests_on(arch, "linux", initrd, only)
    cairn = tests_on(arch, "cairn", initrd, only)
    for name, (on_linux, reasons) in linux.items():
        passed, here = cairn.get(name, (False, ["did not run"]))
        if not on_linux:
            here = ["broken test: fails on Linux", *reasons]
        report.result(f"ext4/{arch}/{name}", on_linux and passed, here)
