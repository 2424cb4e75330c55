# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux programs on ext4 disks, those of the guest tests about names, opening and access lists among them; first under Debian's kernel, then under this one; then e2fsck finds nothing."""
import os
import subprocess
import tempfile

from harness import guest
from harness.machine import BUILD, ROOT, disk_module_words, fetch, kernel_image, linux_module, qemu
from harness.power import fsck

TESTS = os.path.join(ROOT, "test", "ext4")
SIZE = "128M"
SPARE = 10 << 20  # the second disk is larger than its file system
ELSEWHERE = (("vfs", "acl.c"), ("vfs", "handles.c"), ("files", "names.c"), ("files", "open.c"))  # guest tests that a disk passes as well


def jobs(arches, only):
    for arch in arches:
        yield f"ext4/{arch}", lambda report, arch=arch: run(report, arch, only)


def build(arch):
    tests = [(os.path.join(TESTS, name), "ext4") for name in sorted(os.listdir(TESTS)) if name.endswith(".c")]
    tests += [(os.path.join(guest.GUEST, area, name), area) for area, name in ELSEWHERE]
    return guest.build_from(arch, "ext4", [(os.path.join(guest.GUEST, "main.c"), "main"), *tests], (guest.GUEST, TESTS),
                            [*disk_module_words(arch), "--file", f"modules/loop.ko={linux_module(arch, 'loop')}"])


def tests_on(arch, which, initrd, only):
    """The results of the tests and of e2fsck on two new disks; files of the second may lie in their inodes."""
    with tempfile.TemporaryDirectory(dir=BUILD) as directory:
        disk, second = os.path.join(directory, "disk"), os.path.join(directory, "second")
        subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", disk, SIZE], check=True)
        subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", "inline_data", second, "8M"], check=True)
        os.truncate(second, SPARE)
        results = guest.run_tests(arch, kernel_image(arch, which), initrd, only,
                                  extra=tuple(qemu.disks([disk, second], ",cache=unsafe,discard=unmap")))
        results["ext4.e2fsck_finds_nothing"] = fsck(disk)
        results["ext4.e2fsck_finds_nothing_in_the_second"] = fsck(second)
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
