# SPDX-License-Identifier: GPL-2.0-or-later
"""A hostile third party on the wire of two guests.

It repeats what it hears with damage, in its own name (10.9.0.66 and fd09::66) so that what it ruins is only its own: wrong lengths,
options, fragments that overlap, checksums made right again so that the damage reaches the parser behind them. It answers
what is sent to it, opens TCP connections, sends segments with every flag and option near the right sequence numbers, and
floods: SYNs, ARP, neighbour and router advertisements, first fragments.
"""
import random
import struct

from harness import frames

MAC = bytes.fromhex("5254000066aa")
VICTIM4, OURS4 = bytes((10, 9, 0, 1)), bytes((10, 9, 0, 66))
VICTIM6, OURS6 = b"\xfd\x09" + bytes(13) + b"\1", b"\xfd\x09" + bytes(13) + b"\x66"
PORT = 5001
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def internet_checksum(*parts):
    return ~frames.checksum(*parts) & 0xffff


def ipv4(protocol, payload, source=OURS4, options=b"", fragment=0, identification=1):
    header = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload),
                                   identification, fragment, 64, protocol, 0, source, VICTIM4)) + options
    header[10:12] = struct.pack("=H", internet_checksum(bytes(header)))
    return bytes(header) + payload


def ipv6(protocol, payload, source=OURS6, destination=VICTIM6, hops=255):
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, hops, source, destination) + payload


def with_sum(protocol, payload, offset, source, destination):
    """The payload with the checksum at `offset` made right."""
    data = bytearray(payload)
    data[offset:offset + 2] = b"\0\0"
    head = source + destination + struct.pack("!II", len(data), protocol)
    data[offset:offset + 2] = struct.pack("=H", internet_checksum(head, bytes(data)))
    return bytes(data)


