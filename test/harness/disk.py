# SPDX-License-Identifier: GPL-2.0-or-later
"""A partitioned disk used from BusyBox's shell."""
import os
import struct
import tempfile

import pexpect

from harness.machine import Shell, kernel_image, qemu, shell_initramfs

MIB = 1 << 20


def jobs(arches, only):
    for arch in arches:
        yield f"disk/{arch}", lambda report, arch=arch: run(report, arch, only)


def make_disk(path):
    """64 MiB with two partitions; each begins with its name."""
    with open(path, "wb") as file:
        file.truncate(64 * MIB)
        entries = b""
        for start, sectors in ((2048, 32768), (34816, 65536)):
            entries += struct.pack("<B3sB3sII", 0, b"\0\0\0", 0x83, b"\0\0\0", start, sectors)
        file.seek(446)
        file.write(entries + bytes(32) + b"\x55\xaa")
        for number, start in ((1, 2048), (2, 34816)):
            file.seek(start * 512)
            file.write(f"partition {number}\n".encode())


# (name, command, what its output must contain)
STEPS = (
    ("partitions_are_found", "cat /proc/partitions", "32768 vda2"),
    ("first_partition_is_read", "head -n 1 /dev/vda1", "partition 1"),
    ("second_partition_is_read", "head -n 1 /dev/vda2", "partition 2"),
    ("sizes_are_told", "blockdev --getsize64 /dev/vda1; blockdev --getss /dev/vda", "16777216"),
    ("whole_disk_is_read", "dd if=/dev/vda of=/dev/null bs=1M 2>&1", "64+0 records in"),
    ("writes_come_back",
     "dd if=/dev/urandom of=/tmp/r bs=64k count=64 2>/dev/null; dd if=/tmp/r of=/dev/vda2 bs=64k 2>/dev/null; sync; "
     "echo 1 > /proc/sys/vm/drop_caches 2>/dev/null; head -c 4194304 /dev/vda2 | cmp - /tmp/r && echo same", "same"),
    ("direct_reads_see_writes",
     "dd if=/dev/vda2 of=/tmp/d bs=64k count=64 iflag=direct 2>/dev/null; cmp /tmp/d /tmp/r && echo same", "same"),
    ("direct_writes_are_seen",
     "dd if=/tmp/r of=/dev/vda1 bs=64k count=16 oflag=direct 2>/dev/null; head -c 1048576 /dev/vda1 > /tmp/d; "
     "head -c 1048576 /tmp/r | cmp - /tmp/d && echo same", "same"),
    ("end_of_disk_is_no_space", "dd if=/dev/zero of=/dev/vda1 bs=1M 2>&1 | tail -n 3", "No space left on device"),
)


def raw_disk(report, arch, only):
    initrd = shell_initramfs(arch)
    with tempfile.TemporaryDirectory() as directory:
        image = os.path.join(directory, "disk")
        make_disk(image)
        with Shell(arch, kernel_image(arch), initrd, "panic=-1", extra=qemu.disks([image])) as shell:
            shell.wait_for_shell()
            for name, command, wanted in STEPS:
                if not name.startswith(only or ""):
                    continue
                try:
                    output = shell.run(command)
                    report.result(f"disk/{arch}/{name}", wanted in output, output.splitlines()[-10:])
                except pexpect.ExceptionPexpect:
                    report.result(f"disk/{arch}/{name}", False, str(shell.child.before).splitlines()[-20:])
                    return


def run(report, arch, only):
    raw_disk(report, arch, only)
