# SPDX-License-Identifier: GPL-2.0-or-later
"""BusyBox applets with fixed inputs (test/boot/applets.sh) on both kernels; what they print must be the same."""
import difflib
import os
import re

from harness.machine import BUILD, ROOT, Boot, busybox, fetch, kernel_image, tool

SECTION = re.compile(r"(?:^|\.)=== (\S+)$")


def jobs(arches, only):
    for arch in arches:
        yield f"applets/{arch}", lambda report, arch=arch: run(report, arch, only)


def build(arch):
    fetch(arch, "busybox-static", "linux")
    initrd = os.path.join(BUILD, "applets", arch, "initramfs.cpio")
    tool("tools/mkinitramfs", initrd, "--busybox", busybox(arch), "--file",
         f"init={os.path.join(ROOT, 'test', 'boot', 'applets.sh')}", "--file",
         f"etc/passwd={os.path.join(ROOT, 'tools', 'initramfs', 'etc', 'passwd')}", "--file",
         f"etc/group={os.path.join(ROOT, 'tools', 'initramfs', 'etc', 'group')}")
    return initrd


def sections(boot):
    """{section: lines}; messages of the kernel are not output of a program."""
    found, lines = {}, None
    for line in boot.lines:
        match = SECTION.match(line)
        if match:
            lines = found.setdefault(match[1], [])
        elif lines is not None and not re.match(r"^\[ *\d+\.\d+\]", line):
            lines.append(line)
    return found


def run(report, arch, only):
    initrd = build(arch)
    words = "quiet panic=-1 rdinit=/init"
    linux, cairn = (Boot(arch, kernel_image(arch, which), initrd, words, seconds=240, silence=60)
                    for which in ("linux", None))
    wanted, here = sections(linux), sections(cairn)
    if "end" not in wanted:
        report.result(f"applets/{arch}/linux", False, ["Linux did not come to the end", *linux.tail()])
    for name, lines in wanted.items():
        if name.startswith(only or ""):
            got = here.get(name)
            diff = difflib.unified_diff(lines, got, "Linux", "Cairn", lineterm="", n=1) if got is not None else \
                ["did not run", *cairn.tail(15)]
            report.result(f"applets/{arch}/{name}", got == lines, list(diff)[:40])
