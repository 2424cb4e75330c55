# SPDX-License-Identifier: GPL-2.0-or-later
"""A name server for one name: host.test is the host behind QEMU's user network. Of other names it knows nothing."""
import socket
import struct

NAME = b"\4host\4test\0"
TYPE_A, NOT_FOUND = 1, 3
ADDRESS = socket.inet_aton("10.0.2.2")


def answer(query):
    number, flags = struct.unpack("!HH", query[:4])
    end = query.index(b"\0", 12) + 1
    question, known = query[12:end + 4], query[12:end].lower() == NAME
    wanted, = struct.unpack("!H", query[end:end + 2])
    records = b"\xc0\x0c" + struct.pack("!HHIH", TYPE_A, 1, 60, 4) + ADDRESS if known and wanted == TYPE_A else b""
    return struct.pack("!6H", number, 0x8180 | (flags & 0x100) | (0 if known else NOT_FOUND), 1, bool(records), 0, 0) \
        + question + records


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    data, peer = server.recvfrom(4096)
    server.sendto(answer(data), peer)
