#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the tests: every layer, both architectures, two machines at a time.

  run.py [--arch ARCH] [--jobs N] [--kernel linux] [LAYER[:PREFIX]]...

LAYER is host, race, disk, debian, ext4, power, model, net, ktest, guest, fuzz, native, boot, applets, programs, servers, silos, badboot or dynamic; PREFIX selects the tests of that layer whose name begins
so; --kernel linux proves the tests themselves on Debian's kernel. Prints a line for each test and ends with "N passed, N failed".
"""
import argparse
import concurrent.futures
import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import applets, badboot, boot, disk, dynamic, fuzz, guest, host, ktest, machine, model, native, net, programs, servers, silos  # noqa: E402
from harness import debian, ext4, power  # noqa: E402
from harness.report import Report  # noqa: E402

# The longest first, so that the two lanes end together.
LAYERS = {"guest": guest, "native": native, "boot": boot, "applets": applets, "dynamic": dynamic, "programs": programs,
          "disk": disk, "net": net, "servers": servers, "silos": silos,
          "debian": debian, "ext4": ext4, "power": power,
          "badboot": badboot, "fuzz": fuzz, "ktest": ktest, "host": host, "race": host.RACE, "model": model}

# Run only when they are named: `make suites` does.
LONG_LAYERS = {"servers-long": servers.LONG}


def run_job(report, name, function):
    try:
        function(report)
    except Exception:  # a broken harness is a failed test, and the other layers still run
        report.result(name, False, traceback.format_exc().splitlines()[-30:])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--arch", choices=machine.ARCHES)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kernel", choices=("cairn", "linux"), default="cairn")
    parser.add_argument("layers", nargs="*")
    options = parser.parse_args()
    machine.under_test = options.kernel
    arches = [options.arch] if options.arch else machine.ARCHES

    report = Report()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as lanes:
        for word in options.layers or LAYERS:
            layer, _, only = word.partition(":")
            module = LAYERS.get(layer) or LONG_LAYERS.get(layer)
            if not module:
                sys.exit(f"run.py: no layer {layer}: {' '.join(LAYERS)}")
            for name, function in module.jobs(arches, only):
                lanes.submit(run_job, report, name, function)
    return report.summary()


if __name__ == "__main__":
    sys.exit(main())
