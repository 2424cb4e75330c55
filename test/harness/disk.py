# SPDX-License-Identifier: GPL-2.0-or-later
"""A partitioned disk used from BusyBox's shell."""
import os
import re
import struct
import subprocess
import tempfile

import pexpect

from harness import hostile
from harness.machine import Shell, kernel_image, qemu, shell_initramfs

MIB = 1 << 20


def jobs(arches, only):
    for arch in arches:
        yield f"disk/{arch}", lambda report, arch=arch: run(report, arch, only)


def damaged_file_system(path):
    """An ext4 whose directory "many" has a block with a broken entry between good ones, and whose "a/b/up" is "a" again."""
    commands = ["mkdir many", *(f"write /dev/null many/a-name-that-fills-blocks-{number:03}" for number in range(120)), "mkdir a",
                "mkdir a/b", "ln a a/b/up"]
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^metadata_csum,^dir_index", path, "2048"], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["debugfs", "-w", "-f", "-", path], input="\n".join(commands) + "\n", check=True, text=True, capture_output=True)
    blocks = subprocess.run(["debugfs", "-R", "blocks many", path], check=True, capture_output=True, text=True).stdout.split()
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[int(blocks[2]) * 1024 + 4:int(blocks[2]) * 1024 + 6] = bytes(2)  # the length of an entry
    return data


def make_disk(path):
    """64 MiB with two partitions, each beginning with its name, and one with a damaged ext4."""
    with open(path, "wb") as file:
        file.truncate(64 * MIB)
        entries = b""
        for start, sectors in ((2048, 32768), (34816, 65536), (100352, 4096)):
            entries += struct.pack("<B3sB3sII", 0, b"\0\0\0", 0x83, b"\0\0\0", start, sectors)
        file.seek(446)
        file.write(entries + bytes(16) + b"\x55\xaa")
        for number, start in ((1, 2048), (2, 34816)):
            file.seek(start * 512)
            file.write(f"partition {number}\n".encode())
        file.seek(100352 * 512)
        file.write(damaged_file_system(path + ".ext4"))


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
    ("names_around_a_damaged_block_are_listed", "mkdir -p /mnt; mount -t ext4 -o ro /dev/vda3 /mnt; cd /mnt/many; "
     "ls > /dev/null 2>&1; set -- *; cd /; echo $1 to $(eval echo \\${$#})", "blocks-000 to a-name-that-fills-blocks-119"),
    ("directory_below_itself_is_no_circle", "ls /mnt/a/b/up 2>&1; find /mnt/a 2> /dev/null | wc -l; umount /mnt", "symbolic links\n2"),
    ("end_of_disk_is_no_space", "dd if=/dev/zero of=/dev/vda1 bs=1M 2>&1 | tail -n 3", "No space left on device"),
)


def type_steps(report, arch, shell, steps, only):
    for name, command, wanted in steps:
        if not name.startswith(only or ""):
            continue
        try:
            output = shell.run(command)
            report.result(f"disk/{arch}/{name}", wanted in output, output.splitlines()[-10:])
        except pexpect.ExceptionPexpect:
            report.result(f"disk/{arch}/{name}", False, str(shell.child.before).splitlines()[-20:])
            return


def raw_disk(report, arch, only):
    initrd = shell_initramfs(arch)
    with tempfile.TemporaryDirectory() as directory:
        image = os.path.join(directory, "disk")
        make_disk(image)
        with Shell(arch, kernel_image(arch), initrd, "panic=-1", extra=qemu.disks([image])) as shell:
            shell.wait_for_shell()
            type_steps(report, arch, shell, STEPS, only)


FAULTY = 16 << 11  # sector 32768 and on: what QEMU's blkdebug lets fail


def drive(name, image, *options, rules=(), device="virtio-blk-pci"):
    """The words for one disk; `rules`: what fails, as options of blkdebug's inject-error."""
    layers = f"driver=raw,node-name={name}," + ",".join(("discard=unmap", *(o for o in options if "=" in o)))
    if not rules:
        layers += f",file.driver=file,file.filename={image}"
    else:
        layers += f",file.driver=blkdebug,file.image.driver=file,file.image.filename={image}"
        for number, rule in enumerate(rules):
            layers += "".join(f",file.inject-error.{number}.{word}" for word in ("event=none", "errno=5", *rule))
    return ["-blockdev", layers, "-device", ",".join((f"{device},drive={name}", *(o for o in options if "=" not in o)))]


def special_disks(directory, arch):
    """vda read-only; vdb discards; vdc fails where blkdebug says; vdd cannot flush; vde is slow beyond patience; vdf is an ext4 whose
    journal cannot be written all through; vdg is an ext4; vdh is behind memory-mapped registers (where the machine has them)."""
    images = [os.path.join(directory, f"disk{number}") for number in range(8)]
    for number, image in enumerate(images):
        with open(image, "wb") as file:
            file.write(f"image {number}\n".encode())
            file.write(b"x" * (2 * MIB))
            file.truncate((8 if number == 6 else 32) * MIB)
    for image, block in ((images[5], "4096"), (images[6], "1024")):
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", block, image], check=True, stdout=subprocess.DEVNULL)
    journal = subprocess.run(["debugfs", "-R", "blocks <8>", images[5]], check=True, capture_output=True, text=True).stdout.split()
    words = [*drive("a", images[0], "read-only=on"), *drive("b", images[1]),
             *drive("c", images[2], rules=(("iotype=write", f"sector={FAULTY}"), ("iotype=read", f"sector={FAULTY + 2048}"))),
             *drive("d", images[3], rules=(("iotype=flush",),)),
             "-object", "throttle-group,id=slow,x-bps-total=20000,x-bps-total-max=400000",
             "-blockdev", f"driver=throttle,node-name=e,throttle-group=slow,file.driver=file,file.filename={images[4]}",
             "-device", "virtio-blk-pci,drive=e",
             *drive("f", images[5], rules=(("iotype=write", f"sector={int(journal[12]) * 8}"),)), *drive("g", images[6])]
    if arch == "aarch64":
        words += drive("h", images[7], device="virtio-blk-device")
    return images, words