class Attacker:
    """hear(frame) is told of what the victim sends; next() makes a hostile frame to it."""

    def __init__(self, victim_mac, seed=1):
        self.random = random.Random(seed)
        self.mac = victim_mac
        self.heard, self.answers, self.connections = [], [], {}
        self.kinds = (self.damaged, self.damaged, self.fragment, self.fragment6, self.syn, self.segment, self.segment,
                      self.segment, self.arp, self.ndp, self.icmp, self.noise)

    def ethernet(self, kind, payload):
        return self.mac + MAC + struct.pack("!H", kind) + payload

    def hear(self, frame):
        if len(self.heard) < 200:
            self.heard.append(frame)
        else:
            self.heard[self.random.randrange(200)] = frame
        kind = frame[12:14]
        if kind == b"\x08\x06" and frame[38:42] == OURS4 and frame[20:22] == b"\0\1":
            reply = frame[14:20] + b"\0\2" + MAC + OURS4 + frame[22:32]
            self.answers.append(frame[6:12] + MAC + kind + reply)
        if kind == b"\x08\x00" and frame[30:34] == OURS4 and frame[23] == frames.TCP:
            self.hear_tcp(frame[14 + (frame[14] & 15) * 4:])

    def hear_tcp(self, tcp):
        """The other end of a connection of ours: what would be the right numbers next."""
        port = struct.unpack("!H", tcp[2:4])[0]
        seq, ack = struct.unpack("!II", tcp[4:12])
        length = len(tcp) - (tcp[12] >> 4) * 4 + bool(tcp[13] & SYN)
        if tcp[13] & RST:
            self.connections.pop(port, None)
        elif len(self.connections) < 64:
            self.connections[port] = (ack, (seq + length) & 0xffffffff)
            if tcp[13] & SYN:
                self.answers.append(self.tcp(port, ack, (seq + length) & 0xffffffff, ACK))

    def tcp(self, port, seq, ack, flags, options=b"", payload=b"", window=1000, urgent=0, offset=None):
        words = 5 + len(options) // 4 if offset is None else offset
        header = struct.pack("!HHIIBBHHH", port, PORT, seq & 0xffffffff, ack & 0xffffffff, words << 4 & 0xff, flags, window,
                             0, urgent)
        segment = with_sum(frames.TCP, header + options + payload, 16, OURS4, VICTIM4)
        return self.ethernet(0x0800, ipv4(frames.TCP, segment))

    def next(self):
        if self.answers:
            return self.answers.pop(0)
        return self.random.choice(self.kinds)()

    def bytes(self, most):
        return self.random.randbytes(self.random.randrange(most))

    def options(self):
        """Options of TCP, right and wrong, filled up to words."""
        known = (b"\1", b"\2\4\0\0", b"\2\4\xff\xff", b"\3\3\xff", b"\4\2", b"\x08\x0a" + self.bytes(9).ljust(8, b"\0"),
                 b"\5\x0a" + self.random.randbytes(8), b"\5\x12" + self.random.randbytes(16), b"\5\3\0", b"\x08\2",
                 b"\0", b"\xfd\xff", b"\x22\0", b"\x13\x12" + bytes(16))
        soup = b"".join(self.random.choice(known) for _ in range(self.random.randrange(6)))[:40]
        return soup + bytes(-len(soup) % 4)

    def segment(self):
        if not self.connections or self.random.random() < 0.05:
            return self.tcp(self.random.randrange(1, 65536), self.random.getrandbits(32), 0, SYN, self.options())
        port, (seq, ack) = self.random.choice(list(self.connections.items()))
        near = self.random.choice((0, 0, 0, 1, -1, 100, 1000, -1000, 60000, 1 << 20, -(1 << 20), 1 << 31))
        flags = self.random.choice((ACK, ACK | PSH, ACK | PSH, ACK | FIN, ACK | 32, SYN | ACK, RST, 0, 255, ACK | 0xc0))
        payload = self.bytes(1200)
        frame = self.tcp(port, seq + near, ack + self.random.choice((0, 0, 0, 1, -1, -1000, 100000)), flags, self.options(),
                         payload, self.random.choice((0, 1, 1000, 65535)), self.random.getrandbits(16),
                         self.random.randrange(16) if self.random.random() < 0.05 else None)
        if near == 0 and flags & ACK and not flags & (SYN | RST):
            self.connections[port] = ((seq + len(payload)) & 0xffffffff, ack)
        return frame

    def syn(self):
        source = bytes((10, 9, self.random.randrange(1, 255), self.random.randrange(1, 255)))
        header = struct.pack("!HHIIBBHHH", self.random.randrange(1, 65536), PORT, self.random.getrandbits(32), 0, 5 << 4, SYN,
                             1000, 0, 0)
        return self.ethernet(0x0800, ipv4(frames.TCP, with_sum(frames.TCP, header, 16, source, VICTIM4), source))

    def damaged(self):
        """What was heard, back to the victim from us, with bytes changed; half of the sums are made right."""
        if not self.heard:
            return self.noise()
        frame = bytearray(self.random.choice(self.heard))
        frame[0:12] = self.mac + MAC
        kind = bytes(frame[12:14])
        if kind == b"\x08\x00" and len(frame) >= 34:
            frame[26:34] = OURS4 + VICTIM4
        elif kind == b"\x86\xdd" and len(frame) >= 54:
            frame[22:54] = OURS6 + VICTIM6
        for _ in range(self.random.randrange(1, 6)):
            at = self.random.randrange(14, min(len(frame), 90)) if len(frame) > 14 else 0
            frame[at] = self.random.choice((0, 0xff, 1, 0x80, frame[at] ^ 1 << self.random.randrange(8)))
        if self.random.random() < 0.3:
            del frame[self.random.randrange(14, len(frame) + 1):]
        if self.random.random() < 0.1:
            frame += self.random.randbytes(self.random.randrange(600))
        if self.random.random() < 0.7 and kind == b"\x08\x00" and len(frame) >= 34:
            header = min((frame[14] & 15) * 4, len(frame) - 14)
            frame[24:26] = b"\0\0"
            frame[24:26] = struct.pack("=H", internet_checksum(bytes(frame[14:14 + header])))
        return bytes(frame)

    def fragment(self):
        """Few identifications, so that fragments meet and overlap."""
        offset = self.random.choice((0, 0, 1, 2, 3, 100, 8000, 8191))
        more = 0x2000 if self.random.random() < 0.7 else 0
        return self.ethernet(0x0800, ipv4(self.random.choice((1, 6, 17)), self.random.randbytes(self.random.choice((8, 16, 24,
                             13, 1200))), fragment=offset | more, identification=self.random.randrange(100)))

    def fragment6(self):
        offset = self.random.choice((0, 0, 1, 2, 100, 8191)) << 3 | (self.random.random() < 0.7)
        header = struct.pack("!BBHI", self.random.choice((17, 58, 44, 0, 6)), 0, offset, self.random.randrange(100))
        chain = self.random.choice((b"", bytes((44, 0, 1, 4, 0, 0, 0, 0)), bytes((44, 200)) + bytes(6)))
        return self.ethernet(0x86dd, ipv6(0 if chain else frames.FRAGMENT,
                                          chain + header + self.random.randbytes(self.random.choice((8, 16, 13, 1200)))))

    def arp(self):
        sender = bytes((10, 9, self.random.randrange(0, 2), self.random.randrange(3, 255)))
        body = struct.pack("!HHBBH", 1, 0x800, 6, 4, self.random.choice((1, 1, 2, 9))) + MAC + sender + bytes(6) + VICTIM4
        return self.ethernet(0x0806, body[:self.random.choice((28, 28, 28, 20, 8))])

    def ndp(self):
        """Neighbours and routers by the thousand, with options of any length."""
        source = b"\xfe\x80" + bytes(6) + self.random.randbytes(8)
        kind = self.random.choice((133, 134, 135, 136, 137, 143, 130))
        body = bytes((kind, 0, 0, 0)) + self.random.randbytes(4)
        if kind == 134:
            body += self.random.randbytes(8)
        if kind in (135, 136):
            body += self.random.choice((VICTIM6, source))
        for _ in range(self.random.randrange(4)):
            words = self.random.choice((0, 1, 1, 1, 4, 4, 255))
            option = bytes((self.random.choice((1, 2, 3, 3, 5, 25)), words))
            body += option + self.random.randbytes(max(words % 8 * 8 - 2, 0))
        message = with_sum(frames.ICMPV6, body, 2, source, VICTIM6)
        return self.ethernet(0x86dd, ipv6(frames.ICMPV6, message, source))

    def icmp(self):
        """Errors about packets that were, or were not, sent."""
        inner = self.random.choice(self.heard)[14:14 + self.random.randrange(60)] if self.heard else b""
        body = bytes((self.random.choice((3, 3, 4, 5, 8, 11, 12, 13)), self.random.randrange(16), 0, 0)) \
            + struct.pack("!HH", 0, self.random.choice((0, 68, 500, 1400, 65535))) + inner
        return self.ethernet(0x0800, ipv4(1, body[:2] + struct.pack("=H", internet_checksum(body)) + body[4:],
                                          options=self.random.choice((b"", b"", b"\x83\x0b\4" + bytes(8) + b"\0",
                                                                      b"\7\xff\4\0", b"\x44\x04\5\xf0"))))

    def noise(self):
        return self.ethernet(self.random.choice((0x0800, 0x86dd, 0x0806, 0x8100, self.random.getrandbits(16))),
                             self.bytes(1600))
