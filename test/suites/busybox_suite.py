# SPDX-License-Identifier: GPL-2.0-or-later
"""BusyBox's own test suite, from Debian's source package, run by Debian's static BusyBox."""
import os
import re

from harness.machine import BUILD, ROOT, busybox, fetch, tool

NAME = "busybox"
MEMORY, SECONDS, SILENCE = "256M", 560, 100
PARTS = {"a-b": None, "c-e": None, "f-r": None, "s-z": None}  # applets by their first letter
OUTCOME = re.compile(r"^(PASS|FAIL|SKIPPED|UNTESTED): (.*)$")
OUTCOMES = {"PASS": "ok", "FAIL": "fail", "SKIPPED": "skip", "UNTESTED": "skip"}


def build(arch):
    fetch(arch, "linux", "busybox-static")
    fetch(arch, "--source", "busybox")
    source = os.path.join(BUILD, "packages", "sources", "busybox")
    out = os.path.join(BUILD, "suites", arch)
    os.makedirs(out, exist_ok=True)
    initrd = os.path.join(out, "busybox.cpio")
    suite = os.path.join(source, "testsuite")
    words = ["--file", f"init={os.path.join(ROOT, 'test', 'suites', 'busybox.sh')}",
             "--file", f"b/busybox={busybox(arch)}",
             "--file", f"b/.config={os.path.join(source, 'debian', 'config', 'pkg', 'static')}"]
    for directory, _, names in os.walk(suite):
        for name in names:
            file = os.path.join(directory, name)
            words += ["--file", f"testsuite/{os.path.relpath(file, suite)}={file}"]
    for name in ("passwd", "group"):
        words += ["--file", f"etc/{name}={os.path.join(ROOT, 'tools', 'initramfs', 'etc', name)}"]
    tool("tools/mkinitramfs", initrd, "--busybox", busybox(arch), *words)
    return initrd


def append(part, patience):
    return f"letters={part}"


def parse(lines):
    """Names repeat: the second test of a name counts as another one."""
    found = {}
    for line in lines:
        match = OUTCOME.match(line)
        if match:
            name = match[2]
            while name in found:
                name += "+"
            found[name] = OUTCOMES[match[1]]
    return found


def group(_test):
    return "busybox"


def explain(lines, test):
    """The difference that the failing test printed."""
    start = next((i for i, line in enumerate(lines) if line == f"FAIL: {test}"), None)
    return [] if start is None else lines[start - 3:start + 15]
