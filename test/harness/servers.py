# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's servers and clients, unmodified, over virtio-net and QEMU's user network: servers in the guest are driven from here,
clients in the guest talk to a server here. Everything stays on the host's loopback.
"""
import concurrent.futures
import contextlib
import hashlib
import http.client
import http.server
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import types

from harness import capture, machine
from harness.machine import BUILD, ROOT, Boot, fetch, kernel_image, linux_module, qemu, tool

PACKAGES = ("bash coreutils procps util-linux mount hostname iproute2 net-tools ethtool tcpdump ifupdown isc-dhcp-client nginx-light "
            "redis-server redis-tools openssh-server openssh-client openssh-sftp-server python3 curl wget git apt ca-certificates "
            "grep sed mawk diffutils debianutils libc-bin iputils-ping netcat-openbsd dpkg tar gzip kmod passwd postgresql-15")
# Parts of packages that nothing here opens: they would only fill the machine's memory.
UNUSED = ("*/bitcode", "*/libLLVM*", "*/libz3*", "*/locales", "*/zoneinfo", "*/llvmjit*", "*/perl", "*/perl-base")
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "failover", "net_failover", "virtio_net")  # what Debian's kernel needs for the same device
HERE = os.path.join(ROOT, "test", "servers")
LINE = re.compile(r"^(ok|not ok) (\S+)$")
READY = "servers are ready"
MAC = "52:54:00:12:34:56"  # QEMU's for a first card
SECONDS, SILENCE, LONG_SECONDS = 280, 200, 1500
HTTP, SSH, REDIS, PYTHON, SQL, END = 80, 22, 6379, 8000, 5432, 7  # ports of the guest


def jobs(arches, only):
    for arch in arches:
        yield f"servers/{arch}", lambda report, arch=arch: run(report, arch, only)


# --- What the host offers ---

def make_repository(where):
    """A repository of git with three commits, to be cloned over plain HTTP."""
    work = os.path.join(where, "work")
    name = ("-c", "user.name=Test", "-c", "user.email=test@host.test")
    tool("git", "init", "-q", "-b", "main", work)
    for number in range(3):
        with open(os.path.join(work, "file"), "w", encoding="ascii") as out:
            out.write(f"version {number}\n" * 1000)
        tool("git", "-C", work, "add", "file")
        tool("git", "-C", work, *name, "commit", "-q", "-m", f"Version {number}")
    tool("git", "clone", "-q", "--bare", work, os.path.join(where, "repository.git"))
    tool("git", "-C", os.path.join(where, "repository.git"), "update-server-info")


def make_debian(where):
    """A repository of apt with one package."""
    root, pool = os.path.join(where, "greeting"), os.path.join(where, "debian")
    os.makedirs(os.path.join(root, "DEBIAN"))
    os.makedirs(os.path.join(root, "usr", "bin"))
    os.makedirs(pool)
    control = "Package: greeting\nVersion: 1.0\nArchitecture: all\nMaintainer: Test <test@host.test>\nDescription: says hello\n"
    with open(os.path.join(root, "DEBIAN", "control"), "w", encoding="ascii") as out:
        out.write(control)
    program = os.path.join(root, "usr", "bin", "greeting")
    with open(program, "w", encoding="ascii") as out:
        out.write("#!/bin/sh\necho 'Hello from a package'\n")
    os.chmod(program, 0o755)
    package = os.path.join(pool, "greeting_1.0_all.deb")
    tool("dpkg-deb", "--root-owner-group", "-b", root, package)
    with open(package, "rb") as data:
        digest, size = hashlib.sha256(data.read()).hexdigest(), os.path.getsize(package)
    with open(os.path.join(pool, "Packages"), "w", encoding="ascii") as out:
        out.write(control + f"Filename: ./greeting_1.0_all.deb\nSize: {size}\nSHA256: {digest}\n")


def make_site(where):
    """What the host serves; made anew for each run."""
    shutil.rmtree(where, ignore_errors=True)
    os.makedirs(where)
    data = os.urandom(3 << 20)
    with open(os.path.join(where, "big"), "wb") as out:
        out.write(data)
    with open(os.path.join(where, "big.sha256"), "w", encoding="ascii") as out:
        out.write(hashlib.sha256(data).hexdigest() + "\n")
    make_repository(where)
    make_debian(where)


class Pages(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        text = b"%d bytes\n" % len(self.rfile.read(length))
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextlib.contextmanager
def site(where):
    """The port on which `where` is served."""
    make_site(where)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *words: Pages(*words, directory=where))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def free_ports(count):
    """Ports of the loopback that nobody uses."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


