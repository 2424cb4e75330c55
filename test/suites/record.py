# SPDX-License-Identifier: GPL-2.0-or-later
"""The record of the last complete results: docs/suites.json for machines, docs/suites.md for people."""
import json
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILE = os.path.join(ROOT, "docs", "suites.json")
PAGE = os.path.join(ROOT, "docs", "suites.md")
COLUMNS = ("linux", "here", "known", "new")
HEAD = """# Other people's suites

The last complete results, written by `make suites` (`test/suites/run.py --record`): how many tests pass on Debian's Linux,
how many of those pass here, how many of the others are known (with their reasons in `test/suites/known_differences.txt`), and
how many are not. Both kernels run in the same QEMU. "sanitize" is the sanitizer build, which checks the order of locks too; with several
processors what is expected is what Linux passes with one.

"""


def load():
    if not os.path.exists(FILE):
        return {}
    with open(FILE, encoding="utf-8") as saved:
        return json.load(saved)


def save(rows):
    """`rows`: (key "arch suite:part cpus", of another build "arch suite:part cpus-build", group, linux, here, known, new); replaces
    what was recorded of those keys."""
    record = load()
    for key in {row[0] for row in rows}:
        record[key] = {row[1]: dict(zip(COLUMNS, row[2:])) for row in rows if row[0] == key}
    with open(FILE, "w", encoding="utf-8") as out:
        json.dump(record, out, indent=1, sort_keys=True)
        out.write("\n")
    with open(PAGE, "w", encoding="utf-8") as out:
        out.write(HEAD + page(record))


def page(record):
    """Markdown: a row for each architecture and group, and the sums."""
    lines = ["| machine | suite | Linux | here | known | new |", "|---|---|---:|---:|---:|---:|"]
    machines = {}
    for key, groups in record.items():
        arch, _, cpus = key.split()
        count, _, variant = cpus.partition("-")
        rows = machines.setdefault(f"{arch}, -smp {count}" + (f", {variant}" if variant else ""), {})
        for group, row in groups.items():
            sums = rows.setdefault(group, [0] * len(COLUMNS))
            rows[group] = [a + row[column] for a, column in zip(sums, COLUMNS)]
    for machine, rows in sorted(machines.items()):
        for group, row in sorted(rows.items()):
            lines.append(f"| {machine} | {group} | " + " | ".join(map(str, row)) + " |")
        total = [sum(row[i] for row in rows.values()) for i in range(len(COLUMNS))]
        share = 100 * total[1] / total[0] if total[0] else 0
        lines.append(f"| **{machine}** | **all: {share:.1f} %** | " + " | ".join(f"**{n}**" for n in total) + " |")
    return "\n".join(lines) + "\n"
