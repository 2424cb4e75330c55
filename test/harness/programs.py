# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's own programs, unmodified, each in a real use: the same user land on both kernels, output compared line by line.

A user land is a tree of Debian packages in an initramfs, whose init is a script of sections (test/programs/NAME.sh). What
Linux printed is cached by the hash of the initramfs and the kernel.
"""
import difflib
import hashlib
import json
import os
import re

from harness import machine
from harness.guest import COMPILER
from harness.machine import BUILD, ROOT, Boot, fetch, kernel_image, linux_module, tool

SECTION = re.compile(r"(?:^|\.)=== (\S+)$")
KERNEL_MESSAGE = re.compile(r"^\[ *\d+\.\d+\]|^random: |^clocksource: ")
USER_LANDS = {
    "tools": ("768M", "bash dash coreutils findutils grep sed gawk tar gzip xz-utils zstd less vim tmux procps psmisc "
              "util-linux bsdutils lsof htop ncurses-base ncurses-bin ncurses-term diffutils bc hostname "
              "util-linux-extra strace mount attr acl inotify-tools"),
    "devel": ("2G", "bash dash coreutils grep sed gawk findutils diffutils procps util-linux gcc libc6-dev make git perl "
              "python3 lua5.4 nodejs sqlite3 openssl"),
    "network": ("768M", "bash dash coreutils grep sed mawk procps util-linux mount hostname kmod iproute2 net-tools ethtool tcpdump "
                "iputils-ping netcat-openbsd"),
    "daemons": ("2G", "bash dash coreutils diffutils grep sed mawk procps util-linux mount hostname kmod iproute2 busybox socat traceroute iputils-tracepath "
                "iputils-arping iputils-ping mtr-tiny fping hping3 nmap ncat dnsmasq-base bind9-dnsutils bind9-host curl lighttpd haproxy apache2-bin "
                "apache2-utils tinyproxy-bin stunnel4 openssl rsync memcached netcat-openbsd mosquitto mosquitto-clients dropbear-bin bird2 radvd ndisc6 "
                "keepalived openvpn chrony linuxptp iperf sockperf ngrep tcpdump arp-scan lldpd tcpreplay snmpd snmp slirp4netns"),
    "debug": ("768M", "bash coreutils grep sed mawk procps util-linux mount hostname strace gdb-minimal libc6"),
}
BY_NAME = ("network", "daemons")  # run only when it is named: `make suites` does
# What Debian's kernel has as modules.
NETWORK = "dummy veth tun inet_diag tcp_diag udp_diag raw_diag unix_diag"
MODULES = {"network": NETWORK, "daemons": NETWORK}


def jobs(arches, only):
    for arch in arches:
        for name in USER_LANDS:
            if only.startswith(name) or name.startswith(only) if only else name not in BY_NAME:
                yield f"programs/{arch}/{name}", \
                    lambda report, arch=arch, name=name: run(report, arch, name, only)


def build(arch, name, init=None, more=None):
    """The initramfs of a user land; its init is test/programs/NAME.sh unless another script is given; `more`: {path: file}."""
    fetch(arch, "--tree", name, *USER_LANDS[name][1].split())
    fetch(arch, "linux")
    out = os.path.join(BUILD, "programs", arch)
    os.makedirs(out, exist_ok=True)
    initrd = os.path.join(out, f"{name}.cpio")
    scripts = os.path.join(ROOT, "test", "programs")
    etc = os.path.join(ROOT, "tools", "initramfs", "etc")
    words = ["--tree", os.path.join(BUILD, "packages", arch, "trees", name),
             "--file", f"init={init or os.path.join(scripts, name + '.sh')}",
             "--file", f"etc/passwd={os.path.join(etc, 'passwd')}", "--file", f"etc/group={os.path.join(etc, 'group')}"]
    for script in sorted(os.listdir(scripts)):
        file = os.path.join(scripts, script)
        if script.endswith(".c"):
            script = script[:-2]
            tool(COMPILER[arch], "-g", "-O0", "-pthread", "-o", os.path.join(out, script), file)
            file = os.path.join(out, script)
        words += ["--file", f"programs/{script}={file}"]
    for module in MODULES.get(name, "").split():
        words += ["--file", f"modules/{module}.ko={linux_module(arch, module)}"]
    for path, file in (more or {}).items():
        words += ["--file", f"{path}={file}"]
    tool("tools/mkinitramfs", initrd, *words)
    return initrd


def sections(lines):
    """{section: lines}; messages of the kernel are not output of a program."""
    found, here = {}, None
    for line in lines:
        match = SECTION.search(line)
        if match:
            here = found.setdefault(match[1], [])
        elif here is not None and not KERNEL_MESSAGE.match(line):
            here.append(line)
    for name, text in found.items():
        if name.endswith("~"):
            found[name] = [re.sub(r"\s+", " ", re.sub(r"\d+", "N", line)).strip() for line in text]
    return found


def boot(arch, which, initrd, memory, seconds=900):
    return Boot(arch, kernel_image(arch, which), initrd, "quiet panic=-1 rdinit=/init", memory=memory,
                seconds=seconds, silence=150)


def digest(*files):
    total = hashlib.sha256()
    for file in files:
        with open(file, "rb") as data:
            while block := data.read(1 << 20):
                total.update(block)
    return total.hexdigest()[:24]


def linux_lines(arch, name, initrd, memory):
    """What Linux prints, run once for each initramfs."""
    key = digest(initrd, kernel_image(arch, "linux"))
    cache = os.path.join(BUILD, "programs", arch, f"{name}.linux.{key}.json")
    if os.path.exists(cache):
        with open(cache, encoding="utf-8") as saved:
            return json.load(saved)
    lines = boot(arch, "linux", initrd, memory).lines
    if "end" in sections(lines):
        with open(cache, "w", encoding="utf-8") as out:
            json.dump(lines, out, indent=0)
    return lines


def run(report, arch, name, only):
    memory = USER_LANDS[name][0]
    initrd = build(arch, name)
    wanted = sections(linux_lines(arch, name, initrd, memory))
    label = f"programs/{arch}/{name}"
    if "end" not in wanted:
        report.result(f"{label}/linux", False, ["Linux did not come to the end", str(list(wanted)[-1:])])
    if machine.under_test == "linux":
        return
    cairn = boot(arch, None, initrd, memory)
    here = sections(cairn.lines)
    for section, lines in wanted.items():
        got = here.get(section)
        diff = difflib.unified_diff(lines, got, "Linux", "Cairn", lineterm="", n=1) if got is not None else \
            [f"did not run: the machine {cairn.end}", *cairn.tail(15)]
        report.result(f"{label}/{section}", got == lines, list(diff)[:60])
