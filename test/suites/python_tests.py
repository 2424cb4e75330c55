# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs modules of Python's own test suite in the guest, each in a process of its own: a line when a test starts and one when it ends,
so that a hang costs one line. usage: python_tests.py SECONDS MODULE..."""
import faulthandler
import os
import subprocess
import sys
import unittest


def say(*words):
    sys.__stdout__.write(" ".join(words) + "\n")
    sys.__stdout__.flush()


class Lines(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.outcome = "ok"
        say("start", test.id())

    def stopTest(self, test):
        say(self.outcome, test.id())
        super().stopTest(test)

    def worse(self, outcome, test, error):
        self.outcome = outcome
        for line in self._exc_info_to_string(error, test).splitlines()[-12:]:
            say("#", line)

    def addFailure(self, test, err):
        self.worse("fail", test, err)
        if not isinstance(test, unittest.TestCase):
            say("fail", test.id())

    def addError(self, test, err):
        self.worse("error", test, err)
        if not isinstance(test, unittest.TestCase):  # of a class or a module
            say("error", test.id())

    def addSubTest(self, test, subtest, err):
        if err:
            self.worse("fail", subtest, err)

    def addSkip(self, test, reason):
        self.outcome = "skip"

    def addExpectedFailure(self, test, err):
        self.outcome = "ok"


def run(name):
    from test import support
    support.use_resources = []
    support.verbose = False
    suite = unittest.defaultTestLoader.loadTestsFromName("test." + name)
    suite.run(Lines())
    sys.stdout.flush()


def main():
    if sys.argv[1] == "run":
        run(sys.argv[2])
        return
    for name in sys.argv[2:]:
        work = os.path.join("/tmp", "w", name)
        os.makedirs(work, exist_ok=True)
        say("===", name)
        try:
            done = subprocess.run([sys.executable, __file__, "run", name], cwd=work, stdin=subprocess.DEVNULL,
                                  stderr=subprocess.STDOUT, timeout=int(sys.argv[1]), check=False)
            say("status", str(done.returncode))
        except subprocess.TimeoutExpired:
            say("status time-out")


faulthandler.enable()
main()
