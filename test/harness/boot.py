# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot tests: BusyBox's shell on the serial console, driven as a person drives it (test/boot/steps.py)."""
import importlib.util
import os
import traceback

import pexpect

from harness.machine import ROOT, Shell, kernel_image, shell_initramfs

LOST_STEPS = 3  # steps in a row that end without a prompt before the machine is given up


def jobs(arches, only):
    for arch in arches:
        yield f"boot/{arch}", lambda report, arch=arch: run(report, arch, only)


def load_steps():
    path = os.path.join(ROOT, "test", "boot", "steps.py")
    spec = importlib.util.spec_from_file_location("steps", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.STEPS


def run_step(report, name, step, shell):
    """True when the shell is at its prompt afterwards."""
    try:
        step(shell)
        report.result(name, True)
        return True
    except AssertionError as wrong:
        frame = traceback.extract_tb(wrong.__traceback__)[-1]
        report.result(name, False, [f"line {frame.lineno}: {frame.line}", *str(wrong).splitlines()[-20:]])
    except pexpect.ExceptionPexpect as stuck:
        kind = "the machine ended" if isinstance(stuck, pexpect.EOF) else "no answer"
        report.result(name, False, [kind, *str(shell.child.before).splitlines()[-25:]])
        if isinstance(stuck, pexpect.EOF):
            return False
    try:
        shell.interrupt()
        return True
    except pexpect.ExceptionPexpect:
        return False


def run(report, arch, only):
    initrd = shell_initramfs(arch)
    steps = [step for step in load_steps() if step.__name__.startswith(only or "")]
    session = [step for step in steps if not step.ends_machine]
    lost = 0
    while session and lost < LOST_STEPS:
        with Shell(arch, kernel_image(arch), initrd, "panic=-1 norandmaps") as shell:
            try:
                shell.wait_for_shell()
            except pexpect.ExceptionPexpect:
                report.result(f"boot/{arch}/reaches_the_shell", False, str(shell.child.before).splitlines()[-25:])
                return
            while session:
                step = session.pop(0)
                if not run_step(report, f"boot/{arch}/{step.__name__}", step, shell):
                    lost += 1
                    break
    for step in session:
        report.result(f"boot/{arch}/{step.__name__}", False, ["not run: the machine was lost too often"])
    for step in steps:
        if step.ends_machine:
            with Shell(arch, kernel_image(arch), initrd, "panic=-1") as shell:
                shell.wait_for_shell()
                run_step(report, f"boot/{arch}/{step.__name__}", step, shell)
