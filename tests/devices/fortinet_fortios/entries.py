"""The settings of one entry of a FortiOS script, taken one by one with their types."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

from tests.devices.fortinet_fortios.script import Entry, Text, Value
from tests.devices.understood import BadFileError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Pair = tuple[Network, Network]


class Settings:
    """The settings of one entry, each taken once; what is left over or missing is an error."""

    def __init__(self, entry: Entry) -> None:
        self.left = dict(entry.settings)
        self.name = entry.name
        if entry.blocks:
            raise BadFileError(f"blocks in {entry.name}: {[*entry.blocks]}")

    def values(self, key: str) -> tuple[Value, ...]:
        if key not in self.left:
            raise BadFileError(f"{self.name}: no {key}")
        return self.left.pop(key)

    def value(self, key: str) -> Value:
        values = self.values(key)
        if len(values) != 1:
            raise BadFileError(f"{self.name}: {key} has {len(values)} values")
        return values[0]

    def word(self, key: str, among: Collection[str] = ()) -> str:
        value = self.value(key)
        if not isinstance(value, str) or (among and value not in among):
            raise BadFileError(f"{self.name}: {key} is {value}")
        return value

    def text(self, key: str) -> str:
        value = self.value(key)
        if not isinstance(value, Text):
            raise BadFileError(f"{self.name}: {key} is no string")
        return value.text

    def number(self, key: str, low: int, high: int) -> int:
        word = self.word(key)
        if not re.fullmatch("[1-9][0-9]*|0", word, re.ASCII) or not low <= int(word) <= high:
            raise BadFileError(f"{self.name}: {key} is {word}")
        return int(word)

    def network(self, key: str, version: int) -> Network:
        words = self.values(key)
        if len(words) != (2 if version == 4 else 1) or not all(
            isinstance(one, str) for one in words
        ):
            raise BadFileError(f"{self.name}: {key} is {words}")
        try:
            network = ipaddress.ip_network("/".join(map(str, words)))
        except ValueError as error:
            raise BadFileError(f"{self.name}: {key}: {error}") from None
        written = (
            (str(network.network_address), str(network.netmask))
            if version == 4
            else (str(network),)
        )
        if network.version != version or words != written:
            raise BadFileError(f"{self.name}: {key} is {words}")
        return network

    def address(self, key: str, version: int) -> str:
        word = self.word(key)
        if not is_address(word, version):
            raise BadFileError(f"{self.name}: {key} is {word}")
        return word

    def done(self) -> None:
        if self.left:
            raise BadFileError(f"{self.name}: unknown {sorted(self.left)}")


def name_of(one: Settings, grammar: re.Pattern[str]) -> str:
    """The name of an entry, a string of this form. Raises BadFileError."""
    if not isinstance(one.name, Text) or not grammar.fullmatch(one.name.text):
        raise BadFileError(f"no name: {one.name}")
    return one.name.text


def is_address(text: str, version: int = 0) -> bool:
    """Whether it is an IP address in its canonical form, of this version if one is given."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return str(address) == text and version in {0, address.version}
