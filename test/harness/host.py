# SPDX-License-Identifier: GPL-2.0-or-later
"""Unit tests of kernel code in a process on the host (foo_test.c beside foo.c), under ASan and UBSan; those of several threads
(foo_race.c) under ThreadSanitizer."""
import os
import subprocess
import types

from harness.machine import BUILD, ROOT

SECONDS = 300 * int(os.environ.get("TEST_SCALE", "1"))


def jobs(_arches, only):
    yield "host", lambda report: run(report, "host", only)


def race_jobs(_arches, only):
    yield "race", lambda report: run(report, "race", only)


RACE = types.SimpleNamespace(jobs=race_jobs)


def run(report, layer, only):
    words, folder = ([], "host") if layer == "host" else (["RACE=1"], "host-race")
    build = subprocess.run(["make", "--no-print-directory", "-j2", "-f", "arch/host/build.mk", *words], cwd=ROOT,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if build.returncode:
        report.result(f"{layer}/build", False, build.stdout.splitlines()[-30:])
        return
    tests = subprocess.run([os.path.join(BUILD, folder, "runner"), only or ""], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, errors="replace", timeout=SECONDS, check=False)
    reasons, counted = [], 0
    for line in tests.stdout.splitlines():
        word, _, name = line.partition(" ")
        if word in ("pass", "FAIL"):
            report.result(f"{layer}/{name}", word == "pass", reasons[-40:])
            reasons, counted = [], counted + 1
        else:
            reasons.append(line)
    if not counted:
        report.result(f"{layer}/runner", False, tests.stdout.splitlines()[-30:])
