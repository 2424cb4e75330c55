# SPDX-License-Identifier: GPL-2.0-or-later
"""Damaged disks: GPTs and ext4s with changed bytes, mounted and walked on the sanitizer build. An error, never a panic or a hang.

HOSTILE_IMAGES says how many (20), HOSTILE_SEED with which first number of the generator (1).
"""
import os
import random
import struct
import subprocess
import tempfile
import uuid
import zlib

import pexpect

from harness.machine import Shell, build_variant, kernel_image, qemu, shell_initramfs

MIB = 1 << 20
SIZE, START, SECTORS = 4 * MIB, 2048, 4096  # of an image; of its partition, in sectors
TABLE = 128 * 128
FEATURES = ("^metadata_csum,^64bit", "metadata_csum,64bit,inline_data", "^extents,^metadata_csum,^64bit", "^has_journal,^metadata_csum")
VALUES = (0, 1, 0x7f, 0x80, 0xff, 0xfe)

# Tries an image read-only, then changes it; each step may fail, none may take for ever, not even by sending a program in circles:
# a walk that must be ended says so. The quotes keep the shell's echo of the script from looking like the answer.
SCRIPT = r"""
limited() { timeout 60 "$@"; [ $? = 143 ] && echo "end""less: $*"; };
try() { mount -t ext4 -o $1 /dev/loop0p1 /mnt 2> /dev/null || return;
 limited find /mnt -xdev 2> /dev/null > /tmp/all; grep "end""less" /tmp/all; head -n 300 /tmp/all > /tmp/names;
 while read -r n; do [ -f "$n" ] && head -c 65536 "$n" > /dev/null 2>&1; [ -L "$n" ] && readlink "$n" > /dev/null; done < /tmp/names;
 if [ $1 = rw ]; then echo x > /mnt/new; mkdir /mnt/made; for k in 1 2 3 4 5 6 7 8; do echo $k > /mnt/made/$k; done;
 mv /mnt/tree /mnt/moved; dd if=/dev/zero of=/mnt/large bs=4k count=64; limited rm -rf /mnt/moved /mnt/made/3 > /tmp/all; sync; fi > /dev/null 2>&1;
 grep "end""less" /tmp/all; umount /mnt; };
mkdir -p /mnt; i=0;
while dd if=/dev/vda of=/tmp/image bs=1M skip=$((i * 4)) count=4 2> /dev/null && [ $i -lt COUNT ]; do
 losetup -P /dev/loop0 /tmp/image; try ro; try rw; losetup -d /dev/loop0; i=$((i + 1)); echo "through $i"; done; echo "all"" through"
"""


def file_system(directory, features, number):
    """A small ext4 with a tree in it, every third with a directory below itself; its bytes, which follow from the number alone."""
    tree, image = os.path.join(directory, "tree"), os.path.join(directory, "fs")
    if not os.path.isdir(tree):
        os.makedirs(os.path.join(tree, "tree", "deep", "er"))
        for number in range(60):
            with open(os.path.join(tree, "tree", f"file{number}"), "wb") as file:
                file.write(bytes((number,)) * (number * 97))
        os.symlink("file1", os.path.join(tree, "tree", "link"))
        os.symlink("x" * 100, os.path.join(tree, "tree", "long"))
    if os.path.exists(image):
        os.unlink(image)
    name = str(uuid.UUID(int=number + 1))
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", features, "-U", name, "-E", f"hash_seed={name}", "-d", tree,
                    image, str(SECTORS // 2)], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "E2FSPROGS_FAKE_TIME": "1000000000"})
    if number % 3 == 0:
        subprocess.run(["debugfs", "-w", "-R", "ln /tree/deep /tree/deep/er/up", image], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    with open(image, "rb") as file:
        return bytearray(file.read())


def header(my, other, table, entries):
    fields = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, my, other, 34, SIZE // 512 - 34, uuid.UUID(int=7).bytes_le,
                         table, 128, 128, zlib.crc32(entries))
    return fields


def sealed(fields):
    """The header with its checksum, whatever it says."""
    fields = bytearray(fields)
    fields[16:20] = bytes(4)
    fields[16:20] = struct.pack("<I", zlib.crc32(bytes(fields)))
    return bytes(fields)


def damage(data, rng, limit):
    """Changes a few bytes, most of them near the begin, where the tables are."""
    for _ in range(rng.choice((1, 2, 5, 20))):
        at = rng.randrange(1024, limit if rng.random() < 0.8 else len(data))
        for offset in range(rng.choice((1, 2, 4))):
            data[(at + offset) % len(data)] = rng.choice(VALUES) if rng.random() < 0.5 else rng.randrange(256)


def make_image(directory, number, rng):
    fs = file_system(directory, FEATURES[number % len(FEATURES)], number)
    entries = bytearray(TABLE)
    entries[:128] = struct.pack("<16s16sQQQ72s", uuid.UUID(int=0x83).bytes_le, uuid.UUID(int=number + 1).bytes_le, START,
                                START + SECTORS - 1, 0, "hostile".encode("utf-16-le"))
    damaged_table = number % 5 == 4
    if damaged_table:
        for _ in range(rng.choice((1, 3, 10))):
            entries[rng.randrange(512)] = rng.choice(VALUES)
    else:
        damage(fs, rng, 200 * 1024)
    first = bytearray(header(1, SIZE // 512 - 1, 2, entries))
    last = header(SIZE // 512 - 1, 1, SIZE // 512 - 33, entries)
    if damaged_table and rng.random() < 0.6:
        first[rng.randrange(12, 92)] = rng.choice(VALUES)
    image = bytearray(SIZE)
    image[446:462] = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, SIZE // 512 - 1)
    image[510:512] = b"\x55\xaa"
    image[512:604] = sealed(first)
    image[1024:1024 + TABLE] = entries
    image[SIZE - 33 * 512:SIZE - 512] = entries
    image[SIZE - 512:SIZE - 420] = sealed(last)
    image[START * 512:START * 512 + len(fs)] = fs
    return image


def run(report, arch):
    count, seed = int(os.environ.get("HOSTILE_IMAGES", "20")), int(os.environ.get("HOSTILE_SEED", "1"))
    name = f"disk/{arch}/hostile_images"
    build_variant(arch, "sanitize")
    initrd = shell_initramfs(arch)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "images")
        with open(path, "wb") as images:
            for number in range(count):
                images.write(make_image(directory, seed + number, random.Random(seed + number)))
        script = " ".join(SCRIPT.replace("COUNT", str(count)).split())
        with Shell(arch, kernel_image(arch, variant="sanitize"), initrd, "quiet panic=-1 norandmaps", seconds=300, memory="512M", cpus=2,
                   extra=qemu.disks([path], ",readonly=on")) as shell:
            done, endless = 0, []
            try:
                shell.wait_for_shell()
                shell.type(script + "\r")
                shell.wait("\n")
                while (found := shell.child.expect_exact([f"through {done + 1}\r", "endless: ", "all through"])) != 2:
                    done += found == 0
                    if found == 1:
                        endless.append(f"a walk without end in image {done} (HOSTILE_SEED={seed + done} HOSTILE_IMAGES=1)")
                report.result(name, done == count and not endless, [f"{done} of {count}", *endless])
            except pexpect.ExceptionPexpect:
                report.result(name, False, [f"stopped in image {done} (HOSTILE_SEED={seed + done} HOSTILE_IMAGES=1)",
                                            *str(shell.child.before).splitlines()[-40:]])
