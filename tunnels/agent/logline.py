"""One line of charon's log: what it says, and which tunnel it is about.

The format is that of a filelog with `time_format = %Y-%m-%dT%H:%M:%S`, `time_add_ms`, `ike_name` and `log_level`:

    2026-11-23T15:36:02.292 09[IKE1] <vpnx-1a2b3c4d|6> CHILD_SA … established
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tunnels.agent.charon import OWN_CONNECTION
from tunnels.contract import LOG_TEXT_MAX, TunnelDocument

_LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?P<zone>[+-]\d{4})?\.(?P<ms>\d{3}) "
    r"\d+\[(?P<group>[A-Z]{3})(?P<level>\d)?\] (?:<(?:(?P<name>[^|>]+)\|)?(?P<uid>\d+)> )?(?P<text>.*)"
)
_PACKET = re.compile(r"packet: from (?P<from>\S+)\[\d+\] to (?P<to>\S+)\[\d+\]")
_OWN_IN_TEXT = re.compile(rf"(?<![\w-])({OWN_CONNECTION.pattern})(?!\w)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# charon prints keys from level 4 on, and packets from 3: neither leaves the host.
LEVEL_MAX = 2
# Lines that belong to no tunnel are news at this level, and noise above.
LEVEL_MAX_UNATTRIBUTED = 1
DAEMON_STARTS = "Starting IKE"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line; `tunnel` is empty when it is about charon as a whole."""

    at: datetime
    tunnel: str
    group: str
    level: int
    text: str


class LogReader:
    """Parses, attributes, selects and masks. It remembers which IKE_SA is whose while it reads on."""

    def __init__(self) -> None:
        self._by_addresses: Mapping[frozenset[str], str] = {}
        self._by_uid: dict[str, str] = {}
        self._keys: re.Pattern[str] | None = None

    def know(self, tunnels: Sequence[TunnelDocument]) -> None:
        """Learn the tunnels that there are: their addresses, to attribute by, and their keys, to mask."""
        self._by_addresses = _unambiguous(tunnels)
        keys = {
            secret.get_secret_value()
            for tunnel in tunnels
            for secret in (tunnel.psk, tunnel.previous_psk)
            if secret
        }
        longest_first = sorted(keys, key=len, reverse=True)
        self._keys = re.compile("|".join(map(re.escape, longest_first))) if keys else None

    @staticmethod
    def understands(raw: bytes) -> bool:
        """Whether the line has the format."""
        return _LINE.match(raw.decode(errors="replace")) is not None

    def read(self, raw: bytes) -> LogLine | None:
        """The line without its line end; None for one that is not passed on."""
        match = _LINE.match(raw.decode(errors="replace"))
        if match is None:
            return None
        level = int(match["level"] or 1)
        text = match["text"]
        if not match["uid"] and text.startswith(DAEMON_STARTS):
            self._by_uid.clear()  # the ids of IKE_SAs begin again
        tunnel = self._owner(match["name"] or "", match["uid"] or "", text)
        if tunnel is None or level > (LEVEL_MAX if tunnel else LEVEL_MAX_UNATTRIBUTED):
            return None
        return LogLine(
            at=_time(match),
            tunnel=tunnel,
            group=match["group"].lower(),
            level=level,
            text=self.clean(text),
        )

    def clean(self, text: str) -> str:
        """The text without keys and control characters, at most as long as the contract allows."""
        if self._keys:
            text = self._keys.sub("••••", text)
        text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
        return text if len(text) <= LOG_TEXT_MAX else f"{text[: LOG_TEXT_MAX - 1]}…"

    def _owner(self, name: str, uid: str, text: str) -> str | None:
        """The tunnel's id, "" for nobody's; None for a line about a connection that is not ours."""
        if name:
            if not OWN_CONNECTION.fullmatch(name):
                return None
            self._by_uid[uid] = name
            return name
        if uid:
            # Until charon knows whose IKE_SA it is, it has a number only: the addresses tell.
            packet = _PACKET.search(text)
            if packet:
                owner = self._by_addresses.get(frozenset({packet["from"], packet["to"]}), "")
                if owner:
                    self._by_uid[uid] = owner
            return self._by_uid.get(uid, "")
        named = set(_OWN_IN_TEXT.findall(text))
        return named.pop() if len(named) == 1 else ""


def _unambiguous(tunnels: Iterable[TunnelDocument]) -> dict[frozenset[str], str]:
    """Pair of outer addresses → the tunnel, where only one has it."""
    owners: dict[frozenset[str], str] = {}
    for tunnel in tunnels:
        pair = frozenset({str(tunnel.local_address), str(tunnel.remote_address)})
        owners[pair] = "" if pair in owners else tunnel.id
    return owners


def _time(match: re.Match[str]) -> datetime:
    """Without a zone it is this host's local time: charon runs here."""
    stamp = f"{match['time']}.{match['ms']}{match['zone'] or ''}"
    if match["zone"]:
        return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f%z")
    return datetime.fromisoformat(stamp).astimezone()
