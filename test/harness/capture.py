# SPDX-License-Identifier: GPL-2.0-or-later
"""What tshark says of the frames of one machine in a capture: malformed ones, and checksums that are wrong."""
import subprocess

CHECKED = ("ip.check_checksum", "tcp.check_checksum", "udp.check_checksum")
BAD = ("_ws.malformed", "ip.checksum.status == 0", "tcp.checksum.status == 0", "udp.checksum.status == 0",
       "icmp.checksum.status == 0", "icmpv6.checksum.status == 0")
SHOWN = 8  # bad frames that a report quotes


def tshark(path, *words):
    # Bytes that are encrypted look like malformed SSH.
    command = ["tshark", "-n", "-r", path, "--disable-protocol", "ssh", *(word for name in CHECKED for word in ("-o", f"{name}:TRUE")), *words]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, timeout=900).stdout.splitlines()


def complaints(path, mac):
    """The first bad frames among those that the machine with this address sent, as tshark prints them; some words when there are none
    of it at all."""
    bad = tshark(path, "-Y", f"eth.src == {mac} && ({' || '.join(BAD)})")
    if not bad and not tshark(path, "-c", "2000", "-Y", f"eth.src == {mac}"):
        return [f"no frame of {mac} in the capture"]
    return bad[:SHOWN]