# --- Driving the guest's servers ---

class Host:
    """This side's clients. Every method that begins with test_ is one test."""

    def __init__(self, ports, key, directory):
        self.ports, self.key, self.directory = ports, key, directory
        # QEMU listens with a backlog of one, and what overflows it is reset by the host: one connection is made at a time.
        self.connecting = threading.Lock()

    def get(self, path, port=HTTP, connection=None):
        here = connection or http.client.HTTPConnection("127.0.0.1", self.ports[port], timeout=60)
        here.request("GET", path)
        answer = here.getresponse()
        data = answer.read()
        if not connection:
            here.close()
        return answer.status, data

    def connect(self, port):
        with self.connecting:
            connection = http.client.HTTPConnection("127.0.0.1", self.ports[port], timeout=300)
            connection.connect()
            time.sleep(0.1)  # until QEMU has taken it
        return connection

    def test_nginx_serves_a_page(self):
        assert self.get("/") == (200, b"<h1>It works</h1>\n")
        assert self.get("/none")[0] == 404

    def test_nginx_serves_a_megabyte(self):
        digest = self.get("/1m.sha256")[1].decode().strip()
        assert hashlib.sha256(self.get("/1m")[1]).hexdigest() == digest

    def test_nginx_keeps_a_connection(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[HTTP], timeout=60)
        for _ in range(300):
            assert self.get("/", connection=connection)[0] == 200
        connection.close()

    def test_nginx_serves_many_connections(self, count=100):
        connections = [http.client.HTTPConnection("127.0.0.1", self.ports[HTTP], timeout=120) for _ in range(count)]
        for one in connections:
            one.request("GET", "/")
        for one in connections:
            assert one.getresponse().read() == b"<h1>It works</h1>\n"
        for one in connections:  # and once more, all of them open
            one.request("GET", "/1m.sha256")
        assert len({one.getresponse().read() for one in connections}) == 1
        for one in connections:
            one.close()

    def test_python_serves(self):
        # Four at a time: its backlog is five, and QEMU's user network sends what a full one drops only once.
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: self.get("/1m", PYTHON, self.connect(PYTHON)), range(8)))
        assert {answer[0] for answer in answers} == {200} and len({answer[1] for answer in answers}) == 1

    def redis(self, *commands):
        """Sends the commands in one piece; all that is answered until the last of them, which is PING."""
        with contextlib.ExitStack() as stack:
            with self.connecting:
                link = stack.enter_context(socket.create_connection(("127.0.0.1", self.ports[REDIS]), timeout=60))
                link.sendall(b"PING\r\n")
                assert link.recv(7) == b"+PONG\r\n"
            for command in (*commands, ("PING",)):
                words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
                link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
            data = b""
            while not data.endswith(b"+PONG\r\n"):
                more = link.recv(65536)
                assert more, "the server closed the connection"
                data += more
            return data.removesuffix(b"+PONG\r\n")

    def test_redis_sets_and_gets(self):
        value = os.urandom(100000).replace(b"\r", b"x")
        assert self.redis(("SET", "blob", value)) == b"+OK\r\n"
        assert self.redis(("GET", "blob")) == b"$100000\r\n" + value + b"\r\n"

    def test_redis_counts_over_many_connections(self):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: self.redis(*[("INCR", "counter")] * 20), range(32)))
        assert self.redis(("GET", "counter")) == b"$3\r\n640\r\n"

    def test_postgresql_answers(self):
        """Its protocol: a start, and simple queries; messages of a letter, a length and a text."""
        def receive(link, kinds=b""):
            while not kinds.endswith(b"Z"):  # ready for a query
                head = link.read(5)
                text = link.read(int.from_bytes(head[1:], "big") - 4)
                kinds += head[:1]
                if head[:1] == b"D":
                    row = text[6:]
            return kinds, row if b"D" in kinds else b""

        with socket.create_connection(("127.0.0.1", self.ports[SQL]), timeout=60) as there, there.makefile("rwb") as link:
            words = b"\0\3\0\0user\0postgres\0database\0postgres\0\0"
            link.write((len(words) + 4).to_bytes(4, "big") + words)
            link.flush()
            kinds, _ = receive(link)
            assert kinds.startswith(b"R") and b"E" not in kinds, kinds
            for query, answer in ((b"SELECT count(*) FROM item", b"500"), (b"SELECT length(repeat('x', 1000000))", b"1000000")):
                link.write(b"Q" + (len(query) + 5).to_bytes(4, "big") + query + b"\0")
                link.flush()
                kinds, row = receive(link)
                assert kinds == b"TDCZ" and row == answer, (kinds, row)

    def ssh_options(self):
        return ["-i", self.key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                "-o", "BatchMode=yes", "-o", "ConnectTimeout=60"]

    def ssh(self, command):
        return tool("ssh", "-F", "none", *self.ssh_options(), "-p", str(self.ports[SSH]), "root@127.0.0.1", command, timeout=120)

    def test_ssh_runs_a_command(self):
        assert self.ssh("seq 20000 | tail -n 1; exit 0") == "20000\n"
        assert self.ssh("tty || true; id -un") == "not a tty\nroot\n"

    def test_scp_both_ways(self, mebibytes=4):
        there, back = os.path.join(self.directory, "there"), os.path.join(self.directory, "back")
        with open(there, "wb") as out:
            for _ in range(mebibytes):
                out.write(os.urandom(1 << 20))
        remote = "root@127.0.0.1:/tmp/copy"
        scp = ["scp", "-q", "-F", "none", "-P", str(self.ports[SSH]), *self.ssh_options()]
        tool(*scp, there, remote, timeout=600)
        digest = tool("sha256sum", there).split()[0]
        assert self.ssh("sha256sum /tmp/copy").split()[0] == digest
        tool(*scp, remote, back, timeout=600)
        assert tool("sha256sum", back).split()[0] == digest
        self.ssh("rm /tmp/copy")
        os.unlink(there)
        os.unlink(back)

    def long_500_connections_for_a_minute(self, count=500, seconds=60):
        """All open at once, each used again and again; no request may fail."""
        connections = []
        for _ in range(count):
            connections.append(self.connect(HTTP))
            assert self.get("/", connection=connections[-1])[0] == 200
        end, rounds = time.monotonic() + seconds, 0
        while time.monotonic() < end or rounds < 2:
            for one in connections:
                one.request("GET", "/")
            for one in connections:
                assert one.getresponse().read() == b"<h1>It works</h1>\n"
            rounds += 1
        for one in connections:
            one.close()

    def long_scp_of_100_mebibytes(self):
        self.test_scp_both_ways(100)

    def end(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.ports[END]), timeout=10).close()


