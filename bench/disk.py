#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ext4 on a virtio disk under Debian's Linux and under Cairn, side by side: the same image, the same QEMU, the same cache mode.

  disk.py [--arch ARCH] [--clock wall] [--only ROW] [--runs N] [--cpus N]... [--record]

Rows: bench/disk/disk.c, and the time from power-on to Debian's login where `make debian` has made an image. Only the guest's
clock measures a disk. Clocks, table and gate: bench/side.py.
"""
import io
import os
import re
import subprocess
import sys
import tarfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "bench"))
import report  # noqa: E402
import side  # noqa: E402
from side import machine  # noqa: E402

SIZE = "640M"
FILES = 5000
PACKAGES = ("bash", "coreutils", "tar", "git", "sqlite3")
# Writes go to a temporary layer over the image, so that every boot finds the same one.
LAYER = ",cache=writeback,snapshot=on"


def archive(path):
    """5,000 files of 0.1 to 8 KiB in 100 directories."""
    with tarfile.open(path, "w") as out:
        for number in range(FILES):
            data = (f"line of file {number}\n" * (5 + number * 37 % 400)).encode()
            info = tarfile.TarInfo(f"tree/directory{number % 100}/file{number}")
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))


def image(arch):
    """The disk: Debian's programs, the archive."""
    path = os.path.join(machine.BUILD, arch, "bench-disk.img")
    machine.fetch(arch, "--tree", "bench-disk", *PACKAGES)
    if os.path.exists(path):
        return path
    tree = os.path.join(machine.BUILD, "packages", arch, "trees", "bench-disk")
    for folder in ("dev", "root", "tmp", "etc"):
        os.makedirs(os.path.join(tree, folder), exist_ok=True)
    archive(os.path.join(tree, "archive.tar"))
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, path + ".new", SIZE], check=True)
    os.rename(path + ".new", path)
    return path


def names():
    """The rows that can be run alone."""
    with open(os.path.join(ROOT, "bench", "disk", "disk.c"), encoding="utf-8") as source:
        return re.findall(r'(?:transfer|row)\("(\w+)"', source.read())


def build(arch, only):
    """The benchmark as /init, with the drivers that Debian's kernel has as modules."""
    machine.fetch(arch, "linux")
    out = os.path.join(machine.BUILD, arch, "bench-disk")
    subprocess.run([side.CC[arch], "-O2", "-static", "-Wall", "-Wno-unused-result", "-I" + os.path.join(ROOT, "test", "ext4"), "-o", out,
                    os.path.join(ROOT, "bench", "disk", "disk.c")], check=True)
    machine.tool("tools/mkinitramfs", out + ".cpio", "--file", f"init={out}", "--file", f"disk/none={os.devnull}",
                 *machine.disk_module_words(arch))
    return [side.Load(out + ".cpio", words=f"only={only}" if only else "", memory="512M",
                      extra=tuple(machine.qemu.disks([image(arch)], LAYER)))]


def login_seconds(arch, which, disk):
    """From the start of QEMU to Debian's login prompt."""
    initrd = machine.disk_initramfs(arch) if which == "linux" else None
    command = machine.qemu.command(arch, machine.kernel_image(arch, which), initrd, "root=/dev/vda1 rw quiet panic=-1",
                                   memory="512M", extra=("-no-reboot", *machine.qemu.disks([disk], LAYER)))
    started = time.monotonic()
    seen = b""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        try:
            while b"login:" not in seen:
                data = os.read(process.stdout.fileno(), 4096)
                if not data:
                    return -1
                seen = (seen + data)[-4096:]
            return time.monotonic() - started
        finally:
            process.kill()


def boots(arch, runs):
    """The row of the boot to login; none where there is no image."""
    disk = os.path.join(machine.BUILD, "debian", f"{arch}.img")
    if not os.path.exists(disk):
        return
    best = [min(login_seconds(arch, which, disk) for _ in range(runs)) for which in side.KERNELS]
    report.table(f"{arch}: Debian from power-on to login, host's clock, least of {runs}",
                 [{"group": "disk", "name": "boot_to_login", "unit": "ns", "linux": best[0] * 1e9, "cairn": best[1] * 1e9}])


def main():
    options = side.parser(__doc__, runs=3).parse_args()
    if "wall" not in (options.clock or ["wall"]):
        return 0
    options.clock = ["wall"]
    options.cpus = options.cpus or [1]
    status = side.main(options, "disk", build)
    if not options.only:
        for arch in options.arch or machine.ARCHES:
            boots(arch, options.runs)
    return status


if __name__ == "__main__":
    sys.exit(main())
