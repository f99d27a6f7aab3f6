"""Configurations as customers paste them, and the tunnels that they were made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.builders import a_tunnel_spec, an_endpoint
from tunnels.compare.comparing import Answer, compare_text
from tunnels.compare.verdict import Difference
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings
from tunnels.domain.spec import TunnelSpec

FOLDER = Path(__file__).parent / "samples"
KEY = "Golden-Key_73519"
GATEWAY = "203.0.113.10"

COMPATIBLE = a_tunnel_spec(
    ike=IkeSettings(encryption="aes-256", integrity="sha2-256", dh_group="dh14"),
    ipsec=IpsecSettings(encryption="aes-256", integrity="sha2-256", pfs="dh14"),
)
IKEV1 = replace(COMPATIBLE, ike=replace(COMPATIBLE.ike, version=IkeVersion.V1))
MODERN = a_tunnel_spec()
NAMED = a_tunnel_spec(
    local=an_endpoint("gateway-beijing", GATEWAY, "gateway.example.net"),
    remote=an_endpoint("shanghai-router", "198.51.100.2", "router.example.com"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, and the tunnel that it fits exactly but for what it offers besides, which is harmless."""

    text: str
    spec: TunnelSpec
    grammar: str
    harmless: tuple[str, ...] = ()


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


SAMPLES: Mapping[str, Sample] = {
    "swanctl.conf": Sample(_read("swanctl.conf"), COMPATIBLE, "swanctl"),
    "ipsec.conf": Sample(_read("ipsec.conf"), IKEV1, "ipsec-conf"),
    "ios-ikev1.txt": Sample(_read("ios-ikev1.txt"), IKEV1, "cisco-ios", ("IKE proposals",)),
    "ios-ikev2.txt": Sample(_read("ios-ikev2.txt"), NAMED, "cisco-ios"),
    "fortios.txt": Sample(_read("fortios.txt"), MODERN, "fortios"),
}


def answer(text: str, spec: TunnelSpec, *, with_key: bool = True, grammar: str = "") -> Answer:
    """What the comparison says."""
    return compare_text(text, spec, grammar_id=grammar, with_key=with_key)


def found(text: str, spec: TunnelSpec) -> list[Difference]:
    """The differences, the key included."""
    return [*answer(text, spec).differences]


def refusal(text: str, spec: TunnelSpec = COMPATIBLE, *, grammar: str = "") -> str:
    """The sentence with which the text is refused."""
    with pytest.raises(RuleError) as error:
        answer(text, spec, grammar=grammar)
    [finding] = error.value.findings
    return finding.message


def line_of(text: str, part: str) -> int:
    """The number of the one line that holds this; the test is wrong when there are more."""
    numbers = [number for number, line in enumerate(text.split("\n"), start=1) if part in line]
    assert len(numbers) == 1, (part, numbers)
    return numbers[0]


def planted(text: str, old: str, new: str) -> tuple[str, int]:
    """The text with one line changed, and the number of that line."""
    number = line_of(text, old)
    return text.replace(old, new, 1), number
