"""A cable between two hosts that can be slow, lossy or cut: ``python -m ...cable NAME NAME``.

Makes two TUN devices, which may be moved into network namespaces, and carries packets from one to
the other. Says ``ready``; then does what lines on its stdin say: ``carry SECONDS LOSS``, the delay
and the share of packets that are lost, each way, or ``cut``. Ends with its stdin, the devices too.

In user space, since `tc netem` is a module that many kernels come without; and a cable that is
pulled in the middle tells neither host, as a link that goes down on one of them would.
"""

from __future__ import annotations

import collections
import contextlib
import fcntl
import os
import random
import select
import struct
import sys
import time

_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEADER = 0x1001
_PACKET = 1 << 16
_MOST = 10_000
"""Packets on their way in one direction."""


class Cable:
    """Both ends, and what is on its way.

    Args:
        names: of the devices.
    """

    def __init__(self, names: tuple[str, str]) -> None:
        self._ends = tuple(map(_device, names))
        self._other = dict(zip(self._ends, reversed(self._ends), strict=True))
        self._under_way: collections.deque[tuple[float, int, bytes]] = collections.deque()
        self._random = random.Random(7)
        self._seconds = self._loss = 0.0

    def run(self) -> None:
        """Carry until stdin ends."""
        while True:
            wait = None
            if self._under_way:
                wait = max(0.0, self._under_way[0][0] - time.monotonic())
            ready, _, _ = select.select([0, *self._ends], [], [], wait)
            for end in ready:
                if end:
                    self._take(end)
                elif not self._obey(os.read(0, 4096).decode().split("\n")[-2:-1]):
                    return
            self._deliver()

    def _take(self, end: int) -> None:
        packet = os.read(end, _PACKET)
        if self._random.random() >= self._loss and len(self._under_way) < _MOST:
            due = time.monotonic() + self._seconds
            self._under_way.append((due, self._other[end], packet))

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._under_way and self._under_way[0][0] <= now:
            _, end, packet = self._under_way.popleft()
            with contextlib.suppress(OSError):  # nobody is there yet
                os.write(end, packet)

    def _obey(self, lines: list[str]) -> bool:
        """Do what the last line says; False at the end of stdin."""
        for line in lines:
            if line == "cut":
                self._loss = 1.0
                self._under_way.clear()
            else:
                self._seconds, self._loss = map(float, line.split()[1:])
        return bool(lines)


def _device(name: str) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    wanted = struct.pack("16sH22x", name.encode(), _TUN_WITHOUT_HEADER)
    fcntl.ioctl(descriptor, _TUNSETIFF, wanted)
    return descriptor


if __name__ == "__main__":
    cable = Cable((sys.argv[1], sys.argv[2]))
    print("ready", flush=True)
    cable.run()
