#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The QEMU command line, in one place for `make run`, the tests and the benchmarks.

  qemu.py ARCH KERNEL [INITRD] [--append WORDS] [--disk IMAGE] [--memory 256M] [--cpus N] [--cpu MODEL] [--forward HOST:GUEST] [--gdb]

runs the machine on this terminal: Ctrl-A x ends it, powering off in the guest ends it with status 0.
"""
import argparse
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONSOLE = {"x86_64": "ttyS0", "aarch64": "ttyAMA0"}
# A model without pointer authentication: Debian's kernel would spend its time computing signatures in software.
CPU = {"x86_64": "max", "aarch64": "cortex-a72"}
MACHINE = {"x86_64": "q35", "aarch64": "virt"}
IMAGE = {"x86_64": "bzImage", "aarch64": "Image"}


def cairn(arch, variant=""):
    """The boot image of this kernel, as the build makes it; variant: "", "debug", "ktest" or "sanitize"."""
    return os.path.join(ROOT, "build", f"{arch}-{variant}" if variant else arch, IMAGE[arch])


def linux(arch):
    """Debian's kernel, as tools/fetch leaves it."""
    return os.path.join(ROOT, "build", "packages", arch, "vmlinuz")


def user_network(forwards=(), mmio=False, capture=None):
    """The words for QEMU's user network: 10.0.2.2 is the host's loopback; forwards: (host port, guest port)."""
    words = "user,id=net0" + "".join(f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for host, guest in forwards)
    line = ["-netdev", words, "-device", f"virtio-net-{'device' if mmio else 'pci'},netdev=net0"]
    if capture:
        line += ["-object", f"filter-dump,id=dump0,netdev=net0,file={capture}"]
    return line


def accelerated(arch):
    """True when the environment says ACCEL=kvm and this host can: its own architecture, real cycles."""
    return os.environ.get("ACCEL") == "kvm" and arch == os.uname().machine


def cpu(arch, model=None):
    """The words for the processor. Under KVM it is the host's: a model that emulation is tuned by means nothing there."""
    return "-accel kvm -cpu host" if accelerated(arch) else f"-cpu {model or CPU[arch]}"


def command(arch, kernel, initrd=None, append="", memory="256M", cpus=1, model=None, extra=()):
    """The argument vector; the guest's console is on standard input and output."""
    line = [f"qemu-system-{arch}", "-machine", MACHINE[arch], *cpu(arch, model).split(), "-m", str(memory),
            "-smp", str(cpus), "-nographic", "-nic", "none", "-kernel", kernel]
    if arch == "x86_64":
        line += ["-vga", "none"]
    if initrd:
        line += ["-initrd", initrd]
    return line + ["-append", f"console={CONSOLE[arch]} {append}".strip(), *extra]


def disks(images, options=""):
    """The words for virtio disks, vda first."""
    words = []
    for number, image in enumerate(images):
        words += ["-drive", f"file={image},format=raw,if=none,id=disk{number}{options}",
                  "-device", f"virtio-blk-pci,drive=disk{number}"]
    return words


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("arch", choices=CONSOLE)
    parser.add_argument("kernel")
    parser.add_argument("initrd", nargs="?")
    parser.add_argument("--disk", action="append", default=[])
    parser.add_argument("--append", default="")
    parser.add_argument("--memory", default="256M")
    parser.add_argument("--cpus", default="1")
    parser.add_argument("--cpu")
    parser.add_argument("--forward", action="append", default=[], metavar="HOST:GUEST",
                        help="a network, with this port of the host's loopback leading to one of the guest")
    parser.add_argument("--gdb", action="store_true", help="wait for a debugger on port 1234")
    options = parser.parse_args()
    network = user_network(forward.split(":") for forward in options.forward) if options.forward else []
    line = command(options.arch, options.kernel, options.initrd, options.append, options.memory, options.cpus,
                   options.cpu, [*disks(options.disk), *network, *(["-s", "-S"] if options.gdb else [])])
    os.execvp(line[0], line)


if __name__ == "__main__":
    sys.exit(main())
