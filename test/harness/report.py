# SPDX-License-Identifier: GPL-2.0-or-later
"""The outcome of tests: one line for each, the reasons of a failure below it, the sums at the end."""
import threading


class Report:
    def __init__(self):
        self.lock = threading.Lock()
        self.passed = 0
        self.failed = []

    def result(self, name, ok, details=()):
        """Counts and prints one test; details are lines that explain a failure."""
        with self.lock:
            if ok:
                self.passed += 1
                print(f"pass {name}", flush=True)
                return
            self.failed.append(name)
            print(f"FAIL {name}", flush=True)
            for line in details:
                print(f"     {line}", flush=True)

    def note(self, text):
        with self.lock:
            print(f"---- {text}", flush=True)

    def summary(self):
        """Prints the sums; the exit status of the run."""
        if len(self.failed) > 1:
            print("failed:")
            for name in self.failed:
                print(f"     {name}")
        print(f"{self.passed} passed, {len(self.failed)} failed", flush=True)
        return 1 if self.failed or not self.passed else 0
