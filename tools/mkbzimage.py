#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a bzImage: mkbzimage.py SETUP CAIRN_ELF BZIMAGE.

The setup code, then the loadable segments of the ELF file as they lie in memory. Completes the
fields of the setup header that depend on sizes (Linux x86 boot protocol).
"""
import struct
import sys

SETUP_SECTS, SYSSIZE, INIT_SIZE, KERNEL_INFO = 0x1F1, 0x1F4, 0x260, 0x268
KERNEL_INFO_OFFSET = 0x1F0  # head.S
PT_LOAD = 1


def load_segments(elf):
    """Returns the image's bytes and how much memory it needs."""
    if elf[:5] != b"\x7fELF\x02":
        sys.exit("mkbzimage: not a 64-bit ELF file")
    phoff, = struct.unpack_from("<Q", elf, 32)
    phentsize, phnum = struct.unpack_from("<HH", elf, 54)
    segments = []
    for i in range(phnum):
        kind, _, offset, _, paddr, filesz, memsz, _ = struct.unpack_from("<IIQQQQQQ", elf, phoff + i * phentsize)
        if kind == PT_LOAD:
            segments.append((paddr, offset, filesz, memsz))
    start = min(s[0] for s in segments)
    image = bytearray(max(s[0] + s[2] for s in segments) - start)
    for paddr, offset, filesz, _ in segments:
        image[paddr - start:paddr - start + filesz] = elf[offset:offset + filesz]
    return image, max(s[0] + s[3] for s in segments) - start


def main():
    setup_path, elf_path, out_path = sys.argv[1:]
    with open(setup_path, "rb") as f:
        setup = bytearray(f.read())
    with open(elf_path, "rb") as f:
        image, memory = load_segments(f.read())
    if len(setup) != (setup[SETUP_SECTS] + 1) * 512:
        sys.exit("mkbzimage: the setup code does not have the size that its header says")
    image += bytes(-len(image) % 16)
    if image[KERNEL_INFO_OFFSET:KERNEL_INFO_OFFSET + 4] != b"LToP":
        sys.exit("mkbzimage: kernel_info is not where it should be")
    struct.pack_into("<I", setup, SYSSIZE, len(image) // 16)
    struct.pack_into("<I", setup, INIT_SIZE, memory)
    struct.pack_into("<I", setup, KERNEL_INFO, KERNEL_INFO_OFFSET)
    with open(out_path, "wb") as f:
        f.write(setup + image)


main()
