#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the manual pages of Cairn's own calls from the comments in abi/native/cairn/*.h.

  manual.py DIRECTORY      DIRECTORY/man7/cairn_HEADER.7, what a header is about, and DIRECTORY/man2/CALL.2 for each call
  manual.py --check        every call of abi/native.tbl has a declaration with a comment
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADERS = os.path.join(ROOT, "abi", "native", "cairn")
NOT_PAGES = {"number.h"}
COMMENT = r"/\*(?P<comment>(?:[^*]|\*(?!/))*)\*/"
CALL = re.compile(COMMENT + r"\s*\n(?P<declaration>(?:[a-z_ ]|__u64|long)+\**\s*(?P<name>cairn_\w+)\([^;]*\);)")


def text_of(comment):
    """The lines of a comment without its decoration; an empty line parts paragraphs."""
    return "\n".join(re.sub(r"^\s*\* ?", "", line).rstrip() for line in comment.strip().split("\n")).strip()


def roff(text):
    """Paragraphs; lines that are indented stay as they are."""
    out, plain = [], True
    for line in text.replace("\\", "\\e").replace("-", "\\-").split("\n"):
        indented = line.startswith("  ")
        if indented == plain and line:
            out.append(".nf" if indented else ".fi")
            plain = not indented
        out.append(line.replace("'", "\\(aq") if line else ".PP")
    if not plain:
        out.append(".fi")
    return "\n".join("\\&" + line if line.startswith("'") else line for line in out)


def page(name, section, parts):
    lines = [f'.TH {name} {section} "" "Cairn" "Cairn\'s own calls"']
    for title, text in parts:
        lines += [f".SH {title}", text]
    return "\n".join(lines) + "\n"


def sentence(text):
    return re.split(r"\.(?:\s|$)", text, maxsplit=1)[0].replace("\n", " ")


def calls_of(source):
    for match in CALL.finditer(source):
        yield match["name"], " ".join(match["declaration"].split()), text_of(match["comment"])


def header_pages(header):
    """(section, name, text) of each page that a header makes."""
    with open(os.path.join(HEADERS, header), encoding="utf-8") as file:
        source = file.read()
    area = header[:-2]
    about = text_of(re.findall(COMMENT, source)[1])
    definitions = source[source.index("#include"):].split("#ifndef __KERNEL__")[0].strip()
    names = [name for name, _, _ in calls_of(source)]
    yield 7, f"cairn_{area}", page(f"cairn_{area}", 7, [
        ("NAME", f"cairn_{area} \\- {roff(sentence(about))}"), ("DESCRIPTION", roff(about)),
        ("DEFINITIONS", ".nf\n" + roff(definitions).replace(".nf\n", "").replace(".fi\n", "").replace(".PP", "") + "\n.fi"),
        ("SEE ALSO", ",\n".join(f".BR {name} (2)" for name in names))])
    for name, declaration, comment in calls_of(source):
        yield 2, name, page(name, 2, [
            ("NAME", f"{name} \\- {roff(sentence(comment))}"),
            ("SYNOPSIS", f".B #include <cairn/{header}>\n.PP\n.nf\n{roff(declaration)}\n.fi"),
            ("DESCRIPTION", roff(comment)),
            ("ERRORS", f"Those named above, and those that\n.BR cairn_{area} (7)\nlists for all calls."),
            ("SEE ALSO", f".BR cairn_{area} (7)")])


def all_pages():
    for header in sorted(os.listdir(HEADERS)):
        if header not in NOT_PAGES:
            yield from header_pages(header)


def check():
    documented = {name for _, name, _ in all_pages()}
    with open(os.path.join(ROOT, "abi", "native.tbl"), encoding="utf-8") as file:
        wanted = {"cairn_" + line.split()[0] for line in file if line.strip() and line[0] != "#"}
    missing = sorted(wanted - documented)
    if missing:
        sys.exit("manual.py: without a documented declaration: " + " ".join(missing))


def write(directory):
    for section, name, text in all_pages():
        folder = os.path.join(directory, f"man{section}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{name}.{section}"), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--check":
        check()
    else:
        write(sys.argv[1])
