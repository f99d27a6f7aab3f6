"""One ICMP echo at a time, from one address to another: by a ping socket, a raw socket, or the program ping."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import socket
import struct
import subprocess
from typing import Protocol

from tunnels.agent.addresses import Address

_HEADER = struct.Struct("!BBHHH")
_TIME = re.compile(rb"time[=<]([\d.]+) ms")
# (request, reply) by family, RFC 792 and RFC 4443.
_TYPES = {4: (8, 0), 6: (128, 129)}


class Echo(Protocol):
    """A way to probe. `fileno` is readable when there may be an answer."""

    def send(self, sequence: int) -> None:
        """Send one request. Raises OSError."""

    def fileno(self) -> int:
        """Readable when there may be an answer; ask again after each `send`."""

    def answered(self, sequence: int) -> bool | None:
        """Read what came; whether the answer to this request is among it. None when there will be none."""

    def close(self) -> None:
        """Let go."""


def open_echo(local: Address, remote: Address) -> Echo:
    """The first way that this host allows. Raises OSError, for example when it does not have the address."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return SocketEcho(local, remote, kind=kind)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EPROTONOSUPPORT):
                raise
    return CommandEcho(local, remote)


class SocketEcho:
    """A ping socket (`net.ipv4.ping_group_range`), or a raw one (CAP_NET_RAW)."""

    def __init__(self, local: Address, remote: Address, *, kind: socket.SocketKind) -> None:
        """Raises OSError."""
        self._version = local.version
        self._raw = kind is socket.SOCK_RAW
        self._token = secrets.token_bytes(8)
        self._id = secrets.randbelow(0x10000)
        family, protocol = (
            (socket.AF_INET, socket.IPPROTO_ICMP)
            if local.version == 4
            else (socket.AF_INET6, socket.IPPROTO_ICMPV6)
        )
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.setblocking(False)
            self._socket.bind((str(local), 0))
            self._socket.connect((str(remote), 0))
        except OSError:
            self._socket.close()
            raise

    def send(self, sequence: int) -> None:
        """Send one request. Raises OSError."""
        kind = _TYPES[self._version][0]
        body = self._token + struct.pack("!I", sequence)
        header = _HEADER.pack(kind, 0, 0, self._id, sequence & 0xFFFF)
        if self._version == 4:  # the kernel fills in the checksum of ICMPv6
            header = _HEADER.pack(kind, 0, _checksum(header + body), self._id, sequence & 0xFFFF)
        self._socket.send(header + body)

    def fileno(self) -> int:
        """The socket's."""
        return int(self._socket.fileno())

    def answered(self, sequence: int) -> bool:
        """Read all that came: answers that are late, and with a raw socket other programs' too."""
        wanted = self._token + struct.pack("!I", sequence)
        found = False
        with contextlib.suppress(OSError):  # nothing more, or an ICMP error for what was sent
            while True:
                packet = self._socket.recv(2048)
                if self._raw and self._version == 4:
                    packet = packet[(packet[0] & 0x0F) * 4 :]
                reply = packet[:1] == bytes([_TYPES[self._version][1]])
                found |= reply and packet[_HEADER.size :] == wanted
        return found

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class CommandEcho:
    """The program ping, for hosts that allow neither kind of socket."""

    def __init__(self, local: Address, remote: Address) -> None:
        self._command = ["ping", "-n", "-c", "1", "-W", "5", "-I", str(local), str(remote)]
        self._process: subprocess.Popen[bytes] | None = None

    def send(self, _sequence: int) -> None:
        """Start one. Raises OSError."""
        self.close()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        os.set_blocking(self.fileno(), False)

    def fileno(self) -> int:
        """That of its output."""
        return self._process.stdout.fileno() if self._process and self._process.stdout else -1

    def answered(self, _sequence: int) -> bool | None:
        """Whether it has printed a time."""
        try:
            printed = os.read(self.fileno(), 65_536)
        except BlockingIOError:
            return False
        return bool(_TIME.search(printed)) if printed else None

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _checksum(content: bytes) -> int:
    """RFC 1071; `content` has an even length."""
    total: int = sum(struct.unpack(f"!{len(content) // 2}H", content))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
