# SPDX-License-Identifier: GPL-2.0-or-later
"""Python 3.11's own test suite (libpython3.11-testsuite), the modules that ask something of the kernel."""
import os
import re

from harness import programs
from harness.machine import ROOT

NAME = "python"
MEMORY, SECONDS, SILENCE = "1G", 560, 100
MODULE_SECONDS = 150
# Modules of one machine each; the first parts are quick.
PARTS = {
    "files": "test_file test_fileio test_stat test_fcntl test_mmap test_glob test_tempfile test_posixpath test_genericpath "
             "test_filecmp test_largefile",
    "waiting": "test_select test_poll test_epoll test_selectors test_ioctl test_wait3 test_wait4 test_fork1 test_popen "
               "test_thread test_resource test_queue test_sched test_pty test_openpty test_pipes",
    "posix": "test_posix test_os test_grp test_pwd test_uuid test_time test_getpass",
    "signals": "test_signal test_threadsignals test_eintr test_faulthandler",
    "trees": "test_shutil test_pathlib test_io",
    "threads": "test_threading",
    "futures": "test_concurrent_futures",
    "subprocess": "test_subprocess",
    "multiprocessing": "test_multiprocessing_fork",
    "asyncio": "test_asyncio.test_unix_events test_asyncio.test_streams test_asyncio.test_locks test_asyncio.test_subprocess",
    "events": "test_asyncio.test_events",
    "sockets": "test_socket",
    "socketservers": "test_socketserver test_asyncore",
    "http": "test_httplib test_httpservers test_urllib test_urllib2 test_urllib2_localnet test_urllib_response test_urlparse",
    "mail": "test_ftplib test_smtplib test_poplib",
    "ssl": "test_ssl test_asyncio.test_ssl test_asyncio.test_sslproto",
    "servers": "test_asyncio.test_sock_lowlevel test_asyncio.test_server test_asyncio.test_sendfile test_asyncio.test_buffered_proto",
}
PACKAGES = "bash coreutils procps util-linux mount hostname iproute2 python3 libpython3.11-testsuite"
OUTCOME = re.compile(r"^(ok|skip|fail|error) (test\.\S+|\S+ \(\S+\))$")


def build(arch):
    programs.USER_LANDS["python"] = (MEMORY, PACKAGES)
    suites = os.path.join(ROOT, "test", "suites")
    return programs.build(arch, "python", os.path.join(suites, "python.sh"),
                          {"programs/python_tests.py": os.path.join(suites, "python_tests.py")})


def append(part, patience):
    return f"modules={PARTS[part].replace(' ', ',')} seconds={MODULE_SECONDS * patience}"


def parse(lines):
    found = {}
    for line in lines:
        match = OUTCOME.match(line)
        if match:
            found[match[2].removeprefix("test.")] = match[1]
    return found


def group(test):
    words = test.split(".")
    return ".".join(words[:2]) if words[0] == "test_asyncio" else words[0]


def explain(lines, test):
    """What the failing test printed."""
    start = next((i for i, line in enumerate(lines) if line == f"start test.{test}"), None)
    if start is None:
        return []
    end = next((i for i in range(start + 1, len(lines)) if OUTCOME.match(lines[i]) or lines[i].startswith("start ")),
               len(lines))
    return lines[start + 1:end][-12:]
