# SPDX-License-Identifier: GPL-2.0-or-later
"""Power cuts: QEMU is killed at random moments while a workload fsyncs, renames, makes and removes files.

One disk goes through all rounds. Each boot replays the journal that the last cut left, checks what was promised before it and
works on until the next; a copy of the disk is replayed by e2fsck, which must find nothing. Every fourth boot is Debian's
kernel, so that Linux replays our journals and we replay Linux's. POWER_CUTS and POWER_SEED choose how many and which. A further
disk has a database that sqlite works on, by its rollback journal and by its write-ahead log in turn.
"""
import os
import random
import subprocess
import tempfile
import time

from harness.guest import CFLAGS, COMPILER
from harness.machine import BUILD, ROOT, Boot, disk_module_words, fetch, kernel_image, busybox, tool, under_linux

CUTS = int(os.environ.get("POWER_CUTS", "20"))
SEED = int(os.environ.get("POWER_SEED", "1"))
KEPT = 5  # rounds whose files stay, as in power.c
MOST = 12  # promises of a round
SIZE = "48M"
FEATURES = ("-t ext4", "-t ext4 -O ^metadata_csum,^64bit -b 1024", "-t ext3")
SECONDS = 120


def jobs(arches, only):
    for arch in arches:
        yield f"power/{arch}", lambda report, arch=arch: run(report, arch)


def build(arch):
    fetch(arch, "busybox-static", "linux")
    folder = os.path.join(BUILD, "power", arch)
    os.makedirs(folder, exist_ok=True)
    program, initrd = os.path.join(folder, "power"), os.path.join(folder, "power.cpio")
    tool(COMPILER[arch], *CFLAGS, "-I" + os.path.join(ROOT, "test", "ext4"), "-o", program,
         os.path.join(ROOT, "test", "power", "power.c"))
    tool("tools/mkinitramfs", initrd, "--busybox", busybox(arch), "--file", f"init={program}", *disk_module_words(arch))
    return initrd


def build_database(arch):
    fetch(arch, "--tree", "sqlite", "sqlite3")
    initrd = os.path.join(BUILD, "power", arch, "database.cpio")
    tool("tools/mkinitramfs", initrd, "--busybox", busybox(arch), "--tree", os.path.join(BUILD, "packages", arch, "trees", "sqlite"),
         "--file", "init=" + os.path.join(ROOT, "test", "power", "database.sh"), *disk_module_words(arch))
    return initrd


class Cut(Exception):
    """The moment at which the power fails."""


class Round:
    """One boot; `promised` files were fsynced before it was cut."""

    def __init__(self, arch, which, initrd, disk, words, cut_at, delay):
        self.promised, self.cut_at, self.delay, self.end = 0, cut_at, delay, None
        extra = ("-drive", f"file={disk},format=raw,if=none,id=disk0,cache=writeback", "-device", "virtio-blk-pci,drive=disk0")
        self.lines = []
        try:
            boot = Boot(arch, kernel_image(arch, which), initrd, f"quiet panic=-1 {words}", seconds=SECONDS,
                        on_line=self.see, extra=extra)
            self.end = boot.end
        except Cut:
            self.end = "cut"

    def said(self, text):
        """The firmware may have left its line open."""
        return any(line.endswith(text) for line in self.lines)

    def see(self, line):
        self.lines.append(line)
        if line.startswith("promise "):
            self.promised = int(line.split()[1]) + 1
            if self.promised == self.cut_at:
                time.sleep(self.delay)
                raise Cut


def fsck(disk):
    """(clean, output) of a copy whose journal e2fsck has replayed."""
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(disk)) as copy:
        subprocess.run(["cp", "--sparse=always", disk, copy.name], check=True)
        subprocess.run(["/sbin/e2fsck", "-fy", "-E", "journal_only", copy.name], capture_output=True, check=False)
        check = subprocess.run(["/sbin/e2fsck", "-fn", copy.name], capture_output=True, text=True, check=False)
    return check.returncode == 0, (check.stdout + check.stderr).splitlines()[-15:]


def chain(report, name, arch, initrd, disk, cuts):
    """Rounds on one disk; stops at the first that goes wrong."""
    chance = random.Random(SEED)
    promised = []
    for number in range(cuts + 1):
        which = "linux" if under_linux() or number % 4 == 2 else "cairn"
        known = ",".join(map(str, promised[-KEPT:]))
        last = number == cuts
        words = f"round={number} promises={known}" + (" work=0" if last else "")
        done = Round(arch, which, initrd, disk, words, 1 + chance.randrange(MOST), chance.random() * 0.2)
        title = f"{name}/{'end' if last else f'cut{number}'}"
        ok = done.said("checked") and (done.said("unmounted") if last else done.end == "cut")
        clean, said = fsck(disk)
        report.result(title, ok and clean, [f"on {which}: {done.end}", *done.lines[-15:], *said])
        if not ok or not clean:
            return
        promised.append(done.promised)


def run(report, arch):
    initrd = build(arch)
    with tempfile.TemporaryDirectory(dir=BUILD) as directory:
        for number, features in enumerate(FEATURES):
            disk = os.path.join(directory, f"disk{number}")
            with open(disk, "wb"):
                pass
            subprocess.run(["/sbin/mke2fs", "-q", "-F", *features.split(), disk, SIZE], check=True)
            chain(report, f"power/{arch}/features{number}", arch, initrd, disk, CUTS * (2 if not number else 1) // 4)
        disk = os.path.join(directory, "database")
        subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", disk, SIZE], check=True)
        chain(report, f"power/{arch}/sqlite", arch, build_database(arch), disk, CUTS // 4)
