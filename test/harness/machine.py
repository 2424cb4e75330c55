# SPDX-License-Identifier: GPL-2.0-or-later
"""Virtual machines for tests: boots that run by themselves, and shells to type into."""
import glob
import os
import re
import select
import subprocess
import sys
import threading
import time

import pexpect

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import qemu  # noqa: E402  (the one place of the QEMU command line)

ARCHES = ("x86_64", "aarch64")
BUILD = os.path.join(ROOT, "build")
# A machine that resets has come to its end: panic and reboot end QEMU.
COMMON = ("-no-reboot",)
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|c|[()][A-Z0-9])")


# What is tested: "cairn", or "linux" to prove a test on Debian's kernel.
under_test = "cairn"


def kernel_image(arch, which=None, variant=""):
    """variant: which build of this kernel, as in qemu.cairn."""
    return qemu.cairn(arch, variant) if (which or under_test) == "cairn" else qemu.linux(arch)


building = threading.Lock()


def build_variant(arch, variant):
    """Several layers use one build; two lanes must not make it at once."""
    with building:
        tool("make", "--no-print-directory", "-j2", f"ARCH={arch}", f"{variant.upper()}=1")


def clean(text):
    """A line of a serial console without control sequences and carriage returns."""
    return ESCAPES.sub("", text).replace("\r", "")


def tool(*words, **keywords):
    """Runs one of the project's own programs quietly; raises with what it printed when it fails."""
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **keywords)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[:4])}: status {done.returncode}\n{done.stdout[-2000:]}")
    return done.stdout


def fetch(arch, *packages):
    tool("tools/fetch", arch, *packages)


def shell_initramfs(arch):
    """The initramfs of `make run`: BusyBox and a shell on the console."""
    fetch(arch, "busybox-static", "linux")
    initrd = os.path.join(BUILD, arch, "initramfs.cpio")
    tool("tools/mkinitramfs", initrd, "--busybox", busybox(arch), "--skeleton", "tools/initramfs")
    return initrd


# Debian's kernel has ext4 built in, and the driver of the disk as modules, in this order.
DISK_MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk")
DISK_INIT = """#!/bin/sh
for m in %s; do insmod /modules/$m.ko; done
mount -t devtmpfs dev /dev
while ! test -b /dev/vda1; do sleep 0.1; done
mount -t ext4 /dev/vda1 /disk && cd /disk && exec switch_root /disk /sbin/init
""" % " ".join(DISK_MODULES)


def under_linux():
    return under_test == "linux"


def disk_module_words(arch):
    """Words for mkinitramfs: the modules, as /modules/NAME.ko. Debian's kernel has been fetched."""
    top = os.path.dirname(os.path.dirname(os.path.realpath(qemu.linux(arch))))
    files = {name: os.path.join(directory, name) for directory, _, names in os.walk(top) for name in names}
    return [word for name in DISK_MODULES for word in ("--file", f"modules/{name}.ko={files[name + '.ko']}")]


def disk_initramfs(arch):
    """For Debian's kernel: loads the driver of virtio disks, then does as Cairn does with root=/dev/vda1."""
    fetch(arch, "busybox-static", "linux")
    folder = os.path.join(BUILD, arch)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "disk-init"), "w", encoding="utf-8") as out:
        out.write(DISK_INIT)
    os.chmod(out.name, 0o755)
    initrd = os.path.join(folder, "disk-init.cpio")
    tool("tools/mkinitramfs", initrd, "--busybox", busybox(arch), "--file", f"init={out.name}", "--file",
         f"disk/none={os.devnull}", *disk_module_words(arch))
    return initrd


def busybox(arch):
    return os.path.join(BUILD, "packages", arch, "busybox-static", "bin", "busybox")


def linux_module(arch, name):
    """The file of a module of Debian's kernel, for user lands that need there what is built in here."""
    file, = glob.glob(os.path.join(BUILD, "packages", arch, "linux-image-*", "lib", "modules", "*", "kernel", "**", f"{name}.ko"),
                      recursive=True)
    return file


