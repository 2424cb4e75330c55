#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Other people's test suites on both kernels: a table of what passes on Linux and what passes here.

  run.py [--arch ARCH] [--cpus N] [--sanitize] [--record] [SUITE[:PART,PART...]]...
  run.py --prove ...        only on Linux, to have its results kept
  run.py --kept ...         judges what this kernel printed the last time, without a boot: after known_differences.txt was changed
  run.py --page             writes docs/suites.md anew from docs/suites.json

A suite is a list of parts; each part runs in one machine on Linux (once: how its tests end there is kept in test/suites/linux, and
a part that has a file there boots only this kernel; remove the file to have it run again) and on this kernel. Only what
Linux passes is expected; with several processors what it passes with one, unless it has a file for as many. --sanitize takes the
sanitizer build of this kernel, which checks the order of locks too, and is more patient. Differences that are known stand in known_differences.txt with their reasons:
"SUITE/TEST-PREFIX: reason". --record keeps the counts in docs/suites.json and docs/suites.md. Ends with status 1 if any other test that passes on Linux does not pass here.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "test"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import machine  # noqa: E402
from harness.machine import BUILD, Boot, build_variant, kernel_image  # noqa: E402
import busybox_suite  # noqa: E402
import kselftest_suite  # noqa: E402
import python_suite  # noqa: E402
import record  # noqa: E402
import storage_suite  # noqa: E402
import stress_suite  # noqa: E402

SUITES = {"python": python_suite, "kselftest": kselftest_suite.SUITE, "busybox": busybox_suite, "stress": stress_suite.SUITE,
          "storage": storage_suite.SUITE}
LINUX = os.path.join(ROOT, "test", "suites", "linux")
KNOWN = os.path.join(ROOT, "test", "suites", "known_differences.txt")
SANITIZE_PATIENCE, SECONDS_MAX = 4, 1150  # how much longer a test may take on the sanitizer build; what a machine may take


def known_differences():
    found = []
    with open(KNOWN, encoding="utf-8") as lines:
        for line in lines:
            if ": " in line and not line.startswith("#"):
                prefix, _, reason = line.strip().partition(": ")
                found.append((prefix, reason))
    return found


def boot(arch, which, initrd, suite, part, cpus, variant=""):
    patience = SANITIZE_PATIENCE if variant else 1
    with tempfile.NamedTemporaryFile(dir=BUILD) as disk:
        size = getattr(suite, "DISK", None)
        if size:
            subprocess.run(["truncate", "-s", size, disk.name], check=True)
        return Boot(arch, kernel_image(arch, which, variant), initrd, f"quiet panic=-1 rdinit=/init {suite.append(part, patience)}",
                    memory=suite.MEMORY, seconds=min(suite.SECONDS * patience, SECONDS_MAX), silence=suite.SILENCE * patience, cpus=cpus,
                    extra=machine.qemu.disks([disk.name], ",cache=unsafe,discard=unmap") if size else ())


def on_linux(arch, initrd, suite, part, cpus):
    """How the tests of a part end on Linux: {test: outcome}."""
    file = os.path.join(LINUX, f"{arch}.{suite.NAME}.{part}.{cpus}.json")
    if os.path.exists(file):
        with open(file, encoding="utf-8") as saved:
            return {test: outcome for outcome, tests in json.load(saved).items() for test in tests}
    run = boot(arch, "linux", initrd, suite, part, cpus)
    found = suite.parse(run.lines)
    if not ended(run):
        print(f"     {arch} {suite.NAME} {part}: Linux's machine {run.end}", *run.tail(10), sep="\n     ", flush=True)
        return found
    outcomes = {outcome: [test for test in found if found[test] == outcome] for outcome in sorted(set(found.values()))}
    with open(file, "w", encoding="utf-8") as out:
        json.dump(outcomes, out, indent=0)
        out.write("\n")
    return found


def expected_cpus(arch, suite, part, options):
    """With how many processors Linux shows what is expected of the part."""
    own = os.path.exists(os.path.join(LINUX, f"{arch}.{suite.NAME}.{part}.{options.cpus}.json"))
    return options.cpus if own or options.prove else 1


