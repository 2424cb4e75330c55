#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads abi/syscalls.tbl (Linux) and abi/native.tbl (Cairn's own calls) and writes what is made from them.

  syscalls.py generate ARCH DIR   syscall_prototypes.h, syscall_table.c and syscall_trace.h
  syscalls.py docs                the coverage page, on standard output
  syscalls.py fuzz ARCH           the fuzzer's grammar (test/fuzz), on standard output
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINUX = os.path.join(ROOT, "abi", "syscalls.tbl")
NATIVE = os.path.join(ROOT, "abi", "native.tbl")
PROMISES = os.path.join(ROOT, "abi", "promises.tbl")
TABLE = LINUX
ARCHES = ("x86_64", "aarch64")

# type in the table -> (C type, how strace prints it)
SCALARS = {
    "fd": ("int", "FD"), "dirfd": ("int", "DIRFD"), "int": ("int", "INT"),
    "pid": ("int", "INT"), "clock": ("int", "INT"), "signo": ("int", "SIGNAL"),
    "uint": ("unsigned", "UNSIGNED"), "u32": ("u32", "UNSIGNED"), "uid": ("u32", "INT"),
    "mode": ("unsigned", "OCTAL"), "hex": ("unsigned", "HEX32"),
    "long": ("long", "LONG"), "off": ("s64", "LONG"), "s64": ("s64", "LONG"),
    "ulong": ("unsigned long", "ULONG"), "u64": ("u64", "ULONG"), "size": ("size_t", "ULONG"),
    "ulonghex": ("unsigned long", "HEX"), "addr": ("unsigned long", "HEX"),
    "path": ("const char __user *", "STRING"), "str": ("const char __user *", "STRING"),
    "argv": ("const char __user *const __user *", "ARGV"), "ptr": ("void __user *", "POINTER"),
    "sigset": ("u64", None),
}

LINE = re.compile(r'^(\w+)\s+(both|x86_64|aarch64)\s+(\w+)\s+(none|full|partial\s+"([^"]+)")\s+'
                  r'\(([^)]*)\)\s*(.*)$')
ARGUMENT = re.compile(r'^(\w+):(?:(in|out|inout)(?:<(\w+)>)?(?:\[(\w+)\])?|(\w+))$')
ORDER = re.compile(r'^order=([\d,]+)@(x86_64|aarch64)$')


def fail(message):
    sys.exit(f"{os.path.relpath(TABLE)}: {message}")


class Argument:
    def __init__(self, text, names):
        match = ARGUMENT.match(text)
        if not match:
            fail(f"bad argument {text!r}")
        self.name, self.direction, self.target, self.length, scalar = match.groups()
        self.struct = None
        if scalar:
            if scalar not in SCALARS or scalar == "sigset":
                fail(f"unknown type {scalar!r}")
            self.type = scalar
            self.ctype, self.trace = SCALARS[scalar]
            return
        self.type = "pointer"
        if self.target is None:
            ctype = "void"
        elif self.target in SCALARS:
            ctype = SCALARS[self.target][0]
        else:
            self.struct = self.target
            ctype = "struct " + self.target
        if self.length and not self.length.isdigit() and self.length not in names:
            fail(f"length of {text!r} is no argument")
        const = "const " if self.direction == "in" else ""
        self.ctype = f"{const}{ctype} __user *"
        self.trace = self.pointer_trace()

    def pointer_trace(self):
        """Text that goes in or out is shown as text, small vectors of numbers as numbers."""
        if self.target is None and self.length:
            return {"in": "IN_BYTES", "out": "OUT_BYTES"}.get(self.direction, "POINTER")
        if self.target in ("int", "uid", "uint", "u32") and self.length in (None, "2"):
            if self.direction != "in":
                return "OUT_INT2" if self.length else "OUT_INT"
        if self.target == "__kernel_timespec" and self.direction != "out" and not self.length:
            return "IN_TIMESPEC"
        return "POINTER"


