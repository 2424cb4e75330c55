# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong with an Ethernet frame: lengths, header fields and checksums of ARP, IPv4, IPv6, ICMP, UDP and TCP."""
import array
import struct

TCP, UDP, ICMP, ICMPV6, FRAGMENT = 6, 17, 1, 58, 44
SKIPPED = (0, 43, 60)  # IPv6 extension headers with a length


def checksum(*parts):
    """The Internet checksum's sum, folded: 0xffff for data that holds its right checksum."""
    data = b"".join(parts)
    total = sum(array.array("H", data + b"\0" * (len(data) % 2)))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total


def tcp_options(options):
    """What is wrong with the options of a TCP header, or None."""
    while options:
        if options[0] == 0:
            return None if not any(options) else "TCP: bytes behind the end of options"
        if options[0] == 1:
            options = options[1:]
            continue
        if len(options) < 2 or not 2 <= options[1] <= len(options):
            return "TCP: length of an option"
        options = options[options[1]:]
    return None


def transport(protocol, pseudo, data):
    """pseudo: the addresses, for the sum."""
    minimum = {TCP: 20, UDP: 8, ICMP: 8, ICMPV6: 4}.get(protocol)
    if minimum is None:
        return None
    if len(data) < minimum:
        return f"protocol {protocol}: {len(data)} bytes"
    head = pseudo + struct.pack("!II", len(data), protocol) if protocol != ICMP else b""
    if protocol == UDP:
        length, total = struct.unpack("!HH", data[4:8])
        if length != len(data):
            return f"UDP: length {length}, not {len(data)}"
        if total == 0:
            return None if len(pseudo) == 8 else "UDP over IPv6 without a checksum"
    if checksum(head, data) != 0xffff:
        return f"protocol {protocol}: checksum"
    if protocol == TCP:
        header = (data[12] >> 4) * 4
        if not 20 <= header <= len(data):
            return "TCP: header length"
        return tcp_options(data[20:header])
    return None


def ipv4(data):
    if len(data) < 20:
        return "IPv4: short"
    header = (data[0] & 15) * 4
    total, fragment = struct.unpack("!H2xH", data[2:8])
    if data[0] >> 4 != 4 or not 20 <= header <= total <= len(data):
        return "IPv4: version or lengths"
    if checksum(data[:header]) != 0xffff:
        return "IPv4: checksum"
    if data[8] == 0:
        return "IPv4: time to live"
    if fragment & 0x3fff:
        return "IPv4: length of a fragment" if fragment & 0x2000 and (total - header) % 8 else None
    return transport(data[9], data[12:20], data[header:total])


def ipv6(data):
    if len(data) < 40 or data[0] >> 4 != 6:
        return "IPv6: short, or not version 6"
    length, protocol = struct.unpack("!HB", data[4:7])
    if 40 + length > len(data):
        return "IPv6: length"
    addresses, rest = data[8:40], data[40:40 + length]
    while protocol in SKIPPED:
        if len(rest) < 8 or (rest[1] + 1) * 8 > len(rest):
            return "IPv6: extension header"
        protocol, rest = rest[0], rest[(rest[1] + 1) * 8:]
    if protocol == FRAGMENT:
        more = len(rest) >= 8 and rest[3] & 1
        return "IPv6: fragment" if len(rest) < 9 or more and (len(rest) - 8) % 8 else None
    return transport(protocol, addresses, rest)


def arp(data):
    if len(data) < 28 or data[:6] != b"\0\1\x08\0\6\4":
        return "ARP: not Ethernet and IPv4"
    return None


def wrong(frame):
    """What is wrong with a frame, or None."""
    if len(frame) < 14:
        return f"{len(frame)} bytes"
    if frame[6] & 1:
        return "a group as the source"
    check = {0x0800: ipv4, 0x86dd: ipv6, 0x0806: arp}.get(struct.unpack("!H", frame[12:14])[0])
    return check(frame[14:]) if check else "protocol of no test"


def joined_groups(frame):
    """The groups of the records of an IGMPv3 or MLDv2 report that say "member", as hexadecimal digits."""
    if frame[12:15] == b"\x08\x00\x46" and frame[23:24] == b"\2" and frame[38:39] == b"\x22":
        records, length = frame[38:], 4
    elif frame[12:14] == b"\x86\xdd" and frame[20:21] == b"\0" and frame[62:63] == b"\x8f":
        records, length = frame[62:], 16
    else:
        return set()
    size = 4 + length
    return {records[at + 4:at + size].hex() for at in range(8, len(records) - size + 1, size) if records[at] in (2, 4)}
