#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes compile_commands.json for editors, from what make would run: compile_commands.py ARCH"""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main():
    out = subprocess.run(["make", "-n", "-B", "-f", "tools/build.mk", "V=1", f"ARCH={sys.argv[1]}"],
                         cwd=ROOT, check=True, capture_output=True, text=True).stdout
    entries = []
    for line in out.splitlines():
        words = line.split()
        if words and words[0].startswith("clang") and "-c" in words:
            source = words[words.index("-c") + 1]
            entries.append({"directory": ROOT, "file": source, "arguments": words})
    with open(os.path.join(ROOT, "compile_commands.json"), "w", encoding="utf-8") as out_file:
        json.dump(entries, out_file, indent=1)
        out_file.write("\n")


main()