class Boot:
    """A boot without a person. `lines` is what the console showed, `end` is "ended", "stopped", "silent" or "time"."""

    def __init__(self, arch, kernel, initrd=None, append="", seconds=120, silence=60, on_line=None, stop=None,
                 **keywords):
        extra = (*COMMON, *keywords.pop("extra", ()))
        command = qemu.command(arch, kernel, initrd, append, extra=extra, **keywords)
        self.stop = stop  # an event that ends it: the machine has done its part for another
        self.lines = []
        self.end = "ended"
        self.started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        try:
            self.read(process.stdout.fileno(), seconds, silence, on_line)
            if self.end in ("silent", "time"):
                self.ask_why(process, on_line)
        finally:
            process.stdin.close()
            process.kill()
            self.status = process.wait()
            process.stdout.close()
        self.seconds = time.monotonic() - self.started

    def read(self, fd, seconds, silence, on_line):
        pending = b""
        heard = time.monotonic()
        while True:
            ready, _, _ = select.select([fd], [], [], 0.5)
            now = time.monotonic()
            if ready:
                data = os.read(fd, 65536)
                if not data:
                    break
                heard = now
                *whole, pending = (pending + data).split(b"\n")
                for line in whole:
                    self.add(line, on_line)
            if self.stop and self.stop.is_set():
                self.end = "stopped"
                break
            if now - heard > (self.stop and seconds or silence):
                self.end = "silent"
                break
            if now - self.started > seconds:
                self.end = "time"
                break
        if pending:
            self.add(pending, on_line)

    def ask_why(self, process, on_line):
        """A machine that hangs tells what it does: SysRq keys (a BREAK is Ctrl-A b) for its timers, its CPUs and its threads."""
        end = self.end
        for key in b"qlqt":
            process.stdin.write(b"\x01b" + bytes((key,)))
            process.stdin.flush()
            self.read(process.stdout.fileno(), time.monotonic() - self.started + 4, 3, on_line)
        self.end = end

    def add(self, line, on_line):
        text = clean(line.decode("utf-8", "replace"))
        self.lines.append(text)
        if on_line:
            on_line(text)

    def tail(self, count=25):
        return self.lines[-count:]


class Shell:
    """A machine whose console is typed at, by a person's means: keys in, a screen out."""
    PROMPT = "READY> "

    def __init__(self, arch, kernel, initrd, append="", seconds=20, **keywords):
        extra = (*COMMON, *keywords.pop("extra", ()))
        command = qemu.command(arch, kernel, initrd, append, extra=extra, **keywords)
        self.child = pexpect.spawn(command[0], command[1:], timeout=seconds, encoding="utf-8",
                                   codec_errors="replace", echo=False, dimensions=(24, 80))
        self.child.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)

    def type(self, text):
        self.child.send(text)

    def wait(self, text, seconds=-1):
        """Waits for a text; what came before it, cleaned."""
        self.child.expect_exact(text, timeout=seconds)
        return clean(self.child.before)

    def wait_for_shell(self, seconds=60, marks=("# ", "$ ")):
        """From power-on to a prompt of ours, which no command's output looks like, in lines that do not wrap."""
        self.child.expect([rf"(?m)^[^\[\r\n]*{re.escape(mark)}" for mark in marks], timeout=seconds)
        self.prepare()

    def prepare(self):
        self.type("stty cols 1000; PS1='READ''Y> '; PS2='MOR''E> '\r")
        self.wait("\n" + self.PROMPT)

    def run(self, command, seconds=-1):
        """Types a command; its output, once the prompt is back. The line editor echoes the command first."""
        self.type(command + "\r")
        shown = self.wait(self.PROMPT, seconds)
        return shown.partition("\n")[2].rstrip("\n")

    def interrupt(self):
        """Gets the prompt back after a step went wrong."""
        for key in ("\x03", "q", "\x03", "\r"):
            self.type(key)
            time.sleep(0.3)
        self.type("fg; kill %1 %2; echo back-to''-shell\r")
        self.wait("back-to-shell", 20)
        self.wait(self.PROMPT, 20)

    def wait_for_end(self, seconds=30):
        """Waits until QEMU ends; its exit status."""
        self.child.expect(pexpect.EOF, timeout=seconds)
        self.child.close()
        return self.child.exitstatus
