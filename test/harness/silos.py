# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/silos.md, typed as a new user would: the lines of its console blocks behind a prompt, each followed by what must be printed."""
import os
import re

import pexpect

from harness import machine
from harness.machine import BUILD, ROOT, Shell, clean, fetch, kernel_image, tool

PACKAGES = ("bash coreutils grep sed mawk procps mount util-linux hostname iproute2 nodejs nginx-light fuse2fs e2fsprogs curl "
            "busybox-static")
HERE = os.path.join(ROOT, "test", "silos")
PAGE = os.path.join(ROOT, "docs", "silos.md")
PROMPTS = ("# ", "chevron> ")
SECONDS = 90  # for one command: node begins slowly where the processor is emulated
FORGET = "sync; echo 3 > /proc/sys/vm/drop_caches; sleep 0.3; grep -E '^(objects|tasks)' /proc/cairn/counts"


def jobs(arches, only):
    if machine.under_test == "cairn":
        for arch in arches:
            yield f"silos/{arch}", lambda report, arch=arch: run(report, arch, only)


def build(arch):
    """The user land, with chevron and the WebAssembly programs; also that of `make silos`."""
    fetch(arch, "--tree", "silos", *PACKAGES.split())
    out = os.path.join(BUILD, "silos", arch)
    os.makedirs(out, exist_ok=True)
    tool("make", "--no-print-directory", f"ARCH={arch}", "chevron")
    etc = os.path.join(ROOT, "tools", "initramfs", "etc")
    files = {"init": os.path.join(HERE, "init.sh"), "etc/passwd": os.path.join(etc, "passwd"), "etc/group": os.path.join(etc, "group"),
             "etc/nginx/silo.conf": os.path.join(HERE, "nginx.conf"), "srv/programs/server.js": os.path.join(HERE, "server.js"),
             "usr/bin/chevron": os.path.join(BUILD, arch, "chevron"),
             "usr/lib/cairn/wasi": os.path.join(ROOT, "user", "runtimes", "wasi")}
    for name in ("hello", "show"):
        files[f"srv/programs/{name}.wasm"] = os.path.join(out, f"{name}.wasm")
        tool("wat2wasm", os.path.join(HERE, f"{name}.wat"), "-o", os.path.join(out, f"{name}.wasm"))
        os.chmod(os.path.join(out, f"{name}.wasm"), 0o755)
    words = ["--tree", os.path.join(BUILD, "packages", arch, "trees", "silos")]
    for path, file in files.items():
        words += ["--file", f"{path}={file}"]
    initrd = os.path.join(out, "silos.cpio")
    tool("tools/mkinitramfs", initrd, *words, "--link", "bin/sh=bash")
    return initrd


def walks():
    """[(heading, [(prompt, line, [line that must follow])])] of the page."""
    found, heading = [], "begin"
    inside = False
    with open(PAGE, encoding="utf-8") as page:
        for line in page.read().splitlines():
            if line.startswith("#") and not inside:
                heading = re.sub(r"\W+", "_", line.strip("# ").lower())
            elif line == "```console":
                inside = True
                found.append((heading, []))
            elif line == "```":
                inside = False
            elif inside:
                prompt = next((prompt for prompt in PROMPTS if line.startswith(prompt)), None)
                if prompt:
                    found[-1][1].append((prompt, line[len(prompt):], []))
                else:
                    found[-1][1][-1][2].append(line)
    return found


def matches(wanted, got):
    """Line by line; "..." in a line is any text, and a line of nothing else any lines."""
    pattern = "".join(r"(?:.*\n)*" if line == "..." else r"[^\n]*".join(re.escape(part) for part in re.split(r" *\.\.\. *", line)) + "\n"
                      for line in wanted)
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in got)) is not None


class Typist:
    def __init__(self, shell):
        self.shell = shell

    def type(self, line):
        """Types it at the prompt that is there; what is printed until the next one, without the echo."""
        self.shell.type(line + "\r")
        self.shell.child.expect_exact(line, timeout=20)
        self.shell.child.expect(r"\r?\n", timeout=20)
        which = self.shell.child.expect([r"(?:^|\n)\r?" + re.escape(prompt) for prompt in PROMPTS] + [pexpect.EOF], timeout=SECONDS)
        return clean("\n" + self.shell.child.before).split("\n")[1:], which

    def counts(self):
        return self.type(FORGET)[0]


def type_walk(typist, walk):
    """None, or what went wrong."""
    for prompt, line, wanted in walk:
        got, _ = typist.type(line)
        if got and got[-1] == "":
            got.pop()
        if not matches(wanted, got):
            return [f"{prompt}{line}", "wanted:", *wanted, "got:", *got]
    return None


def run(report, arch, only):
    label = f"silos/{arch}"
    initrd = build(arch)
    with Shell(arch, kernel_image(arch), initrd, "quiet panic=-1 rdinit=/init", seconds=SECONDS, memory="1G") as shell:
        typist = Typist(shell)
        try:
            shell.child.expect_exact("# ", timeout=60)
            typist.type("stty cols 1000")
            before = typist.counts()
            for name, walk in walks():
                if not name.startswith(only):
                    continue
                wrong = type_walk(typist, walk)
                report.result(f"{label}/{name}", wrong is None, wrong or [])
                if wrong:
                    return
            after = before
            for _ in range(20):
                after = typist.counts()
                if after == before:
                    break
            report.result(f"{label}/nothing_is_left", after == before, [f"{before} -> {after}"])
        except pexpect.ExceptionPexpect:
            report.result(f"{label}/answers", False, str(shell.child.before).splitlines()[-25:])