class Call:
    def __init__(self, line):
        match = LINE.match(line)
        if not match:
            fail(f"cannot read: {line}")
        self.name, self.where, self.area, status, self.missing, arguments, flags = match.groups()
        self.status = status.split()[0]
        words = arguments.split()
        names = [word.split(":")[0] for word in words]
        if len(words) > 6 or len(set(names)) != len(names):
            fail(f"{self.name}: arguments")
        self.arguments = [Argument(word, names) for word in words]
        self.order = {}
        self.in_registers = False
        for flag in flags.split():
            if flag == "frame":
                self.in_registers = True
                continue
            order = ORDER.match(flag)
            if not order:
                fail(f"{self.name}: unknown flag {flag!r}")
            self.order[order.group(2)] = [int(i) for i in order.group(1).split(",")]

    def on(self, arch):
        return self.where in ("both", arch)

    def register(self, arch, i):
        return self.order.get(arch, range(6))[i]

    def prototype(self):
        if self.in_registers:
            return f"long sys_{self.name}(struct trap_frame *frame);"
        parameters = ", ".join(f"{a.ctype}{'' if a.ctype.endswith('*') else ' '}{a.name}"
                               for a in self.arguments)
        return f"long sys_{self.name}({parameters or 'void'});"


def read_table(path=LINUX):
    calls = []
    with open(path, encoding="ascii") as table:
        for line in table:
            line = line.strip()
            if line and not line.startswith("#"):
                calls.append(Call(line))
                calls[-1].index = f"__NR_{calls[-1].name}" if path == LINUX else \
                    f"CAIRN_NR_{calls[-1].name} - CAIRN_NR_BASE"
    if len({call.name for call in calls}) != len(calls):
        fail("a name appears twice")
    return calls


def banner(what):
    return ("/* SPDX-License-Identifier: GPL-2.0-or-later */\n"
            f"/* {what} Made by tools/syscalls.py from abi/syscalls.tbl. */\n")


def prototypes(calls):
    """Of every call: one that an architecture lacks is dropped there by the linker."""
    structs = sorted({"trap_frame"} | {a.struct for c in calls for a in c.arguments if a.struct})
    lines = [banner("Prototypes of the system calls."), "#pragma once", "",
             "#include <lib/types.h>", ""]
    lines += [f"struct {name};" for name in structs] + [""]
    lines += [c.prototype() for c in calls]
    return "\n".join(lines) + "\n"


def shim(call, arch):
    """A function that takes a call's arguments out of the registers in their proper width."""
    if call.in_registers:
        return (f"static long shim_{call.name}(const struct trap_frame *frame)\n{{\n"
                f"\treturn sys_{call.name}((struct trap_frame *)(uintptr_t)frame);\n}}\n")
    values = [f"({a.ctype})frame_argument(frame, {call.register(arch, i)})"
              for i, a in enumerate(call.arguments)]
    unused = "" if values else "\t(void)frame;\n"
    return (f"static long shim_{call.name}(const struct trap_frame *frame)\n{{\n{unused}"
            f"\treturn sys_{call.name}({', '.join(values)});\n}}\n")


def table_rows(calls, name, size):
    lines = [f"static long (*const {name}[{size}])(const struct trap_frame *frame) = {{"]
    lines += [f"\t[{c.index}] = {'shim_' + c.name if c.status != 'none' else 'nullptr'}," for c in calls]
    return lines + ["};"]


def table(calls, native, arch):
    here = [c for c in calls if c.on(arch)]
    present = [c for c in here + native if c.status != "none"]
    lines = [banner("The dispatch table; included by kernel/linux/dispatch.c."), "#pragma once", "",
             "#include <arch/frame.h>", "#include <asm/unistd.h>", "#include <cairn/number.h>",
             "#include <syscall_prototypes.h>", "",
             "#define SYSCALL_TABLE_SIZE 512 /* a power of two */", ""]
    lines += [shim(c, arch) for c in present]
    lines += table_rows(here, "syscall_table", "SYSCALL_TABLE_SIZE")
    lines += table_rows(native, "native_table", "CAIRN_NR_COUNT")
    return "\n".join(lines) + "\n"


def trace_rows(calls, arch, name):
    lines = [f"static const struct trace_format {name}[] = {{"]
    for call in calls:
        if not call.on(arch):
            continue
        kinds = ", ".join(f"TRACE_{a.trace}" for a in call.arguments)
        names = [a.name for a in call.arguments]
        lengths = ", ".join(str(call.register(arch, names.index(a.length)) if a.length in names else 0)
                            for a in call.arguments)
        lines.append(f'\t[{call.index}] = {{ "{call.name}", {len(names)}, {{ {kinds} }}, {{ {lengths} }} }},')
    return lines + ["};"]


def trace(calls, native, arch):
    lines = [banner("Argument formats for strace; included by kernel/linux/strace.c."),
             "#pragma once", "", "#include <asm/unistd.h>", "#include <cairn/number.h>", ""]
    lines += trace_rows(calls, arch, "trace_formats") + [""] + trace_rows(native, arch, "native_trace_formats")
    return "\n".join(lines) + "\n"


