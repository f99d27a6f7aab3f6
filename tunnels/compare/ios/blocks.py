"""The text of an IOS configuration: the commands that concern the VPN, each with the lines below it.

`show running-config` indents what belongs to a command, but a text that was typed, or pasted through a form, may have
lost that: a line at the margin belongs to the command above when it begins with a word that may stand there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

# How the commands begin that are read, and the words that may stand below each.
_BELOW: Final[dict[tuple[str, ...], frozenset[str]]] = {
    ("crypto", "isakmp", "policy"): frozenset(
        {"encr", "encryption", "hash", "authentication", "group", "lifetime"}
    ),
    ("crypto", "isakmp", "profile"): frozenset(
        {"keyring", "self-identity", "match", "initiate", "keepalive", "local-address", "vrf"}
    ),
    ("crypto", "isakmp", "peer"): frozenset({"set", "description"}),
    ("crypto", "keyring"): frozenset({"pre-shared-key", "local-address", "description"}),
    ("crypto", "ikev2", "proposal"): frozenset({"encryption", "integrity", "prf", "group"}),
    ("crypto", "ikev2", "policy"): frozenset({"match", "proposal"}),
    ("crypto", "ikev2", "keyring"): frozenset(
        {"peer", "address", "hostname", "identity", "pre-shared-key", "description"}
    ),
    ("crypto", "ikev2", "profile"): frozenset(
        {"match", "identity", "authentication", "keyring", "lifetime", "dpd", "description"}
    ),
    ("crypto", "ipsec", "transform-set"): frozenset({"mode"}),
    ("crypto", "map"): frozenset({"set", "match", "reverse-route", "description"}),
    ("crypto", "dynamic-map"): frozenset({"set", "match", "reverse-route", "description"}),
    ("ip", "access-list"): frozenset({"permit", "deny", "remark"}),
    ("ipv6", "access-list"): frozenset({"permit", "deny", "remark", "sequence"}),
    ("interface",): frozenset({"tunnel"}),
}
# Commands without anything below them.
_ALONE: Final = (
    ("crypto", "isakmp", "key"), ("crypto", "isakmp", "identity"), ("crypto", "isakmp", "keepalive"),
    ("crypto", "isakmp", "aggressive-mode"), ("crypto", "ikev2", "dpd"),
    ("crypto", "ipsec", "security-association"), ("access-list",), ("hostname",), ("ip", "domain"),
    ("ip", "domain-name"), ("crypto", "ikev1"), ("tunnel-group",),
)  # fmt: skip
_STARTS: Final = frozenset((*_BELOW, *_ALONE))
_LONGEST: Final = 3

_PROMPT: Final = re.compile(r"[A-Za-z0-9._-]{1,63}+(?:\([A-Za-z0-9-]{1,40}+\))?+[#>][ ]?+")
_SECRET_WORDS: Final = frozenset({
    "key", "password", "secret", "pre-shared-key", "community", "key-string", "hex",
})  # fmt: skip
_NO_SECRETS: Final = frozenset({
    "local", "remote", "address", "hostname", "ipv6", "encrypted", "no-xauth", "level",
})  # fmt: skip
# Shorter words are ordinary ones much more often than keys of something else.
_SHORTEST: Final = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number, and its words."""

    number: int
    words: tuple[str, ...]

    def begins(self, *words: str) -> bool:
        """Whether it begins with these words."""
        return self.words[: len(words)] == words

    def after(self, *words: str) -> str:
        """The word behind these, which the line begins with; "" when there is none."""
        return self.words[len(words)] if len(self.words) > len(words) else ""


@dataclass(slots=True)
class Block:
    """A command and the lines below it."""

    head: Line
    body: list[Line] = field(default_factory=list)

    def lines(self, *words: str) -> Iterator[Line]:
        """The lines that begin with these words."""
        return (line for line in self.body if line.begins(*words))

    def line(self, *words: str) -> Line | None:
        """The last such line, which is the one that counts; None when there is none."""
        found = [*self.lines(*words)]
        return found[-1] if found else None


@dataclass(slots=True)
class Config:
    """All commands that were found: by how they begin, and by that and the one or two words behind it."""

    blocks: dict[tuple[str, ...], list[Block]] = field(default_factory=dict)
    names: dict[tuple[str, ...], Block] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    def all(self, *words: str) -> list[Block]:
        """The commands that begin so."""
        return self.blocks.get(words, [])

    def named(self, *words: str) -> Block | None:
        """The command that begins with all these words, of which the last is a name."""
        return self.names.get(words)

    def add(self, start: tuple[str, ...], line: Line) -> Block:
        """The command of this line; one that is given twice goes on."""
        known = self.names.get(line.words) if start in _BELOW else None
        if known:
            return known
        block = Block(line)
        self.blocks.setdefault(start, []).append(block)
        for length in (len(start) + 1, len(start) + 2, len(line.words)):
            self.names.setdefault(line.words[:length], block)
        return block


def read_config(text: str) -> Config:
    """The commands of the configuration that concern the VPN; all others are read over."""
    config = Config()
    block: Block | None = None
    start: tuple[str, ...] = ()
    for number, raw in enumerate(text.split("\n"), start=1):
        shown = _PROMPT.sub("", raw, count=1) if raw[:1].isalnum() else raw
        words = tuple(shown.split())
        if not words or words[0].startswith("!") or words[0] == "no":
            continue
        line = Line(number, words)
        config.secrets |= _secrets_in(words)
        if block and (shown[:1] in {" ", "\t"} or _belongs(start, words)):
            block.body.append(line)
            continue
        start = _start(words)
        block = config.add(start, line) if start else None
    return config


def _start(words: tuple[str, ...]) -> tuple[str, ...]:
    for length in range(min(_LONGEST, len(words)), 0, -1):
        if words[:length] in _STARTS:
            return words[:length]
    return ()


def _belongs(start: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if start == ("interface",):
        applied = words[:2] == ("crypto", "map") and len(words) == 3
        return applied or words[:2] == ("ip", "address") or words[0] in _BELOW[start]
    if start == ("ip", "access-list") and words[0].isdecimal():
        return True
    return words[0] in _BELOW.get(start, frozenset())


def _secrets_in(words: tuple[str, ...]) -> set[str]:
    """The words that may be a secret: those behind a word that announces one."""
    at = next((at for at, word in enumerate(words) if word in _SECRET_WORDS), None)
    if at is None:
        return set()
    return {
        word
        for word in words[at + 1 :]
        if len(word) >= _SHORTEST and word not in _NO_SECRETS and not _is_address(word)
    }


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
