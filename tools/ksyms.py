#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the kernel's own symbol table, for backtraces (kernel/core/ksyms.c reads it).

  ksyms.py NM ELF OUT.S

Functions only, sorted by address. The second link puts the table behind the text, so no address changes.
"""
import subprocess
import sys

GROUP = 16  # names between two entries of the index


def functions(nm, elf):
    """Yields (address, name) of the functions between __text_start and __text_end."""
    out = subprocess.run([nm, "-n", "--defined-only", elf], check=True, capture_output=True, text=True)
    lines = [line.split() for line in out.stdout.splitlines()]
    symbols = [(int(address, 16), kind, name) for address, kind, name in lines]
    start = next(a for a, _, n in symbols if n == "__text_start")
    end = next(a for a, _, n in symbols if n == "__text_end")
    last = None
    for address, kind, name in symbols:
        if start <= address < end and kind in "tT" and name[0] not in "$." and address != last:
            if name != "__text_start":
                last = address
                yield address - start, name
    yield end - start, ""


def main():
    nm, elf, path = sys.argv[1:]
    table = list(functions(nm, elf))
    index, position = [], 0
    for i, (_, name) in enumerate(table):
        if i % GROUP == 0:
            index.append(position)
        position += len(name) + 1
    with open(path, "w", encoding="ascii") as out:
        out.write("/* SPDX-License-Identifier: GPL-2.0-or-later */\n/* Made by tools/ksyms.py. */\n")
        out.write('\t.section .ksyms, "a"\n\t.balign 4\n\t.globl ksym_count, ksym_offsets, ksym_index, ksym_names\n')
        out.write(f"ksym_count:\n\t.long {len(table)}\nksym_offsets:\n")
        out.writelines(f"\t.long {offset:#x}\n" for offset, _ in table)
        out.write("ksym_index:\n")
        out.writelines(f"\t.long {start}\n" for start in index)
        out.write("ksym_names:\n")
        out.writelines(f'\t.asciz "{name}"\n' for _, name in table)


main()
