"""A charon in memory, and a console; test_charon_contract.py holds the former to what the real one does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from tunnels.agent.charon import CharonRefused, CharonUnreachable, ChildSa, IkeSa, Load, Version
from tunnels.agent.render import Message
from tunnels.contract import SyncAnswer, SyncRequest


@dataclass
class FakeCharon:
    """`reachable` is whether the peer answers; `fail_at` is the number of the write that does not come back."""

    loaded: dict[str, Message] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    running: list[IkeSa] = field(default_factory=list)
    reachable: bool = True
    away: bool = False
    fail_at: int | None = None
    refused: set[str] = field(default_factory=set)
    writes: int = 0
    said: list[str] = field(default_factory=list)
    _number: int = 0
    # What each SA was negotiated with: by unique id of the IKE_SA, and by key of the CHILD_SA.
    _settings: dict[str, object] = field(default_factory=dict)

    def version(self) -> Version:
        self._read()
        return Version(charon_version="5.9.8", plugins=("kernel-libipsec", "vici"))

    def connections(self) -> tuple[str, ...]:
        self._read()
        return tuple(self.loaded)

    def shared(self) -> tuple[str, ...]:
        self._read()
        return tuple(self.keys)

    def sas(self, ike: str = "") -> tuple[IkeSa, ...]:
        self._read()
        return tuple(sa for sa in self.running if ike in ("", sa.name))

    def load_connection(self, message: Message) -> None:
        (name,) = message
        self._write(f"load-conn {name}")
        if name in self.refused:
            raise CharonRefused("invalid value")
        self.loaded[name] = cast("Message", message[name])

    def load(self, loads: Sequence[Load]) -> Mapping[str, str]:
        refused = {}
        for load in loads:
            try:
                for message in load.secrets:
                    self.load_shared(message)
                for secret in load.forget:
                    self.unload_shared(secret)
                if load.connection is not None:
                    self.load_connection(load.connection)
            except CharonRefused as reason:
                refused[load.tunnel] = str(reason)
        return refused

    def unload_connection(self, name: str) -> None:
        self._write(f"unload-conn {name}")
        self.loaded.pop(name, None)

    def load_shared(self, message: Message) -> None:
        name = cast("str", message["id"])
        self._write(f"load-shared {name}")
        # The last one loaded is the first one found.
        self.keys = {name: cast("bytes", message["data"]), **self.keys}
        self.keys[name] = cast("bytes", message["data"])

    def unload_shared(self, secret_id: str) -> None:
        self._write(f"unload-shared {secret_id}")
        self.keys.pop(secret_id, None)

    def initiate(self, *, ike: str, child: str) -> None:
        self._write(f"initiate {child}")
        if ike not in self.loaded or child not in self._children(ike):
            raise CharonRefused(f"CHILD_SA config '{child}' not found")
        if not self.reachable:
            return
        sa = next((sa for sa in self.running if sa.name == ike), None)
        if sa is None:
            sa = IkeSa(name=ike, unique_id=self._next(), state="ESTABLISHED")
            self.running.append(sa)
            phase1 = {key: value for key, value in self.loaded[ike].items() if key != "children"}
            self._settings[str(sa.unique_id)] = phase1
        if child not in {known.name for known in sa.children}:
            made = ChildSa(name=child, key=str(self._next()), state="INSTALLED")
            self._settings[made.key] = self._children(ike)[child]
            self._swap(sa, (*sa.children, made))

    def terminate(self, *, ike: str = "", child: str = "", seconds: float = 2.0) -> None:
        self._write(f"terminate {child or ike}")
        if child:
            for sa in list(self.running):
                self._swap(sa, tuple(known for known in sa.children if known.name != child))
        else:
            self.running = [sa for sa in self.running if sa.name != ike]

    # --- For tests ---

    def restart(self) -> None:
        """As after kill -9 and a start: empty."""
        self.loaded, self.keys, self.running = {}, {}, []

    def carry(self, child: str, count: int) -> None:
        """Let a CHILD_SA carry so many bytes in."""
        for sa in list(self.running):
            self._swap(sa, tuple(
                replace(known, bytes_in=known.bytes_in + count) if known.name == child else known
                for known in sa.children
            ))  # fmt: skip

    def drop(self, child: str) -> None:
        """The peer deleted this one."""
        for sa in list(self.running):
            self._swap(sa, tuple(known for known in sa.children if known.name != child))

    def rekey(self, child: str) -> None:
        """A new CHILD_SA of the same name takes over."""
        for sa in list(self.running):
            self._swap(sa, tuple(
                ChildSa(name=child, key=str(self._next()), state="INSTALLED")
                if known.name == child else known
                for known in sa.children
            ))  # fmt: skip

    def contents(self) -> tuple[dict[str, Message], dict[str, bytes], list[Any]]:
        """Connections, keys, and the SAs with what they were negotiated with; no numbers."""
        sas = sorted(
            (
                sa.name,
                repr(self._settings.get(str(sa.unique_id))),
                sorted((child.name, repr(self._settings.get(child.key))) for child in sa.children),
            )
            for sa in self.running
        )
        return self.loaded, dict(sorted(self.keys.items())), sas

    def _children(self, ike: str) -> dict[str, Any]:
        return cast("dict[str, Any]", cast("dict[str, Any]", self.loaded[ike])["children"])

    def _swap(self, sa: IkeSa, children: tuple[ChildSa, ...]) -> None:
        self.running[self.running.index(sa)] = replace(sa, children=children)

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _read(self) -> None:
        if self.away:
            raise CharonUnreachable("charon is away.")

    def _write(self, what: str) -> None:
        self._read()
        self.writes += 1
        if self.writes == self.fail_at:
            raise CharonUnreachable("charon went away.")
        self.said.append(what)


@dataclass
class FakeConsole:
    """Answers as told; `answer` is a value, or a function of the request that may raise."""

    answer: SyncAnswer | Callable[[SyncRequest], SyncAnswer]
    requests: list[SyncRequest] = field(default_factory=list)

    def sync(self, request: SyncRequest) -> SyncAnswer:
        self.requests.append(request)
        return self.answer if isinstance(self.answer, SyncAnswer) else self.answer(request)

    @property
    def last(self) -> SyncRequest:
        """The newest request."""
        return self.requests[-1]


@dataclass
class FakeClock:
    """Seconds that pass only when told."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        self.now += seconds
