# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots that must fail: each says on the console what was tried and why it failed, then panics, and panic=-1 resets."""
import os
import re
import shutil

from harness.guest import COMPILER
from harness.machine import ARCHES, BUILD, Boot, busybox, fetch, kernel_image, shell_initramfs, tool

PANIC = r"Kernel panic - not syncing"


def jobs(arches, only):
    for arch in arches:
        yield f"badboot/{arch}", lambda report, arch=arch: run(report, arch, only)


def compile_init(arch, out, text):
    source = os.path.join(out, "init.c")
    with open(source, "w", encoding="ascii") as file:
        file.write(text)
    program = source[:-2]
    tool(COMPILER[arch], "-O1", "-static", "-o", program, source)
    return program


def archive(out, name, *words):
    path = os.path.join(out, name + ".cpio")
    tool("tools/mkinitramfs", path, *words)
    return path


def cut(path, size, name):
    target = os.path.join(os.path.dirname(path), name)
    with open(path, "rb") as whole, open(target, "wb") as part:
        part.write(whole.read()[:size])
    return target


def corrupt(path, name):
    """A gzip archive with its middle overwritten."""
    target = os.path.join(os.path.dirname(path), name)
    with open(path, "rb") as whole, open(target, "wb") as part:
        data = bytearray(whole.read())
        middle = len(data) // 2
        data[middle:middle + 4096] = bytes(4096)
        part.write(data)
    return target


def plain_file(out, name, data, mode):
    path = os.path.join(out, name)
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)
    return path


def cases(arch, out):
    """(name, initrd, words, patterns that the console must show)."""
    fetch(arch, "busybox-static")
    other = [a for a in ARCHES if a != arch][0]
    fetch(other, "busybox-static")
    good = shell_initramfs(arch)
    packed = archive(out, "packed", "--busybox", busybox(arch), "--skeleton", "tools/initramfs", "--gzip")
    faults = os.path.join(out, "faults")
    shutil.copy(compile_init(arch, out, "int main(void) { return *(volatile int *)16; }\n"), faults)
    exits = compile_init(arch, out, "int main(void) { return 3; }\n")
    text = plain_file(out, "text", b"this is no program\n", 0o755)
    locked = plain_file(out, "locked", b"#!/bin/sh\n", 0o644)
    empty = plain_file(out, "empty.cpio", b"", 0o644)
    garbage = plain_file(out, "garbage.cpio", b"\x55\xaa" * 8192, 0o644)

    yield "no_initrd", None, "", [PANIC]
    yield "empty_initrd", empty, "", [PANIC]
    yield "garbage_initrd", garbage, "", [r"(?i)initramfs|initrd", PANIC]
    yield "truncated_initrd", cut(good, 700001, "truncated.cpio"), "", [r"(?i)initramfs|initrd", PANIC]
    yield "truncated_gzip", cut(packed, 300000, "truncated.cpio.gz"), "", [r"(?i)initramfs|initrd", PANIC]
    yield "corrupt_gzip", corrupt(packed, "corrupt.cpio.gz"), "", [r"(?i)initramfs|initrd", PANIC]
    yield "init_missing", archive(out, "none", "--file", f"bin/tool={text}"), "", [r"init", PANIC]
    yield ("named_init_missing", archive(out, "none", "--file", f"bin/tool={text}"), "rdinit=/nowhere",
           [r"/nowhere", PANIC])
    yield "init_not_executable", archive(out, "locked", "--file", f"init={locked}"), "", [r"/init", PANIC]
    yield "init_not_a_program", archive(out, "text", "--file", f"init={text}"), "", [r"/init", PANIC]
    yield ("init_of_other_architecture", archive(out, "other", "--file", f"init={busybox(other)}"), "",
           [r"/init", PANIC])
    yield ("init_exits", archive(out, "exits", "--file", f"init={exits}"), "",
           [PANIC + r".*Attempted to kill init.*0x0*300"])
    yield ("init_faults", archive(out, "faults_archive", "--file", f"init={faults}"), "",
           [PANIC + r".*Attempted to kill init.*0x0*b"])


def run(report, arch, only):
    out = os.path.join(BUILD, "badboot", arch)
    os.makedirs(out, exist_ok=True)
    for name, initrd, words, patterns in cases(arch, out):
        if not name.startswith(only or ""):
            continue
        boot = Boot(arch, kernel_image(arch), initrd, f"panic=-1 {words}", seconds=60, silence=25)
        text = "\n".join(boot.lines)
        wrong = [f"the console lacks {p!r}" for p in patterns if not re.search(p, text)]
        if boot.end != "ended":
            wrong.append("panic=-1 did not reset the machine")
        report.result(f"badboot/{arch}/{name}", not wrong, [*wrong, *boot.tail(20)])
