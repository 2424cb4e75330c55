#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of the house that a program can check; `make check` runs it after a build without warnings.

  check.py [RULE]...   rules: licence layers words headers format syscalls (all without arguments)

Prints each violation as FILE:LINE: text and ends with status 1 if there is one.
"""
import concurrent.futures
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ARCHES = ("x86_64", "aarch64")

# A file includes headers of its own layer or of lower ones. Equal numbers may include each other.
LAYERS = {"lib": 0, "arch": 1, "core": 2, "mm": 3, "sched": 4, "obj": 5, "ipc": 6, "proc": 6, "vfs": 7, "block": 8,
          "fs": 8, "net": 8, "dev": 8, "linux": 9, "native": 9}
APART = {("linux", "native"), ("native", "linux")}
# Files that are above their folder, with the reason.
ABOVE = {
    "kernel/core/init.c": "the root of the kernel: it calls the initialisation of every layer",
    "kernel/core/core_ktest.c": "tests wait and sleep",
    "kernel/mm/aspace.c": "the current address space is a field of the current thread",
    "kernel/mm/reclaim.c": "reclaim runs in a thread and sleeps between its rounds",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
ARCH_CONDITION = re.compile(r"^\s*#\s*(?:el)?if.*\b(__x86_64__|__aarch64__|__amd64__|__arm64__|__i386__)\b")
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")

violations = []


def violation(path, line, text):
    violations.append(f"{path}:{line}: {text}" if line else f"{path}: {text}")


def tracked():
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in out.splitlines() if os.path.isfile(os.path.join(ROOT, path))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def is_c(path):
    return path.endswith((".c", ".h"))


def check_licence():
    """Every source file says its licence in its first line, or in the second one below #!."""
    for path in tracked():
        if not (is_c(path) or path.endswith((".S", ".lds", ".py", ".mk", ".sh", ".tbl", "Makefile"))
                or path.startswith("tools/") and "." not in os.path.basename(path)):
            continue
        if os.path.islink(os.path.join(ROOT, path)) or path.startswith("tools/initramfs/etc/"):
            continue
        if not any("SPDX-License-Identifier:" in line for line in read(path).splitlines()[:2]):
            violation(path, 1, "no SPDX-License-Identifier line")


def layer_of(path):
    """(folder, number) of a file of the kernel."""
    parts = path.split("/")
    if parts[0] == "kernel":
        return parts[1], LAYERS.get(parts[1])
    if path.startswith("arch/include/"):
        return "arch", LAYERS["arch"]
    return None, None


def check_include(path, line, quote, name):
    folder, layer = layer_of(path)
    if name.endswith("_priv.h") and "/" in name and os.path.dirname(name) != "/".join(path.split("/")[1:-1]):
        violation(path, line, f"{name} is private to its folder")
    target = name.split("/")[0]
    if layer is None or quote == '"' or target not in LAYERS or "/" not in name:
        return
    if path in ABOVE:
        return
    # The kernel's own linux/ folder has no header of a name that the uapi headers have.
    if target == "linux" and not os.path.exists(os.path.join(ROOT, "kernel", name)):
        return
    if LAYERS[target] > layer:
        violation(path, line, f"{folder}/ includes <{name}> of a higher layer")
    if (folder, target) in APART:
        violation(path, line, f"{folder}/ includes <{name}>: the two never include each other")


def check_layers():
    for path in tracked():
        if not is_c(path) or not path.startswith(("kernel/", "arch/")):
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                check_include(path, number, match[1], match[2])
            if path.startswith("kernel/") and ARCH_CONDITION.match(line):
                violation(path, number, "a condition on the architecture outside arch/")


def check_words():
    """Nothing unfinished; lines end where their text ends."""
    for path in tracked():
        if path.endswith((".c", ".h", ".S", ".py", ".md", ".mk", ".sh", ".tbl", "Makefile")):
            for number, line in enumerate(read(path).splitlines(), 1):
                if UNFINISHED.search(line):
                    violation(path, number, "unfinished")
                if line != line.rstrip():
                    violation(path, number, "space at the end of the line")


def flags_of(arch):
    out = subprocess.run(["make", "-s", "--no-print-directory", "-f", "tools/build.mk", f"ARCH={arch}", "print-compiler"],
                         cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return out.split()


def compile_header(command, path):
    # A part of a contract header is included by that header only.
    name = path.split("/include/", 1)[-1].replace("arch/impl/", "arch/") if "/include/" in path else path.removeprefix("kernel/")
    text = f"#include <{name}>\n#include <{name}>\n"
    extra = [f"-I{os.path.dirname(path)}"] if path.startswith("arch/") else []
    if path.startswith("arch/") and "/include/" not in path:
        text = f'#include "{os.path.basename(path)}"\n'
    done = subprocess.run([*command, *extra, "-fsyntax-only", "-x", "c", "-"], cwd=ROOT, input=text, text=True,
                          capture_output=True, check=False)
    return path, done.returncode, done.stderr


def check_headers():
    """Each header compiles alone, and twice, for both architectures."""
    headers = [path for path in tracked() if path.endswith(".h") and path.startswith(("kernel/", "arch/"))
               and not path.startswith("arch/host/") and "assembler files" not in read(path)[:400]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for arch in ARCHES:
            command = flags_of(arch)
            others = tuple(f"arch/{other}/" for other in ARCHES if other != arch)
            mine = [path for path in headers if not path.startswith(others)]
            for path, status, errors in pool.map(lambda path, command=command: compile_header(command, path), mine):
                if status:
                    violation(path, 0, f"does not compile alone for {arch}: {re.findall('error: .*|$', errors)[0]}")


def check_format():
    sources = [path for path in tracked() if is_c(path) and path.startswith(("kernel/", "arch/", "test/", "bench/"))]

    def run(path):
        done = subprocess.run(["clang-format-22", "--dry-run", "-Werror", path], cwd=ROOT, capture_output=True,
                              text=True, check=False)
        return path, done.returncode

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, status in pool.map(run, sources):
            if status:
                violation(path, 0, "is not as clang-format-22 would lay it out")


def check_syscalls():
    wanted = subprocess.run([sys.executable, "tools/syscalls.py", "docs"], cwd=ROOT, capture_output=True, text=True,
                            check=True).stdout
    path = "docs/syscalls.md"
    if not os.path.exists(os.path.join(ROOT, path)) or read(path) != wanted:
        violation(path, 0, "is not what abi/syscalls.tbl says: run `make docs`")

    manual = subprocess.run([sys.executable, "tools/manual.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    if manual.returncode:
        violation("abi/native.tbl", 0, manual.stderr.strip())


RULES = {"licence": check_licence, "layers": check_layers, "words": check_words, "headers": check_headers,
         "format": check_format, "syscalls": check_syscalls}


def main():
    wanted = sys.argv[1:] or list(RULES)
    if not all(name in RULES for name in wanted):
        sys.exit(__doc__)
    for name in wanted:
        before = len(violations)
        RULES[name]()
        print(f"check: {name}: {'ok' if len(violations) == before else f'{len(violations) - before} violations'}",
              flush=True)
    for text in violations:
        print(text)
    return 1 if violations else 0


sys.exit(main())
