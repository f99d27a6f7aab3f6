"""What the ipsec.conf and ipsec.secrets of strongSwan and of Libreswan have in common: both descend from FreeS/WAN.

Sections, `also`, comments on lines of their own, one PSK. No includes, no quoted values in ipsec.conf, no value with
blanks: those are errors, so that nothing slips by.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.devices import charon
from tests.devices.understood import BadFileError

SETUP = "config setup"

_HEAD = re.compile(r"conn ([A-Za-z0-9-]+)|config setup", re.ASCII)
_SETTING = re.compile(r"[ \t]+([a-z0-9_-]+)[ \t]*=[ \t]*([A-Za-z0-9.:;/@!%_-]+)[ \t]*", re.ASCII)
# IDs with blanks between them, " : ", the kind, the secret; a word with a colon may be quoted.
_SECRET = re.compile(
    r'("[^" ]+"|[^" ]+) ("[^" ]+"|[^" ]+) : PSK (?:"([^"\n]*)"|0s([A-Za-z0-9+/]+={0,2}))', re.ASCII
)
_PERCENT = re.compile(r"([0-9]+)%", re.ASCII)

Section = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """`setup` is for the whole daemon, `shared` for all pairs; `auto` is when they begin."""

    setup: Section
    shared: Section
    pairs: tuple[tuple[str, str], ...]
    auto: str


def texts(files: Mapping[str, str]) -> tuple[str, str]:
    """(ipsec.conf, ipsec.secrets) of two files that end so. Raises BadFileError."""
    found = {name.rpartition(".")[2]: text for name, text in files.items()}
    if len(files) != 2 or set(found) != {"conf", "secrets"}:
        raise BadFileError(f"not one file of connections and one of secrets: {list(files)}")
    return found["conf"], found["secrets"]


def connections(text: str) -> Connections:
    """The connection of an ipsec.conf, with its pairs. Raises BadFileError."""
    sections = _sections(text)
    setup = sections.pop(SETUP, {})
    pairs, autos, bases = [], set(), set()
    named = {name: section for name, section in sections.items() if "also" in section}
    for section in named.values():
        if set(section) != {"also", "leftsubnet", "rightsubnet", "auto"}:
            raise BadFileError(f"a pair with {sorted(section)}")
        pairs.append(
            (charon.network(section["leftsubnet"]), charon.network(section["rightsubnet"]))
        )
        autos.add(section["auto"])
        bases.add(section["also"])
    if len(autos) != 1:
        raise BadFileError(f"pairs that begin differently: {sorted(autos)}")
    if len(bases) != 1 or len(set(pairs)) != len(pairs):
        raise BadFileError("pairs of several connections, or one pair twice")
    if sections.keys() - named.keys() != bases:
        raise BadFileError("sections that belong to nothing")
    return Connections(
        setup=setup,
        shared=sections[bases.pop()],
        pairs=tuple(sorted(pairs)),
        auto=autos.pop(),
    )


def secret(text: str) -> tuple[tuple[str, str], str]:
    """(The IDs, the key) of the only entry in an ipsec.secrets; a quoted key stands for itself. Raises BadFileError."""
    lines = _lines(text)
    found = _SECRET.fullmatch(lines[0]) if len(lines) == 1 else None
    if not found:
        raise BadFileError("not exactly one key")
    first, second, quoted, encoded = found.groups()
    if encoded is None:
        return (first, second), quoted
    try:
        return (first, second), base64.b64decode(encoded, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadFileError("no base64 of a key") from error


def check_settings(
    section: Section, words: Mapping[str, set[str]], values: set[str], optional: set[str]
) -> None:
    """That all settings are there, none is unknown, and those in `words` have one of their words."""
    known = words.keys() | values
    if not known - optional <= section.keys() <= known:
        raise BadFileError(f"settings missing or unknown: {sorted(section.keys() ^ known)}")
    for key, allowed in words.items():
        if key in section and section[key] not in allowed:
            raise BadFileError(f"{key}={section[key]}")


def check_margin(margin: int, fuzz: str, life: int) -> None:
    """That margin + margin * fuzz is less than the limit: else nothing is ever renewed."""
    found = _PERCENT.fullmatch(fuzz)
    if not found:
        raise BadFileError(f"rekeyfuzz={fuzz}")
    if not margin * (100 + int(found[1])) // 100 < life:
        raise BadFileError(f"a margin of {margin} leaves nothing of {life}")


def _sections(text: str) -> dict[str, Section]:
    """Name → settings. A section goes on until the next one; its lines begin with a blank."""
    sections: dict[str, Section] = {}
    section: Section | None = None
    for line in _lines(text):
        if head := _HEAD.fullmatch(line):
            name = head[1] or SETUP
            if name in sections:
                raise BadFileError(f"two sections {name}")
            section = sections[name] = {}
        elif (setting := _SETTING.fullmatch(line)) and section is not None:
            key, value = setting.groups()
            if key in section:
                raise BadFileError(f"{key} twice")
            section[key] = value
        else:
            raise BadFileError(f"no line of ipsec.conf: {line!r}")
    return sections


def _lines(text: str) -> list[str]:
    """The lines that are neither empty nor comments; a file must end with a line break."""
    if (
        not text.endswith("\n")
        or not text.isascii()
        or re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)
    ):
        raise BadFileError("characters that a text file does not have, or an unfinished line")
    return [line for line in text.split("\n") if line and not line.startswith("#")]
