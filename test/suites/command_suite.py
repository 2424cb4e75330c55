# SPDX-License-Identifier: GPL-2.0-or-later
"""A suite that is a list of commands in one user land: command_list.c runs those of a part and says how each ended."""
import os
import re

from harness.guest import COMPILER
from harness.machine import BUILD, ROOT, fetch, tool

START = re.compile(r"^start (\S.*)$")
ENDED = re.compile(r"ended (\d+) (\S+/.*)$")
LINES_SHOWN = 25


class CommandSuite:
    """`commands`: (part, seconds, words); `skips`: statuses that say that the system lacks something; `disk`: the size of /dev/vda, zeros."""
    SECONDS, SILENCE = 560, 100

    def __init__(self, name, memory, commands, skips, packages=None, files=None, disk=None):
        self.NAME, self.MEMORY, self.DISK = name, memory, disk
        self.commands, self.skips, self.packages, self.files = commands, skips, packages, files
        self.PARTS = {part: None for part, _, _ in commands}

    def build(self, arch):
        fetch(arch, "linux")
        out = os.path.join(BUILD, "suites", arch)
        os.makedirs(out, exist_ok=True)
        init, table = os.path.join(out, "init"), os.path.join(out, f"{self.NAME}.commands")
        tool(COMPILER[arch], "-O1", "-static", "-Wall", "-Wextra", "-Werror", "-o", init,
             os.path.join(ROOT, "test", "suites", "command_list.c"))
        with open(table, "w", encoding="utf-8") as text:
            text.writelines(f"{part} {seconds} {words}\n" for part, seconds, words in self.commands)
        words = []
        if self.packages:
            fetch(arch, "--tree", self.NAME, *self.packages.split())
            words += ["--tree", os.path.join(BUILD, "packages", arch, "trees", self.NAME)]
        files = self.files(arch, out) if self.files else {}
        files |= {"init": init, "commands": table}
        etc = os.path.join(ROOT, "tools", "initramfs", "etc")
        files |= {f"etc/{name}": os.path.join(etc, name) for name in ("passwd", "group")}
        initrd = os.path.join(out, f"{self.NAME}.cpio")
        tool("tools/mkinitramfs", initrd, *words,
             *(word for name, path in files.items() for word in ("--file", f"{name}={path}")))
        return initrd

    @staticmethod
    def append(part, patience):
        return f"part={part} patience={patience}"

    def parse(self, lines):
        """A command passes with status 0 and without a "not ok"."""
        found, bad = {}, False
        for line in lines:
            ended = ENDED.search(line)
            if START.match(line):
                bad = False
            elif ended:
                status = int(ended[1])
                found[ended[2]] = "skip" if status in self.skips else "fail" if bad or status else "ok"
            elif line.startswith("not ok"):
                bad = True
        return found

    @staticmethod
    def group(test):
        return test.split("/")[0]

    @staticmethod
    def explain(lines, test):
        """What the failing command printed."""
        start = next((i for i, line in enumerate(lines) if line == f"start {test}"), None)
        if start is None:
            return []
        end = next((i for i in range(start, len(lines)) if ENDED.search(lines[i])), len(lines) - 1)
        return lines[start + 1:end + 1][-LINES_SHOWN:]
