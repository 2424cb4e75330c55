# SPDX-License-Identifier: GPL-2.0-or-later
"""Two machines on a wire of ours: TCP and UDP, IPv4 and IPv6, both ways, over a link that loses, delays and reorders.

The pairs are Linux with Linux, which proves the tests, this kernel with itself, and each with the other. Every frame
that this kernel sends is checked for lengths and checksums. Then a third party attacks the server, which is the sanitizer
build with 4 processors, and the client must be served all the same. Rates are printed, not judged: NET_BYTES makes the transfers
longer, NET_LINK=rates takes the mean of many, NET_LINK=clean moves bulk data over a link without faults instead,
NET_LINK=direct past the relay, NET_CPUS gives both machines as many processors, and NET_CAPTURE=FILE keeps the frames of each
pair in FILE.SERVER-CLIENT, as they were sent.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import tempfile
import threading

from harness import card, machine
from harness.attacker import Attacker
from harness.guest import COMPILER
from harness.machine import BUILD, ROOT, Boot, build_variant, fetch, kernel_image, tool
from harness.relay import CLEAN, DIRECT, HOSTILE, LOSSY, Relay

NET = os.path.join(ROOT, "test", "net")
LINE = re.compile(r"(?:^|\s)(begin|ok|not ok) net\.([a-z0-9_]+)$")
RATE = re.compile(r"rate (\S+) (\d+)$")
MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_mmio",
           "failover", "net_failover", "virtio_net")
PAIRS = (("cairn", "cairn"), ("linux", "cairn"), ("cairn", "linux"))  # server, client
SECONDS = 900
CPUS = int(os.environ.get("NET_CPUS", "1"))
FULL_SPEED = (CLEAN, DIRECT)  # links that keep the host busy: one pair after the other
GROUPS = {"ef090909", "ff15" + "0" * 24 + "0909"}  # that the server joins


def jobs(arches, only):
    for arch in arches:
        if only not in ("hostile", "card"):
            yield f"net/{arch}", lambda report, arch=arch: run(report, arch, only)
        if machine.under_test == "cairn" and only in ("", "hostile"):
            yield f"net/{arch}/hostile", lambda report, arch=arch: run_hostile(report, arch)
    yield from card.jobs(arches, only)


def build(arch):
    """The initramfs of both machines, with the modules that Debian's kernel needs for its network card."""
    fetch(arch, "linux")
    out = os.path.join(BUILD, "net", arch)
    os.makedirs(out, exist_ok=True)
    program = os.path.join(out, "peer")
    sources = [os.path.join(NET, name) for name in sorted(os.listdir(NET)) if name.endswith(".c")]
    tool(COMPILER[arch], "-std=gnu17", "-O1", "-static", "-Wall", "-Wextra", "-Werror", "-Wno-unused-result",
         "-Wno-format-truncation", "-o", program, *sources)
    words = ["--file", f"init={program}"]
    for directory, _, names in sorted(os.walk(os.path.join(BUILD, "packages", arch))):
        words += [word for name in sorted(names) if name.endswith(".ko") and name[:-3] in MODULES
                  for word in ("--file", f"modules/{name}={os.path.join(directory, name)}")]
    initrd = os.path.join(out, "initramfs.cpio")
    tool("tools/mkinitramfs", initrd, *words)
    return initrd


def run_pair(arch, kernels, initrd, link, extra_words="", attacker=None, variant="", cpus=CPUS):
    """Boots a server (of this kernel: a variant of it) and a client: {test: (passed, reasons)}, {test: bytes per second},
    and the relay."""
    done = threading.Event()
    capture = os.environ.get("NET_CAPTURE")

    def boot(side, which):
        role = ("server", "client")[side]
        append = f"quiet panic=-1 rdinit=/init peer={role} {extra_words}"
        kernel = kernel_image(arch, which, variant=variant if side == 0 else "")
        return Boot(arch, kernel, initrd, append, seconds=SECONDS, silence=250, memory="256M",
                    extra=relay.words(side), stop=done if side == 0 else None, cpus=cpus if side == 0 else CPUS)

    with tempfile.TemporaryDirectory() as directory, \
            Relay(directory, link, capture=capture and f"{capture}.{'-'.join(kernels)}", attacker=attacker) as relay, \
            concurrent.futures.ThreadPoolExecutor(2) as lanes:
        server = lanes.submit(boot, 0, kernels[0])
        client = boot(1, kernels[1])
        done.set()
        server = server.result()
    results, rates = read_results(client)
    if server.end != "stopped":
        results["server"] = (False, [f"the server {server.end}", *server.tail(40)])
    if not results or "end of tests" not in client.lines[-3:]:
        results["end"] = (False, [f"the client {client.end}", *client.tail(), f"the server {server.end}", *server.tail()])
    return results, rates, relay


