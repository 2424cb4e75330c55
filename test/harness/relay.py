# SPDX-License-Identifier: GPL-2.0-or-later
"""The wire between two guests: QEMU's dgram netdevs over a relay that loses, delays, overtakes and doubles frames.

What happens to a frame follows from a seed and its number in its direction, so that runs are alike. The delay is longer than a
busy host's own, and a frame waits for a machine that is slow to take it (the host's sockets hold ten), by which the outcome
depends on the link and not on the machine that runs the test.
"""
import collections
import heapq
import os
import random
import select
import socket
import struct
import threading
import time

from harness import frames

SHOWN = 8  # bad frames that a report quotes


class Link:
    """How a direction of the wire behaves; shares of 1, times in seconds."""

    def __init__(self, loss=0.0, reorder=0.0, duplicate=0.0, delay=0.0, late=0.010):
        self.loss, self.reorder, self.duplicate = loss, reorder, duplicate
        self.delay, self.late = delay, late


LOSSY = Link(loss=0.01, reorder=0.05, duplicate=0.01, delay=0.050)
CLEAN = Link()
DIRECT = Link()  # from machine to machine, past the relay
HOSTILE = Link(delay=0.005)
ATTACK_EVERY, ATTACK_BURST = 0.005, 4  # seconds, frames
WAITING, RETRY = 2000, 0.0005  # frames that a slow machine is kept, seconds until it is asked again


class Relay:
    """with Relay(directory, link) as relay: relay.words(0) and relay.words(1) join the two machines."""

    def __init__(self, directory, link, seed=1, capture=None, attacker=None):
        """attacker: an Attacker of machine 0."""
        self.directory, self.link = directory, link
        self.attacker, self.attack_at, self.attacks = attacker, 0, 0
        self.random = [random.Random(seed), random.Random(seed + 1)]
        self.queue, self.number = [], 0
        self.waiting = [collections.deque(), collections.deque()]
        self.frames, self.lost, self.bad = [0, 0], [0, 0], [[], []]
        self.groups = [set(), set()]  # what each machine told routers that it listens to
        self.sockets = []
        for side in (0, 1):
            wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            wire.bind(self.path("relay", side))
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            wire.setblocking(False)
            self.sockets.append(wire)
        self.capture = open(capture, "wb") if capture else None
        if self.capture:
            self.capture.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def path(self, name, side):
        return os.path.join(self.directory, f"{name}{side}")

    @staticmethod
    def mac(side):
        return bytes((0x52, 0x54, 0, 0x12, 0x34, side + 1))

    def words(self, side, device="virtio-net-pci"):
        """QEMU's words for one of the machines."""
        other = self.path("guest", 1 - side) if self.link is DIRECT else self.path("relay", side)
        return ("-netdev", f"dgram,id=net0,local.type=unix,local.path={self.path('guest', side)},"
                f"remote.type=unix,remote.path={other}",
                "-device", f"{device},netdev=net0,mac={self.mac(side).hex(':')},romfile=")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()
        for wire in self.sockets:
            wire.close()
        if self.capture:
            self.capture.close()

    def run(self):
        while not self.ending.is_set():
            self.attack()
            for side, waiting in enumerate(self.waiting):
                while waiting and self.put(side, waiting[0]):
                    waiting.popleft()
            wait = min(max(self.queue[0][0] - time.monotonic(), 0), 0.2) if self.queue else 0.2
            if self.attacker:
                wait = min(wait, ATTACK_EVERY)
            if any(self.waiting):
                wait = min(wait, RETRY)
            ready, _, _ = select.select(self.sockets, [], [], wait)
            for wire in ready:
                self.take(self.sockets.index(wire))
            now = time.monotonic()
            while self.queue and self.queue[0][0] <= now:
                _, _, side, frame = heapq.heappop(self.queue)
                self.deliver(side, frame)

    def attack(self):
        """A burst, once machine 0 is there; as many a second whatever the two machines do."""
        now = time.monotonic()
        if not self.attacker or now < self.attack_at or not self.frames[0]:
            return
        self.attack_at = now + ATTACK_EVERY
        for _ in range(ATTACK_BURST):
            self.attacks += 1
            self.put(0, self.attacker.next())

    def take(self, side):
        for _ in range(64):
            try:
                frame = self.sockets[side].recv(262144)
            except BlockingIOError:
                return
            self.frames[side] += 1
            self.look_at(side, frame)
            if self.attacker and side == 0:
                self.attacker.hear(frame)
                if not frame[0] & 1 and frame[:6] != self.mac(1):
                    continue
            self.pass_on(side, frame)

    def look_at(self, side, frame):
        if self.capture:
            now = time.time()
            self.capture.write(struct.pack("=IIII", int(now), int(now % 1 * 1e6), len(frame), len(frame)) + frame)
        self.groups[side] |= frames.joined_groups(frame)
        reason = frames.wrong(frame)
        if reason and len(self.bad[side]) < SHOWN:
            self.bad[side].append(f"{reason}: {frame[:90].hex()}")

    def pass_on(self, side, frame):
        chance, link = self.random[side], self.link
        lost, late, twice, more = (chance.random() for _ in range(4))
        if lost < link.loss:
            self.lost[side] += 1
            return
        at = time.monotonic() + link.delay
        if late < link.reorder:
            at += link.late * more
        self.schedule(at, 1 - side, frame)
        if twice < link.duplicate:
            self.schedule(at + link.late * more, 1 - side, frame)

    def schedule(self, at, side, frame):
        self.number += 1
        if self.link.delay:
            heapq.heappush(self.queue, (at, self.number, side, frame))
        else:
            self.deliver(side, frame)

    def deliver(self, side, frame):
        """Behind what waits for the machine."""
        if not self.waiting[side] and self.put(side, frame):
            return
        if len(self.waiting[side]) < WAITING:
            self.waiting[side].append(frame)
        else:
            self.lost[1 - side] += 1

    def put(self, side, frame):
        """False: the machine has to take others first."""
        try:
            self.sockets[side].sendto(frame, self.path("guest", side))
        except BlockingIOError:
            return False
        except (FileNotFoundError, ConnectionRefusedError):
            self.lost[1 - side] += 1  # not there yet
        return True