def promises(calls, arch):
    """Of each call the promises of cairn_pledge that allow it."""
    wanted, known = {}, {call.name: call for call in calls}
    with open(PROMISES, encoding="ascii") as table:
        for line in table:
            promise, *names = line.partition("#")[0].split() or [None]
            for name in names:
                if name not in known:
                    sys.exit(f"abi/promises.tbl: no call {name}")
                wanted.setdefault(name, []).append(f"CAIRN_PROMISE_{promise.upper()}")
    lines = [banner("Promises; included by kernel/linux/pledge.c."), "#pragma once", "", "#include <asm/unistd.h>",
             "#include <cairn/confine.h>", "", "static const u32 call_promises[] = {"]
    lines += [f"\t[{known[name].index}] = {' | '.join(bits)}," for name, bits in wanted.items() if known[name].on(arch)]
    return "\n".join(lines + ["};"]) + "\n"


def write_if_changed(path, text):
    """Leaves the time stamp alone when nothing changed, so that nothing is compiled again."""
    try:
        with open(path, encoding="ascii") as old:
            if old.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="ascii") as out:
        out.write(text)


def generate(arch, directory):
    if arch not in ARCHES:
        sys.exit(f"syscalls.py: unknown architecture {arch}")
    calls, native = read_table(), read_table(NATIVE)
    os.makedirs(directory, exist_ok=True)
    write_if_changed(os.path.join(directory, "syscall_prototypes.h"), prototypes(calls + native))
    write_if_changed(os.path.join(directory, "syscall_table.c"), table(calls, native, arch))
    write_if_changed(os.path.join(directory, "syscall_trace.h"), trace(calls, native, arch))
    write_if_changed(os.path.join(directory, "syscall_promises.h"), promises(calls, arch))


def docs():
    calls = read_table()
    count = {s: sum(c.status == s for c in calls) for s in ("full", "partial", "none")}
    print("# System calls\n")
    print("Made from `abi/syscalls.tbl` by `make docs`; do not edit. The set is that of Linux 6.1.\n")
    print("| | full | partial | none |\n|---|---|---|---|")
    print(f"| all | {count['full']} | {count['partial']} | {count['none']} |")
    for arch in ARCHES:
        here = [c for c in calls if c.on(arch)]
        row = [sum(c.status == s for c in here) for s in ("full", "partial", "none")]
        print(f"| {arch} | {row[0]} | {row[1]} | {row[2]} |")
    print("\n*full*: what the manual page says. *partial*: what is missing is named. *none*: `ENOSYS`.\n")
    print("| call | where | status | missing |\n|---|---|---|---|")
    for call in sorted(calls, key=lambda c: (c.area, c.name)):
        where = "" if call.where == "both" else call.where
        print(f"| {call.area}: `{call.name}` | {where} | {call.status} | {call.missing or ''} |")


FUZZ_KINDS = {"fd": "FD", "dirfd": "DIRFD", "pid": "PID", "uid": "UID", "signo": "SIGNAL", "mode": "MODE", "hex": "FLAGS",
              "ulonghex": "FLAGS", "clock": "CLOCK", "size": "SIZE", "path": "PATH", "str": "PATH", "argv": "VECTOR",
              "addr": "ADDRESS", "ptr": "POINTER", "pointer": "POINTER"}


def fuzz(arch):
    print(banner("The fuzzer's grammar: the calls that exist."))
    print("#pragma once\n\nconst struct grammar_call grammar[] = {")
    for call in read_table():
        if not call.on(arch) or call.status == "none":
            continue
        kinds = {call.register(arch, i): f"ARGUMENT_{FUZZ_KINDS.get(a.type, 'NUMBER')}"
                 for i, a in enumerate(call.arguments)}
        row = ", ".join(kinds.get(i, "ARGUMENT_NUMBER") for i in range(max(kinds, default=-1) + 1))
        print(f'\t{{ "{call.name}", __NR_{call.name}, {max(kinds, default=-1) + 1}, {{ {row} }} }},')
    print("};\nconst unsigned grammar_count = sizeof(grammar) / sizeof(grammar[0]);")


def main():
    match sys.argv[1:]:
        case ["generate", arch, directory]:
            generate(arch, directory)
        case ["docs"]:
            docs()
        case ["fuzz", arch] if arch in ARCHES:
            fuzz(arch)
        case _:
            sys.exit(__doc__)


main()