def read_results(client):
    results, rates, reasons = {}, {}, []
    for line in client.lines:
        match, rate = LINE.search(line), RATE.search(line)
        if rate:
            rates[rate[1]] = int(rate[2])
        if not match:
            reasons.append(line)
        elif match[1] == "begin":
            reasons = []
        else:
            results[match[2]] = (match[1] == "ok", reasons[-30:])
    return results, rates


def linux_rates(report, arch, initrd, link, words, keep):
    """How fast Linux is with Linux; `keep`: run once for each initramfs, for rates that nobody compares. Reports what fails."""
    digest = hashlib.sha256(f"{words} {CPUS}".encode())
    for path in (kernel_image(arch, "linux"), initrd):
        with open(path, "rb") as data:
            digest.update(data.read())
    cache = os.path.join(BUILD, "net", arch, f"linux-{digest.hexdigest()[:24]}.json")
    if keep and os.path.exists(cache):
        with open(cache, encoding="utf-8") as known:
            return json.load(known)
    results, rates, _ = run_pair(arch, ("linux", "linux"), initrd, link, words)
    for name, (passed, reasons) in results.items():
        if not passed:
            report.result(f"net/{arch}/linux-linux/{name}", False, ["broken test: fails on Linux", *reasons])
    if all(passed for passed, _ in results.values()):
        with open(cache, "w", encoding="utf-8") as out:
            json.dump(rates, out)
    return rates


def run(report, arch, only):
    initrd = build(arch)
    name = os.environ.get("NET_LINK", "lossy")
    link = {"clean": CLEAN, "direct": DIRECT}.get(name, LOSSY)
    words = f"link={'clean' if name == 'direct' else name} bytes={os.environ.get('NET_BYTES', '250000')}"
    pairs = [pair for pair in PAIRS if machine.under_test == "cairn" and "-".join(pair).startswith(only)]
    # The machines wait for a slow link most of the time: all pairs at once take no longer than one.
    with concurrent.futures.ThreadPoolExecutor(1 if link in FULL_SPEED else 1 + len(PAIRS)) as lanes:
        linux = lanes.submit(linux_rates, report, arch, initrd, link, words, name == "lossy")
        runs = [lanes.submit(run_pair, arch, pair, initrd, link, words) for pair in pairs]
    for pair, done in zip(pairs, runs):
        judge(report, f"net/{arch}/{'-'.join(pair)}", pair, done.result(), linux.result(), name)


def judge(report, label, pair, outcome, linux, link):
    results, rates, relay = outcome
    for test, (passed, reasons) in results.items():
        report.result(f"{label}/{test}", passed, reasons)
    for test, rate in rates.items():
        if linux.get(test):
            report.note(f"{label}/{test}: {rate / 1000:.0f} kB/s, Linux {linux[test] / 1000:.0f}: {rate / linux[test]:.2f}")
    bad = [reason for side in (0, 1) if pair[side] == "cairn" for reason in relay.bad[side]]
    if link != "direct":
        report.result(f"{label}/frames_are_well_formed", not bad and min(relay.frames) > 0, bad)
    if link == "lossy":
        report.result(f"{label}/routers_are_told_of_groups", relay.groups[0] >= GROUPS, sorted(relay.groups[0]))


def run_hostile(report, arch):
    build_variant(arch, "sanitize")
    label = f"net/{arch}/hostile"
    results, _, relay = run_pair(arch, ("cairn", "cairn"), build(arch), HOSTILE,
                                 f"link=hostile bytes={os.environ.get('NET_BYTES', '100000')}",
                                 attacker=Attacker(Relay.mac(0)), variant="sanitize", cpus=4)
    for test, (passed, reasons) in results.items():
        report.result(f"{label}/{test}", passed, reasons)
    report.note(f"{label}: {relay.attacks} hostile frames")
    report.result(f"{label}/frames_are_well_formed", not any(relay.bad) and relay.attacks > 0, sum(relay.bad, []))