def ended(run):
    return re.search("=== end", "\n".join(run.tail(8)))


def console_file(arch, suite, part, machine_name):
    return os.path.join(BUILD, "suites", arch, f"{suite.NAME}.{part}.{machine_name}.console")


def keep_console(file, run):
    """What the machine printed, for those who look for the reason of a difference."""
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in run.lines)


class KeptRun:
    """What the machine printed the last time, in the place of a Boot."""

    def __init__(self, file):
        with open(file, encoding="utf-8") as kept:
            self.lines = kept.read().split("\n")
        self.end = "ended before its end"

    def tail(self, count):
        return self.lines[-count:]


class Table:
    def __init__(self):
        self.known = known_differences()
        self.rows, self.unknown = [], 0

    def reason(self, name):
        for prefix, reason in self.known:
            if name.startswith(prefix):
                return reason
        return None

    def add(self, arch, suite, wanted, got, log, key):
        """One row for each group of tests; every difference is printed."""
        groups = {}
        for test, outcome in wanted.items():
            groups.setdefault(suite.group(test), []).append((test, outcome, got.get(test, "did not run")))
        for group, tests in groups.items():
            passed = [t for t in tests if t[1] == "ok"]
            different = [t for t in passed if t[2] != "ok"]
            unknown = 0
            for test, _, outcome in different:
                reason = self.reason(f"{suite.NAME}/{test}")
                unknown += reason is None
                print(f"{'DIFF' if reason is None else 'known'} {arch} {suite.NAME}/{test}: {outcome}"
                      f"{'' if reason is None else ' (' + reason + ')'}", flush=True)
                if reason is None:
                    for line in suite.explain(log, test):
                        print(f"     {line}", flush=True)
            self.unknown += unknown
            self.rows.append((key, f"{suite.NAME}/{group}", len(passed), len(passed) - len(different),
                              len(different) - unknown, unknown))

    def show(self):
        print(f"\n{'arch':8} {'suite':40} {'Linux':>6} {'here':>6} {'known':>6} {'new':>4}")
        for row in self.rows:
            print(f"{row[0].split()[0]:8} {row[1]:40} {row[2]:6} {row[3]:6} {row[4]:6} {row[5]:4}")
        total = [sum(row[column] for row in self.rows) for column in range(2, 6)]
        share = 100 * total[1] / total[0] if total[0] else 0
        print(f"{'all':8} {'':40} {total[0]:6} {total[1]:6} {total[2]:6} {total[3]:4}   {share:.1f} %", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--arch", choices=machine.ARCHES)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--sanitize", action="store_true")
    parser.add_argument("--prove", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("suites", nargs="*")
    options = parser.parse_args()
    if options.page:
        record.save([])
        return 0
    variant = "sanitize" if options.sanitize else ""
    machine_name = f"{options.cpus}{'-' if variant else ''}{variant}"
    table = Table()
    for word in options.suites or SUITES:
        name, _, parts = word.partition(":")
        suite = SUITES[name]
        for arch in [options.arch] if options.arch else machine.ARCHES:
            initrd = None if options.kept else suite.build(arch)
            if variant and not options.kept:
                build_variant(arch, variant)
            for part in parts.split(",") if parts else suite.PARTS:
                wanted = on_linux(arch, initrd, suite, part, expected_cpus(arch, suite, part, options))
                if options.prove:
                    print(f"{arch} {name} {part}: {sum(o == 'ok' for o in wanted.values())} of {len(wanted)} pass on Linux")
                    continue
                console = console_file(arch, suite, part, machine_name)
                if options.kept:
                    cairn = KeptRun(console)
                else:
                    cairn = boot(arch, None, initrd, suite, part, options.cpus, variant)
                    keep_console(console, cairn)
                table.add(arch, suite, wanted, suite.parse(cairn.lines), cairn.lines,
                          f"{arch} {name}:{part} {machine_name}")
                if not ended(cairn):
                    print(f"     {arch} {name} {part}: the machine {cairn.end}", *cairn.tail(10), sep="\n     ", flush=True)
                if options.record:
                    record.save(table.rows)
    table.show()
    return 1 if table.unknown else 0


if __name__ == "__main__":
    sys.exit(main())
