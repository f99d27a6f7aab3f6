"""The parameters of one RouterOS command, taken one by one with their types."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import TypeVar

from tests.devices.mikrotik_routeros.script import Add
from tests.devices.understood import BadFileError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Meaning = TypeVar("Meaning")
TIME = re.compile(r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
ANYTHING = re.compile(".*")


class Parameters:
    """Each parameter is taken once; what is left over or missing is an error."""

    def __init__(self, command: Add) -> None:
        self.path = command.path
        self.left = dict(command.values)

    def has(self, key: str, value: str) -> bool:
        """Whether the parameter is there with this value; it is not taken."""
        return self.left.get(key) == value

    def text(self, key: str, grammar: re.Pattern[str] = ANYTHING) -> str:
        if key not in self.left:
            raise BadFileError(f"{self.path}: no {key}")
        value = self.left.pop(key)
        if not grammar.fullmatch(value):
            raise BadFileError(f"{self.path}: {key} is {value!r}")
        return value

    def word(self, key: str, meanings: Mapping[str, Meaning]) -> Meaning:
        value = self.text(key)
        if value not in meanings:
            raise BadFileError(f"{self.path}: {key} is {value!r}")
        return meanings[value]

    def seconds(self, key: str) -> int:
        found = TIME.fullmatch(self.text(key))
        if not found:
            raise BadFileError(f"{self.path}: {key} is no time")
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds

    def expect(self, values: Mapping[str, str]) -> None:
        for key, value in values.items():
            if self.text(key) != value:
                raise BadFileError(f"{self.path}: {key} is not {value}")

    def done(self) -> None:
        if self.left:
            raise BadFileError(f"{self.path}: unknown {sorted(self.left)}")


def network(text: str) -> Network:
    """The range in its canonical form. Raises BadFileError."""
    try:
        found = ipaddress.ip_network(text)
    except ValueError as error:
        raise BadFileError(str(error)) from None
    if str(found) != text:
        raise BadFileError(f"not canonical: {text}")
    return found


def is_address(text: str, version: int = 0) -> bool:
    """Whether it is an IP address in its canonical form, of this version if one is given."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return str(address) == text and version in {0, address.version}