def numbered(command, arch):
    """The command with the names that this machine gives: where there are memory-mapped devices, they come first."""
    if arch != "aarch64":
        return command
    return re.sub(r"\b(vd)([a-h])", lambda found: found[1] + ("a" if found[2] == "h" else chr(ord(found[2]) + 1)), command)


# The same for special_disks, with four processors.
SPECIAL = (
    ("read_only_disk_is_read", "head -n 1 /dev/vda; blockdev --getro /dev/vda", "image 0\n1"),
    ("read_only_disk_is_not_written", "dd if=/dev/zero of=/dev/vda bs=512 count=1 2>&1", "not permitted"),
    ("discarded_range_is_read", "blkdiscard -o 1048576 -l 1048576 /dev/vdb; echo $?; dd if=/dev/vdb bs=1M skip=1 count=1 "
     "iflag=direct 2>/dev/null | tr -d '\\000' | wc -c", "0\n0"),
    ("failing_write_is_told", "dd if=/dev/zero of=/dev/vdc bs=4096 seek=4096 count=1 conv=fsync 2>&1", "utput error"),
    ("failing_write_is_told_once", "dd if=/dev/zero of=/dev/vdc bs=4096 seek=1 count=1 conv=fsync 2>/dev/null; echo status $?", "status 0"),
    ("failing_direct_write_is_told", "dd if=/dev/zero of=/dev/vdc bs=4096 seek=4096 count=1 oflag=direct 2>&1", "utput error"),
    ("failing_read_is_told", "dd if=/dev/vdc of=/dev/null bs=4096 skip=4352 count=1 2>&1", "utput error"),
    ("reads_beside_it_work", "dd if=/dev/vdc of=/dev/null bs=4096 skip=4400 count=8 2>&1", "8+0 records in"),
    ("failing_flush_is_told", "dd if=/dev/zero of=/dev/vdd bs=4096 count=1 conv=fsync 2>&1", "utput error"),
    ("processors_write_side_by_side", "for i in 1 2 3 4; do dd if=/dev/zero of=/dev/vdb bs=64k seek=$((i*100)) count=32 oflag=direct "
     "2>/dev/null && echo done$i & done; wait", "done"),
    ("device_that_does_not_answer_is_given_up", "dd if=/dev/vde of=/dev/null bs=1M count=2 iflag=direct 2>&1", "utput error"),
    ("and_stays_so", "dd if=/dev/vde of=/dev/null bs=4k skip=4000 count=1 2>&1", "utput error"),
    ("loop_device_on_a_file", "dd if=/dev/zero of=/tmp/f bs=1M count=4 2>/dev/null; losetup /dev/loop0 /tmp/f && losetup /dev/loop0; "
     "echo here | dd of=/dev/loop0 conv=fsync 2>/dev/null; head -n 1 /tmp/f; losetup -d /dev/loop0", "here"),
    ("ram_disk_keeps_what_is_written", "dd if=/dev/urandom of=/tmp/r bs=64k count=16 2>/dev/null; cat /tmp/r > /dev/ram0; "
     "head -c 1048576 /dev/ram0 | cmp - /tmp/r && echo same", "same"),
    ("failing_journal_makes_it_read_only", "mkdir -p /mnt; mount -t ext4 -o errors=remount-ro /dev/vdf /mnt; for i in 1 2 3 4 5 6 7 8; do "
     "echo $i > /mnt/$i; sync; done 2>/dev/null; touch /mnt/x 2>&1; grep -c '/mnt ext4 ro' /proc/mounts; umount /mnt",
     "Read-only file system\n1"),
    ("full_file_system_keeps_what_was_acknowledged", "mkdir -p /mnt; mount -t ext4 /dev/vdg /mnt; "
     "dd if=/dev/urandom of=/tmp/r bs=64k count=16 2>/dev/null; dd if=/tmp/r of=/mnt/kept bs=64k conv=fsync 2>/dev/null; "
     "dd if=/dev/urandom of=/tmp/much bs=64k count=160 2>/dev/null; dd if=/tmp/much of=/mnt/full bs=64k 2>&1 | grep -o 'No space'; "
     "n=$(wc -c < /mnt/full); umount /mnt; mount -t ext4 /dev/vdg /mnt; truncate -s $n /tmp/much; cmp /tmp/much /mnt/full && "
     "cmp /tmp/r /mnt/kept && echo whole; umount /mnt",
     "No space\nwhole"),
)


def special(report, arch, only):
    initrd = shell_initramfs(arch)
    with tempfile.TemporaryDirectory() as directory:
        _, words = special_disks(directory, arch)
        steps = [(name, numbered(command, arch), wanted) for name, command, wanted in SPECIAL]
        if arch == "aarch64":
            steps.append(("disk_behind_memory_mapped_registers",
                          numbered("head -n 1 /dev/vdh; dd if=/dev/zero of=/dev/vdh bs=1M count=4 conv=fsync 2>/dev/null; "
                                   "echo status $?", arch), "image 7\nstatus 0"))
        with Shell(arch, kernel_image(arch), initrd, "panic=-1 virtio_blk.timeout=8", seconds=60, cpus=4, extra=words) as shell:
            shell.wait_for_shell()
            type_steps(report, arch, shell, steps, only)


def run(report, arch, only):
    raw_disk(report, arch, only)
    special(report, arch, only)
    if "hostile".startswith(only or ""):
        hostile.run(report, arch)
