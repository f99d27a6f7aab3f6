"""The real charon, by vici: the only module that knows that protocol.

One connection is kept; every request has a deadline as a whole. After a failure in the middle of an answer the
connection is dropped, because the rest of that answer would be taken for the next one.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from vici import Session
from vici.exception import (
    CommandException,
    DeserializationException,
    EventUnknownException,
    SessionException,
)
from vici.protocol import Message as Encoding
from vici.protocol import Packet, Transport

from tunnels.agent.charon import CharonRefused, CharonUnreachable, ChildSa, IkeSa, Load, Version
from tunnels.agent.render import Message

DEFAULT_SOCKET = "unix:///var/run/charon.vici"
TIMEOUT_SECONDS = 10.0
# Many small answers come at once.
RECEIVE_BYTES = 65_536

T = TypeVar("T")
Answer = Mapping[str, Any]


class ViciCharon:
    """`ViciCharon("unix:///var/run/charon.vici")`; `writes` counts the requests that change something."""

    def __init__(self, address: str = DEFAULT_SOCKET, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._path = address.removeprefix("unix://")
        self._timeout = timeout
        self._line: _Line | None = None
        self._session: Any = None
        self.writes = 0

    def close(self) -> None:
        """Hang up; the next request connects again."""
        line, self._line, self._session = self._line, None, None
        if line is not None:
            line.close()

    def version(self) -> Version:
        """Version and plugins."""
        said = self._ask(lambda session: session.version())
        stats = self._ask(lambda session: session.stats())
        return Version(
            charon_version=_text(said, "version"),
            plugins=tuple(sorted(_texts(stats, "plugins"))),
        )

    def connections(self) -> tuple[str, ...]:
        """Names of the loaded connections."""
        return _texts(self._ask(lambda session: session.get_conns()), "conns")

    def shared(self) -> tuple[str, ...]:
        """Ids of the loaded shared secrets."""
        return _texts(self._ask(lambda session: session.get_shared()), "keys")

    def sas(self, ike: str = "") -> tuple[IkeSa, ...]:
        """All IKE_SAs, or those of one connection."""
        selected = {"ike": ike} if ike else {}
        # The stream is drained here: an answer that is not read to its end spoils the connection.
        events = self._ask(lambda session: list(session.list_sas(selected)))
        return tuple(_ike_sa(name, body) for event in events for name, body in event.items())

    def load(self, loads: Sequence[Load]) -> dict[str, str]:
        """Load or replace secrets and connections; returns by tunnel why charon refused.

        All is sent before the first answer is read: charon does the requests of one connection in turn, and
        answers in that order, however many wait (seen with 5.9.8).
        """
        requests = [(load.tunnel, *request) for load in loads for request in _requests(load)]
        self.writes += len(requests)
        return self._ask(lambda session: self._in_a_row(session.transport, requests))

    def load_connection(self, message: Message) -> None:
        """Load or replace one connection. Raises CharonRefused when charon does not understand it."""
        self._change(lambda session: session.load_conn(message))

    def unload_connection(self, name: str) -> None:
        """Forget a connection; one that is not loaded is no error."""
        try:
            self._change(lambda session: session.unload_conn({"name": name}))
        except CharonRefused as refused:
            if "not found" not in str(refused):
                raise

    def load_shared(self, message: Message) -> None:
        """Load or replace a secret."""
        self._change(lambda session: session.load_shared(message))

    def unload_shared(self, secret_id: str) -> None:
        """Forget a secret; one that is not loaded is no error."""
        self._change(lambda session: session.unload_shared({"id": secret_id}))

    def initiate(self, *, ike: str, child: str) -> None:
        """Begin to negotiate, and return at once. Raises CharonRefused when there is no such CHILD_SA."""
        wanted = {"ike": ike, "child": child, "timeout": "-1", "loglevel": "-1"}
        self._change(lambda session: list(session.initiate(wanted)))

    def terminate(self, *, ike: str = "", child: str = "", seconds: float = 2.0) -> None:
        """Close what has that name, and wait; nothing of that name is no error."""
        selected = {"child": child} if child else {"ike": ike}
        wanted = {
            **selected, "force": "yes", "timeout": str(round(seconds * 1000)), "loglevel": "-1",
        }  # fmt: skip
        try:
            self._change(lambda session: list(session.terminate(wanted)), patience=seconds)
        except CharonRefused as refused:
            if "no matching SAs" not in str(refused):
                raise

    def _in_a_row(
        self, transport: Transport, requests: Sequence[tuple[str, str, Message]]
    ) -> dict[str, str]:
        for _, command, message in requests:
            transport.send(Packet.request(command, Encoding.serialize(message)))
        refused: dict[str, str] = {}
        for tunnel, _, _ in requests:
            self._extend()
            answer = Packet.parse(transport.receive())
            if answer.response_type != Packet.CMD_RESPONSE:
                raise SessionException(f"unexpected response type {answer.response_type}")
            said = Encoding.deserialize(answer.payload)
            if _text(said, "success") == "no":
                refused.setdefault(tunnel, _text(said, "errmsg"))
        return refused

    def _extend(self, patience: float = 0.0) -> None:
        if self._line is not None:
            self._line.deadline = time.monotonic() + self._timeout + patience

    def _change(self, request: Callable[[Any], T], *, patience: float = 0.0) -> T:
        self.writes += 1
        return self._ask(request, patience=patience)

    def _ask(self, request: Callable[[Any], T], *, patience: float = 0.0) -> T:
        try:
            if self._line is None:
                self._line = _Line(self._path, self._timeout)
                self._session = Session(self._line)
            self._extend(patience)
            return request(self._session)
        except CommandException as refused:
            raise CharonRefused(str(refused).removeprefix("Command failed: ")) from None
        except TimeoutError:
            self.close()
            raise CharonUnreachable(
                f"charon did not answer within {self._timeout:g} s on {self._path}."
            ) from None
        except OSError as error:
            self.close()
            reason = error.strerror or str(error)
            raise CharonUnreachable(
                f"charon cannot be reached on {self._path}: {reason}."
            ) from None
        except (
            SessionException, EventUnknownException, DeserializationException,
            struct.error, UnicodeDecodeError, KeyError,
        ) as error:  # fmt: skip
            self.close()
            raise CharonUnreachable(f"charon's answer was not understood: {error}") from None


class _Line:
    """A unix socket on which every wait ends at `deadline`: vici's reader switches timeouts off half way."""

    def __init__(self, path: str, timeout: float) -> None:
        self.deadline = time.monotonic() + timeout
        self._received, self._read = b"", 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(timeout)
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def sendall(self, data: bytes) -> None:
        self._arm()
        self._socket.sendall(data)

    def recv(self, count: int) -> bytes:
        if self._read == len(self._received):
            self._arm()
            self._received, self._read = self._socket.recv(RECEIVE_BYTES), 0
        part = self._received[self._read : self._read + count]
        self._read += len(part)
        return part

    def gettimeout(self) -> float | None:
        return None

    def settimeout(self, _seconds: float | None) -> None:
        """The deadline counts, whatever the reader wishes."""

    def close(self) -> None:
        self._socket.close()

    def _arm(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


def _requests(load: Load) -> Iterator[tuple[str, Message]]:
    for message in load.secrets:
        yield "load-shared", message
    for secret in load.forget:
        yield "unload-shared", {"id": secret}
    if load.connection is not None:
        yield "load-conn", load.connection


def _ike_sa(name: str, body: Answer) -> IkeSa:
    tasks = tuple(
        task for queue in ("tasks-queued", "tasks-active") for task in _texts(body, queue)
    )
    return IkeSa(
        name=name,
        unique_id=_number(body, "uniqueid"),
        state=_text(body, "state"),
        age=_number(body, "established"),
        nat=_text(body, "nat-any") == "yes",
        tasks=tasks,
        children=tuple(_children(body.get("child-sas", {}))),
    )


def _children(bodies: Mapping[str, Answer]) -> Iterator[ChildSa]:
    for body in bodies.values():
        yield ChildSa(
            name=_text(body, "name"),
            # Unique ids begin again with each charon; together with the SPI they do not meet.
            key=f"{_text(body, 'uniqueid')}-{_text(body, 'spi-in')}",
            state=_text(body, "state"),
            bytes_in=_number(body, "bytes-in"),
            bytes_out=_number(body, "bytes-out"),
            packets_in=_number(body, "packets-in"),
            packets_out=_number(body, "packets-out"),
        )


def _text(body: Answer, key: str) -> str:
    value = body.get(key, b"")
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _texts(body: Answer, key: str) -> tuple[str, ...]:
    return tuple(item.decode(errors="replace") for item in body.get(key, ()))


def _number(body: Answer, key: str) -> int:
    text = _text(body, key)
    return int(text) if text.isdigit() else 0
