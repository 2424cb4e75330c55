# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest tests: one initramfs with the Linux programs of test/guest, booted on Debian's kernel and on this one.

A test that fails on Linux is a broken test. What Linux said is kept under build/ for as long as initramfs and kernel stay
the same. test/known_differences.txt lists tests that this kernel may fail, with the reason.
"""
import hashlib
import json
import os
import re
import threading

from harness.machine import BUILD, ROOT, Boot, build_variant, fetch, kernel_image, linux_module, tool

GUEST = os.path.join(ROOT, "test", "guest")
COMPILER = {"x86_64": "gcc", "aarch64": "aarch64-linux-gnu-gcc"}
CFLAGS = ("-std=gnu17", "-O1", "-g0", "-static", "-pthread", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter",
          "-Wno-nonnull", "-Wno-stringop-overflow", "-Wno-stringop-overread", "-Wno-array-bounds", "-Wno-unused-result", "-Wno-format-truncation", "-fno-strict-aliasing")
LIBRARIES = ("-lrt", "-lutil")
LINE = re.compile(r"(?:^|\s)(begin|ok|not ok) ([a-z0-9_]+\.[a-z0-9_]+)$")
RESTARTS = 12  # boots after a test took the kernel down
SECONDS = 400
# Layer of results: processors, build of this kernel.
MACHINES = {"guest": (1, ""), "guest-smp4": (4, ""), "guest-sanitize": (4, "sanitize")}
BUILDING, BUILT = threading.Lock(), {}
# What tests use that Debian's kernel has as modules, none of which needs another.
MODULES = ("loop", "brd", "overlay", "binfmt_misc", "veth", "tun")
SILENCE = 75  # more than the time limit of one test


def jobs(arches, only):
    for layer in MACHINES:
        for arch in arches:
            yield f"{layer}/{arch}", lambda report, arch=arch, layer=layer: run(report, arch, only, layer)


def build(arch):
    """The initramfs with the tests as its init; made once for all machines that boot it."""
    with BUILDING:
        if arch not in BUILT:
            BUILT[arch] = build_now(arch)
        return BUILT[arch]


def build_now(arch):
    sources = []
    for directory, _, names in sorted(os.walk(GUEST)):
        area = os.path.relpath(directory, GUEST)
        sources += [(os.path.join(directory, name), area) for name in sorted(names) if name.endswith(".c")]
    words = []
    fetch(arch, "linux")
    for module in MODULES:
        words += ["--file", f"modules/{module}.ko={linux_module(arch, module)}"]
    return build_from(arch, "guest", sources, (GUEST,), words)


def build_from(arch, layer, sources, include, more=()):
    """The initramfs with the tests in `sources`, (file, area), as its init; `more`: further words for mkinitramfs."""
    out = os.path.join(BUILD, layer, arch)
    os.makedirs(out, exist_ok=True)
    objects = []
    headers = [os.path.join(folder, name) for top in include for folder, _, names in os.walk(top)
               for name in names if name.endswith(".h")]
    newest_header = max(os.path.getmtime(header) for header in headers)
    for source, area in sources:
        target = os.path.join(out, f"{area}_{os.path.basename(source)[:-2]}.o".replace("./", ""))
        newest = max(os.path.getmtime(source), newest_header)
        if not os.path.exists(target) or os.path.getmtime(target) < newest:
            tool(COMPILER[arch], *CFLAGS, *(f"-I{folder}" for folder in include), f'-DAREA="{area}"', "-c", source,
                 "-o", target)
        objects.append(target)
    program = os.path.join(out, "init")
    tool(COMPILER[arch], *CFLAGS, "-o", program, *objects, *LIBRARIES)
    initrd = os.path.join(out, "initramfs.cpio")
    tool("tools/mkinitramfs", initrd, "--file", f"init={program}", "--link", "test=init", *more)
    return initrd


def run_tests(arch, kernel, initrd, only, cpus=1, **keywords):
    """Boots until every test has run: {name: (passed, reasons)}. One that ends the machine fails; the rest go on."""
    results = {}
    after = None
    for _ in range(RESTARTS):
        words = "quiet panic=-1 rdinit=/init norandmaps " + os.environ.get("GUEST_WORDS", "")
        if only:
            words += f" only={only}"
        if after:
            words += f" after={after}"
        boot = Boot(arch, kernel, initrd, words, seconds=SECONDS, silence=SILENCE, cpus=cpus, **keywords)
        running, reasons, ended = None, [], False
        for line in boot.lines:
            match = LINE.search(line)
            ended = ended or line.endswith("end of tests")
            if not match:
                reasons.append(line)
            elif match[1] == "begin":
                running, reasons = match[2], []
            else:
                results[match[2]] = (match[1] == "ok", reasons[-30:])
                running = None
        if ended:
            return results
        after = running or "boot"
        results[after] = (False, [f"the machine {boot.end} in this test", *boot.tail(30)])
        if not running:
            break
    return results


def linux_results(arch, initrd, only, cpus):
    kernel = kernel_image(arch, "linux")
    digest = hashlib.sha256()
    for path in (kernel, initrd):
        with open(path, "rb") as data:
            digest.update(data.read())
    digest.update(f"{only or ''} {cpus}".encode())
    cache = os.path.join(BUILD, "guest", arch, f"linux-{digest.hexdigest()[:24]}.json")
    if os.path.exists(cache):
        with open(cache, encoding="utf-8") as known:
            return json.load(known)
    results = run_tests(arch, kernel, initrd, only, cpus)
    # A busy host can spoil a test of time; one that is broken fails again.
    for name in [name for name, (passed, _) in results.items() if not passed]:
        results[name] = run_tests(arch, kernel, initrd, name, cpus).get(name, results[name])
    if all(passed for passed, _ in results.values()):
        with open(cache, "w", encoding="utf-8") as out:
            json.dump(results, out)
    return results


def known_differences(arch):
    """{name: reason} of the tests that may fail on this kernel; lines are "ARCH AREA.NAME reason", ARCH may be *."""
    known = {}
    with open(os.path.join(ROOT, "test", "known_differences.txt"), encoding="utf-8") as lines:
        for line in lines:
            words = line.split(None, 2)
            if len(words) == 3 and words[0] in ("*", arch):
                known[words[1]] = words[2].strip()
    return known


def run(report, arch, only, layer):
    cpus, variant = MACHINES[layer]
    fetch(arch, "linux")
    if variant:
        build_variant(arch, variant)
    initrd = build(arch)
    linux = linux_results(arch, initrd, only, cpus)
    cairn = run_tests(arch, kernel_image(arch, variant=variant), initrd, only, cpus)
    known = known_differences(arch)
    if not linux:
        report.result(f"{layer}/{arch}", False, ["no test ran on Linux"])
    for name, (on_linux, reasons) in linux.items():
        full = f"{layer}/{arch}/{name}"
        passed, here = cairn.pop(name, (False, ["did not run"]))
        if not on_linux:
            report.result(full, False, ["broken test: fails on Linux", *reasons])
        elif passed and name in known:
            report.result(full, False, ["passes, but test/known_differences.txt lists it"])
        elif not passed and name in known:
            report.note(f"{full}: known difference: {known[name]}")
        else:
            report.result(full, passed, here)
    for name, (passed, here) in cairn.items():
        report.result(f"{layer}/{arch}/{name}", passed, here)
