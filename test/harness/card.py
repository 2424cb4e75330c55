# SPDX-License-Identifier: GPL-2.0-or-later
"""Network cards of a machine, used from BusyBox's shell: over PCI and memory-mapped, with an MTU of the host's, and with a cable that
is pulled while the machine runs."""
from harness import machine
from harness.machine import Shell, kernel_image, shell_initramfs

CARDS = (("pci", "virtio-net-pci", ""), ("mtu", "virtio-net-pci", ",host_mtu=1400"), ("mmio", "virtio-net-device", ""))
PING = ("ip link set $d up; ip addr add 10.0.2.15/24 dev $d; ping -c 1 -w 10 10.0.2.2 | grep -o '1 packets received'; "
        "ip addr del 10.0.2.15/24 dev $d")


def jobs(arches, only):
    for arch in arches:
        if machine.under_test == "cairn" and (not only or "card".startswith(only)):
            yield f"net/{arch}/card", lambda report, arch=arch: run(report, arch)


def words(cards):
    line = []
    for number, (_, device, options) in enumerate(cards):
        line += ["-netdev", f"user,id=net{number}",
                 "-device", f"{device},netdev=net{number},mac=52:54:00:00:00:0{number}{options}"]
    return line


def set_link(shell, number, state):
    """Through QEMU's monitor, which Ctrl-A c brings to the console and takes away."""
    shell.type("\x01c")
    shell.wait("(qemu)")
    shell.type(f"set_link net{number} {state}\r")
    shell.wait("(qemu)")
    shell.type("\x01c\r")
    shell.wait(shell.PROMPT)


def run(report, arch):
    cards = [card for card in CARDS if card[0] != "mmio" or arch == "aarch64"]
    label = f"net/{arch}/card"
    with Shell(arch, kernel_image(arch), shell_initramfs(arch), "quiet", seconds=60, extra=words(cards)) as shell:
        shell.wait_for_shell()

        def step(name, command, expected):
            shown = shell.run(command)
            report.result(f"{label}/{name}", expected in shown, [command, *shown.splitlines()])

        for number, (name, _, _) in enumerate(cards):
            shell.run(f"d=$(ip -o link | grep 52:54:00:00:00:0{number} | cut -d: -f2)")
            step(f"{name}_reaches_the_host", PING, "1 packets received")
            step(f"{name}_has_its_mtu", "ip link show $d", "mtu 1400" if name == "mtu" else "mtu 1500")
        set_link(shell, len(cards) - 1, "off")
        step("pulled_cable_is_seen", "sleep 1; ip link show $d", "NO-CARRIER")
        set_link(shell, len(cards) - 1, "on")
        step("plugged_cable_is_seen", "sleep 1; ip link show $d", "LOWER_UP")
        step("cable_works_again", PING, "1 packets received")