def drive(report, label, host, tests):
    for name in tests:
        try:
            getattr(host, name)()
            report.result(f"{label}/{name.partition('_')[2]}", True)
        except (AssertionError, OSError, RuntimeError, http.client.HTTPException, subprocess.SubprocessError) as error:
            report.result(f"{label}/{name.partition('_')[2]}", False, f"{type(error).__name__}: {error}".splitlines()[-15:])
    host.end()


# --- The guest ---

def build(arch):
    fetch(arch, "--tree", "servers", *PACKAGES.split())
    fetch(arch, "linux")
    out = os.path.join(BUILD, "servers", arch)
    os.makedirs(out, exist_ok=True)
    key = os.path.join(out, "key")
    if not os.path.exists(key):
        tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    files = {"init": "init.sh", "etc/passwd": "passwd", "etc/group": "group", "etc/network/interfaces": "interfaces",
             "programs/names.py": "names.py", "programs/common.sh": "../programs/common.sh",
             "etc/nginx/cairn.conf": "../../tools/nginx/cairn.conf"}
    words = ["--tree", os.path.join(BUILD, "packages", arch, "trees", "servers")]
    for path, file in files.items():
        words += ["--file", f"{path}={os.path.join(HERE, file)}"]
    words += ["--file", f"root/.ssh/id={key}", "--file", f"root/.ssh/authorized_keys={key}.pub"]
    for name in MODULES:
        words += ["--file", f"modules/{name}.ko={linux_module(arch, name)}"]
    words += ["--link", "bin/sh=bash", *(f"--exclude={pattern}" for pattern in UNUSED)]
    initrd = os.path.join(out, "servers.cpio")
    tool("tools/mkinitramfs", initrd, *words)
    return initrd, key


