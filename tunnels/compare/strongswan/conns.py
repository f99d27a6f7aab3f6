"""The text of ipsec.conf and ipsec.secrets: conn sections with their inheritance, and the pre-shared keys.

Source: starter/parser/lexer.l, parser.y and conf_parser.c, and stroke_cred.c of strongSwan 5.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tunnels.compare.reading import Said
from tunnels.compare.strongswan import keys, words
from tunnels.compare.text import PEERS_MAX, too_much, unreadable

DEFAULT: Final = "%default"
PARENTS_MAX: Final = 16
VALUE_MAX: Final = 8_192

# Only Libreswan, which shares the name of the file, has these.
LIBRESWAN: Final = frozenset({
    "ikev2", "phase2alg", "salifetime", "leftsubnets", "rightsubnets", "ipsec-max-bytes",
})  # fmt: skip

# What this room asks for. Other settings are read over.
KNOWN: Final = frozenset({
    "keyexchange", "aggressive", "type", "authby", "auto", "ike", "esp", "ah", "ikelifetime", "lifetime", "lifebytes",
    "rekey", "dpddelay", "dpdtimeout", "dpdaction", "pfs", "left", "leftid", "leftauth", "leftsubnet",
    "leftprotoport", "right", "rightid", "rightauth", "rightsubnet", "rightprotoport", *LIBRESWAN,
})  # fmt: skip
_ALIASES: Final = {
    "keylife": "lifetime", "leftsubnetwithin": "leftsubnet", "rightsubnetwithin": "rightsubnet",
}  # fmt: skip

_SETTING: Final = re.compile(r"([^\"#= \t]++)[ \t]*+=(.*)", re.DOTALL)
_PART: Final = re.compile(r"""[ \t]++|"((?:[^"\\]++|\\.)*+)"|\#.*+|((?:@\#)?+[^"\# \t]++)""")
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}
_SECRET_KINDS: Final = frozenset({
    "RSA", "ECDSA", "PKCS8", "P12", "PIN", "PSK", "EAP", "NTLM", "XAUTH",
})  # fmt: skip
_EXPECTED: Final = (
    "a section (config setup, conn NAME, ca NAME), an indented setting with “=”, or a line of ipsec.secrets was "
    "expected."
)


@dataclass(slots=True)
class Conn:
    """One conn section; `also` are the sections that it inherits from."""

    name: str
    line: int
    values: dict[str, Said[str]] = field(default_factory=dict)
    also: list[Said[str]] = field(default_factory=list)


@dataclass(slots=True)
class Conns:
    """All that was read. `secrets` are the texts of all secrets, of whatever kind."""

    conns: dict[str, Conn] = field(default_factory=dict)
    keys: list[keys.Owned] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    includes: list[int] = field(default_factory=list)
    missing: dict[str, int] = field(
        default_factory=dict
    )  # conn → line of an also= that leads nowhere
    margin: int | None = None  # the first setting that begins in the first column

    def resolved(self, conn: Conn) -> Mapping[str, Said[str]]:
        """The settings of a conn: its own, then those of its also= (the last one first), then those of %default."""
        merged: dict[str, Said[str]] = {}
        for one in reversed([*self._family(conn)]):
            merged |= one.values
        return {name: said for name, said in merged.items() if said.value}

    def _family(self, conn: Conn) -> Iterator[Conn]:
        waiting = [self.conns[DEFAULT]] if DEFAULT in self.conns else []
        waiting.append(conn)
        seen: set[str] = set()
        while waiting and len(seen) <= PARENTS_MAX:
            one = waiting.pop()
            if one.name in seen:
                continue
            seen.add(one.name)
            yield one
            for parent in one.also:
                if parent.value in self.conns:
                    waiting.append(self.conns[parent.value])
                else:
                    self.missing[conn.name] = parent.line or one.line


def read_conns(text: str) -> Conns:
    """The conn sections and keys. Raises RuleError at the first line that strongSwan would not read."""
    found = Conns()
    section: Conn | None = None
    inside = False
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        words_ = stripped.split(None, 2)
        if not words_ or stripped.startswith("#") or words_[0] == "version":
            continue
        if words_[0] == "include" and len(words_) > 1:
            found.includes.append(number)
        elif _is_section(line, words_):
            inside, section = True, _section(found, words_, number)
            if len(found.conns) > PEERS_MAX:
                raise too_much(f"{PEERS_MAX:,} connections")
        elif _secret(found, stripped, number):
            inside = False
        elif inside and (setting := _SETTING.match(stripped)):
            if line[:1] not in {" ", "\t"} and found.margin is None:
                found.margin = number
            _set(section, setting[1], _value(setting[2], number), number)
        else:
            raise unreadable(number, _EXPECTED)
    return found


def _is_section(line: str, parts: list[str]) -> bool:
    if line[:1] in {" ", "\t"}:
        return False
    return parts[:2] == ["config", "setup"] or (parts[0] in {"conn", "ca"} and len(parts) > 1)


def _section(found: Conns, parts: list[str], number: int) -> Conn | None:
    if parts[0] != "conn":
        return None
    return found.conns.setdefault(parts[1], Conn(parts[1], number))


def _set(section: Conn | None, name: str, value: str, number: int) -> None:
    name = _ALIASES.get(name, name)
    if section is None:
        return
    if name == "also":
        section.also.append(Said(value, number))
    elif name in KNOWN:
        section.values[name] = Said(value, number)


def _value(text: str, number: int) -> str:
    """The words of a value, with single spaces between them; quoted ones may hold anything."""
    if len(text) > VALUE_MAX:
        raise unreadable(number, f"a value has more than {VALUE_MAX:,} characters.")
    parts: list[str] = []
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if not part:
            raise unreadable(number, "the string that begins here has no end.")
        at = part.end()
        if part[1] is not None:
            parts.append(_ESCAPE.sub(_unescaped, part[1]))
        elif part[2]:
            parts.append(part[2])
    return " ".join(parts)


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[1], found[1])


def _secret(found: Conns, line: str, number: int) -> bool:
    """Whether the line is one of ipsec.secrets; its key, when it is for IKE, is kept."""
    owners, colon, rest = ("", ":", line[2:]) if line.startswith(": ") else line.partition(" : ")
    kind, _, secret = rest.strip().partition(" ")
    if not colon or kind not in _SECRET_KINDS:
        return False
    secret = secret.strip()
    delimiter = secret[:1] if secret[:1] in {'"', "'"} else ""
    if delimiter and delimiter not in secret[1:]:
        raise unreadable(number, "the secret has no closing quote.")
    text = secret[1:].partition(delimiter)[0] if delimiter else secret.partition(" ")[0]
    key = words.key(text, number, quoted=bool(delimiter))
    found.secrets |= {text, secret, key.secret.reveal() if key.secret else ""} - {""}
    if kind == "PSK":
        idents = tuple(words.identity(owner) for owner in owners.split())
        found.keys.append(keys.Owned(owners=idents, key=key))
    return True
