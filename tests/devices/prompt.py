"""Reads commands as a prompt takes them: a line each, and modes that a line opens and one word leaves."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from tests.devices.understood import BadFileError


@dataclass(frozen=True, slots=True)
class Command:
    """One command and those of the mode that it opens; `inner` is None when it opens none."""

    text: str
    inner: tuple[Command, ...] | None = None


def lines_of(text: str, typeable: re.Pattern[str]) -> list[str]:
    """The lines of a file. Raises BadFileError for one that cannot be typed, is empty or ends in a blank."""
    if not text.endswith("\n"):
        raise BadFileError("the last line has no end")
    lines = text[:-1].split("\n")
    for line in lines:
        if not typeable.fullmatch(line) or line != line.rstrip() or not line:
            raise BadFileError(f"not a line for the prompt: {line!r}")
    return lines


def nested(lines: list[str], leave: str) -> tuple[Command, ...]:
    """The commands, each mode one column further in. Raises BadFileError for modes that are not left with `leave`."""
    found, rest = _mode(lines, leave, depth=0)
    if rest:
        raise BadFileError(f"left over: {rest[0]!r}")
    return found


def _mode(lines: list[str], leave: str, *, depth: int) -> tuple[tuple[Command, ...], list[str]]:
    """The commands of one mode, and the lines after it."""
    found: list[Command] = []
    while lines:
        line, *lines = lines
        if _depth(line) != depth:
            raise BadFileError(f"in the wrong column: {line!r}")
        word = line.strip()
        if word == leave:
            if not depth:
                raise BadFileError(f"{leave} out of nothing")
            return tuple(found), lines
        if lines and _depth(lines[0]) > depth:
            inner, lines = _mode(lines, leave, depth=depth + 1)
            found.append(Command(word, inner))
        else:
            found.append(Command(word))
    if depth:
        raise BadFileError("a mode is not left")
    return tuple(found), lines


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def number(text: str, low: int, high: int) -> int:
    """A number as these prompts take it."""
    if not re.fullmatch("0|[1-9][0-9]{0,9}", text, re.ASCII) or not low <= int(text) <= high:
        raise BadFileError(f"not a number from {low} to {high}: {text!r}")
    return int(text)


def address(text: str) -> str:
    """An address in its canonical form."""
    try:
        found = str(ipaddress.ip_address(text))
    except ValueError:
        raise BadFileError(f"no address: {text!r}") from None
    if found != text:
        raise BadFileError(f"not written as usual: {text!r}")
    return found


def network(first: str, mask: str, *, wildcard: bool) -> str:
    """An IPv4 range in CIDR notation; `wildcard` tells which kind of mask it is."""
    try:
        found = ipaddress.IPv4Network(f"{first}/{mask}")
    except ValueError:
        raise BadFileError(f"no range: {first} {mask}") from None
    if mask != str(found.hostmask if wildcard else found.netmask):
        raise BadFileError(f"the wrong kind of mask: {mask}")
    return str(found)
