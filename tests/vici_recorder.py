"""A stand-in for charon that says yes to everything and remembers what swanctl asked it to load.

charon never gives a key back, and it lists only a part of a connection. So the real swanctl reads the file here,
and what it understood is compared byte for byte. The protocol is that of strongSwan's vici README.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

# Packet types.
COMMAND_REQUEST, COMMAND_RESPONSE = 0, 1
# Element types of a message.
SECTION_START, SECTION_END, KEY_VALUE, LIST_START, LIST_ITEM, LIST_END = 1, 2, 3, 4, 5, 6

Message = dict[str, "bytes | list[bytes] | Message"]

YES = b"".join(
    (
        bytes((KEY_VALUE, 7)) + b"success" + struct.pack("!H", 3) + b"yes",
        *(
            bytes((LIST_START, len(name))) + name + bytes((LIST_END,))
            for name in (b"keys", b"conns")
        ),
    )
)


class ViciRecorder:
    """`requests` are the (command, message) pairs received so far."""

    def __init__(self, path: Path) -> None:
        self.uri = f"unix://{path}"
        self.requests: list[tuple[str, Message]] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def messages(self, command: str) -> list[Message]:
        """All messages of one command."""
        return [message for name, message in self.requests if name == command]

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        # shutdown() ends accept() with an error: that is how this thread is told to go.
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client:
                    self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        with client.makefile("rb") as stream:
            while header := stream.read(4):
                packet = stream.read(struct.unpack("!I", header)[0])
                if packet[0] != COMMAND_REQUEST:
                    raise AssertionError(f"unexpected packet type {packet[0]}")
                name_end = 2 + packet[1]
                message, _ = _read(packet, name_end)
                self.requests.append((packet[2:name_end].decode(), message))
                answer = bytes((COMMAND_RESPONSE,)) + YES
                client.sendall(struct.pack("!I", len(answer)) + answer)


@contextlib.contextmanager
def recording(folder: Path) -> Iterator[ViciRecorder]:
    """A recorder with its socket in `folder`."""
    recorder = ViciRecorder(folder / "recorder")
    try:
        yield recorder
    finally:
        recorder.close()


def _read(packet: bytes, at: int) -> tuple[Message, int]:
    """One section of a message, from `at` to its end."""
    found: Message = {}
    while at < len(packet) and packet[at] != SECTION_END:
        kind, length = packet[at], packet[at + 1]
        name = packet[at + 2 : at + 2 + length].decode()
        at += 2 + length
        if kind == SECTION_START:
            found[name], at = _read(packet, at)
        elif kind == KEY_VALUE:
            found[name], at = _read_value(packet, at)
        elif kind == LIST_START:
            items = []
            while packet[at] == LIST_ITEM:
                item, at = _read_value(packet, at + 1)
                items.append(item)
            found[name] = items
            at += 1
        else:
            raise AssertionError(f"unexpected element type {kind}")
    return found, at + 1


def _read_value(packet: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("!H", packet, at)
    return packet[at + 2 : at + 2 + length], at + 2 + length
