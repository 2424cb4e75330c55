# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian from its own disk: started by its init, logged in to with a password, packages installed, shut down; then e2fsck
finds nothing. The image is the one that `make debian` builds, and is built when there is none.
"""
import os
import shutil
import subprocess
import tempfile
import threading

import pexpect

from harness.machine import BUILD, clean, disk_initramfs, kernel_image, qemu, tool, under_linux

MIB = 1 << 20
CONSOLE_SECONDS = 90
PROMPT = r"cairn:\S*# "

# A package made in the guest, and a repository of one package beside it.
MAKE_PACKAGES = (
    "for n in one two; do mkdir -p $n/DEBIAN $n/opt; echo package $n > $n/opt/$n; "
    "printf 'Package: cairn-%s\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: root <root@cairn>\\nDescription: test\\n' $n "
    "> $n/DEBIAN/control; dpkg-deb -b $n $n.deb; done",
    "mkdir -p /srv/repository && mv two.deb /srv/repository && cd /srv/repository",
    "(dpkg-deb -f two.deb; echo Filename: ./two.deb; echo Size: $(stat -c %s two.deb); "
    "echo SHA256: $(sha256sum two.deb | cut -d' ' -f1)) > Packages; cd",
    "echo 'deb [trusted=yes] file:/srv/repository ./' > /etc/apt/sources.list; rm -f /etc/apt/sources.list.d/*",
)
COMMANDS = (
    ("disk_is_the_root", ("grep '^/dev/vda1 / ext4 rw' /proc/mounts", "df /")),
    ("files_are_written_and_removed",
     ("dd if=/dev/zero of=/root/large bs=1M count=20 conv=fsync", "cp -r /usr/share/doc /root/doc",
      "diff -r /usr/share/doc /root/doc", "rm -rf /root/doc /root/large")),
    ("dpkg_installs_a_local_package", (*MAKE_PACKAGES, "dpkg -i one.deb", "grep 'package one' /opt/one", "dpkg -s cairn-one")),
    ("apt_installs_from_a_local_repository",
     ("apt-get update -q", "apt-get install -y -q cairn-two", "grep 'package two' /opt/two", "apt-get remove -y -q cairn-two",
      "test ! -e /opt/two")),
)
building = threading.Lock()


def jobs(arches, only):
    for arch in arches:
        yield f"debian/{arch}", lambda report, arch=arch: run(report, arch, only)


def image(arch):
    """The path of the image of `make debian`."""
    path = os.path.join(BUILD, "debian", f"{arch}.img")
    with building:
        if not os.path.exists(path):
            tool("tools/mkdebian", arch, path)
    return path


def copy_partition(disk, partition):
    """The file system on the first partition, as a file."""
    with open(disk, "rb") as whole, open(partition, "wb") as part:
        whole.seek(MIB)
        shutil.copyfileobj(whole, part, MIB)


def fsck(partition):
    """(clean, what e2fsck -fn says); nothing is repaired and no journal replayed."""
    check = subprocess.run(["/sbin/e2fsck", "-fn", partition], capture_output=True, text=True, check=False)
    return check.returncode == 0, (check.stdout + check.stderr).splitlines()[-20:]


def command_line(arch, disk):
    """QEMU with Debian's disk; Debian's own kernel needs an initramfs with the driver of the disk."""
    initrd = disk_initramfs(arch) if under_linux() else None
    return qemu.command(arch, kernel_image(arch), initrd, "root=/dev/vda1 rw quiet panic=-1", memory="512M", cpus=2,
                        extra=("-no-reboot", *qemu.disks([disk], ",cache=unsafe")))


def log_in(child):
    child.expect("login: ")
    child.sendline("root")
    child.expect("assword: ")
    child.sendline("cairn")
    child.expect(PROMPT)


def perform(child, command):
    """Types a command and waits for its end; its status must be 0."""
    child.sendline(command + "; echo status=$?.")
    child.expect(r"status=(\d+)\.")
    if child.match[1] != "0":
        raise AssertionError(clean(child.before))
    child.expect(PROMPT)


def session(report, arch, child):
    log_in(child)
    child.sendline("stty cols 1000; dmesg -n 1")
    child.expect(PROMPT)
    report.result(f"debian/{arch}/login_with_password", True)
    for name, commands in COMMANDS:
        for command in commands:
            perform(child, command)
        report.result(f"debian/{arch}/{name}", True)
    child.sendline("shutdown -h now")
    child.expect(pexpect.EOF)


def run(report, arch, only):
    if only and not "debian".startswith(only):
        return
    with tempfile.TemporaryDirectory(dir=BUILD) as directory:
        disk, partition = os.path.join(directory, "disk"), os.path.join(directory, "partition")
        subprocess.run(["cp", "--sparse=always", image(arch), disk], check=True)
        command = command_line(arch, disk)
        child = pexpect.spawn(command[0], command[1:], timeout=CONSOLE_SECONDS, encoding="utf-8",
                              codec_errors="replace")
        try:
            session(report, arch, child)
        except (pexpect.ExceptionPexpect, AssertionError) as error:
            shown = str(error) if isinstance(error, AssertionError) else clean(str(child.before))
            report.result(f"debian/{arch}/session", False, shown.splitlines()[-25:])
            return
        finally:
            child.close(force=True)
        copy_partition(disk, partition)
        report.result(f"debian/{arch}/shutdown_leaves_a_clean_disk", *fsck(partition))