class Guest:
    """One boot: its lines become results; when its servers are ready, `tests` of a Host run."""

    def __init__(self, report, label, host, tests):
        self.report, self.label, self.host, self.tests = report, label, host, tests
        self.reasons, self.driver, self.ended = [], None, False

    def on_line(self, line):
        match = LINE.match(line)
        if match:
            self.report.result(f"{self.label}/{match[2]}", match[1] == "ok", self.reasons[-30:])
            self.reasons = []
        elif line == READY:
            self.driver = threading.Thread(target=drive, args=(self.report, self.label, self.host, self.tests))
            self.driver.start()
        else:
            self.ended = self.ended or line == "=== end"
            self.reasons.append(line)

    def boot(self, arch, initrd, append, network, seconds=SECONDS, cpus=1):
        boot = Boot(arch, kernel_image(arch), initrd, f"quiet panic=-1 rdinit=/init {append}", memory="1G", seconds=seconds,
                    silence=max(SILENCE, seconds // 2), on_line=self.on_line, extra=network, cpus=cpus)
        if self.driver:
            self.driver.join()
        if not self.driver or not self.ended:
            self.report.result(f"{self.label}/end", False, [f"the machine {boot.end} before the end", *boot.tail(30)])
        return boot


def run(report, arch, only, prefix="test_", seconds=SECONDS):
    initrd, key = build(arch)
    directory = os.path.dirname(initrd)
    ports = dict(zip((HTTP, SSH, REDIS, PYTHON, SQL, END), free_ports(6)))
    with site(os.path.join(directory, "site")) as port:
        host = Host(ports, key, directory)
        guest = Guest(report, f"servers/{arch}", host,
                      [name for name in dir(Host) if name.startswith(prefix)])
        frames = os.path.join(directory, "frames.pcap")
        network = qemu.user_network([(here, there) for there, here in ports.items()], capture=frames)
        boot = guest.boot(arch, initrd, f"http={port} ssh={ports[SSH]}", network, seconds)
        report.note(f"servers/{arch}: {boot.seconds:.0f} s")
    bad = capture.complaints(frames, MAC)
    report.result(f"servers/{arch}/tshark_finds_nothing_wrong", not bad, bad)
    os.unlink(frames)


def long_jobs(arches, only):
    for arch in arches:
        yield f"servers-long/{arch}", lambda report, arch=arch: run(report, arch, only, "long_", LONG_SECONDS)


LONG = types.SimpleNamespace(jobs=long_jobs)  # a layer of `make suites`
