# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that others linked: Debian's dynamic bash and coreutils, script on a pty, a static-PIE, a musl program.

The initramfs holds unpacked Debian packages; its init is a script for Debian's bash, which compares each
program's output with what is expected and prints "ok NAME" or "not ok NAME".
"""
import os
import re

from harness.guest import COMPILER
from harness.machine import BUILD, ROOT, Boot, busybox, fetch, kernel_image, tool

PACKAGES = ("bash", "coreutils", "bsdutils")
LINE = re.compile(r"^(ok|not ok) (\S+)$")


def jobs(arches, only):
    for arch in arches:
        yield f"dynamic/{arch}", lambda report, arch=arch: run(report, arch, only)


def package_trees(arch):
    """The directories of the packages and of all that they depend on."""
    base = os.path.join(BUILD, "packages", arch)
    todo, done = list(PACKAGES), []
    while todo:
        package = todo.pop()
        if package in done:
            continue
        done.append(package)
        with open(os.path.join(base, package + ".depends"), encoding="ascii") as names:
            todo += names.read().split()
    return [os.path.join(base, package) for package in sorted(done)]


def programs(arch, out):
    """Compiles the test programs: {path in the guest: file}."""
    source = os.path.join(ROOT, "test", "dynamic", "program.c")
    made = {}
    flavours = {"dynamic": (COMPILER[arch], "-fPIE", "-pie"), "static-pie": (COMPILER[arch], "-fPIE", "-static-pie"),
                "static": (COMPILER[arch], "-static", "-no-pie")}
    if arch == os.uname().machine:  # Debian's musl-gcc makes programs for the host only
        flavours["musl"] = ("musl-gcc", "-static")
    for name, command in flavours.items():
        program = os.path.join(out, name)
        tool(*command, "-O1", "-pthread", "-o", program, source)
        made[f"programs/{name}"] = program
    return made


def build(arch):
    out = os.path.join(BUILD, "dynamic", arch)
    os.makedirs(out, exist_ok=True)
    fetch(arch, *PACKAGES, "busybox-static")
    initrd = os.path.join(out, "initramfs.cpio")
    words = []
    for tree in package_trees(arch):
        words += ["--tree", tree]
    for path, file in programs(arch, out).items():
        words += ["--file", f"{path}={file}"]
    words += ["--file", f"init={os.path.join(ROOT, 'test', 'dynamic', 'init.sh')}",
              "--file", f"bin/busybox={busybox(arch)}", "--link", "bin/sh=bash"]
    tool("tools/mkinitramfs", initrd, *words)
    return initrd


def run(report, arch, only):
    name = f"dynamic/{arch}"
    boot = Boot(arch, kernel_image(arch), build(arch), "quiet panic=-1 rdinit=/init", memory="512M", seconds=180,
                silence=60)
    reasons, ended = [], False
    for line in boot.lines:
        match = LINE.match(line)
        ended = ended or line == "end of tests"
        if match:
            report.result(f"{name}/{match[2]}", match[1] == "ok", reasons[-20:])
            reasons = []
        else:
            reasons.append(line)
    if not ended:
        report.result(f"{name}/end", False, [f"the machine {boot.end} before the end", *boot.tail(30)])
