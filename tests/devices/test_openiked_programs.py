"""The downloaded files in OpenIKED's own hands: iked takes them, and prints the tunnel, key included."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.cases import CASES
from tests.devices.goldens import carried, files_of
from tests.devices.test_fuzz import tunnels as hostile_tunnels
from tests.devices.understood import expected
from tests.proofs import Proves
from tests.vendors.openiked import OpenIked
from tests.vendors.tunnels import rendered_somehow, tunnels
from tunnels.devices.proofs import Kind
from tunnels.devices.registry import PLATFORMS
from tunnels.domain import crypto
from tunnels.domain.proposals import IkeVersion
from tunnels.domain.spec import TunnelSpec

PLATFORM = PLATFORMS["openiked"]
# It is no part of a policy, and iked does not print it; that it takes the line is checked.
SILENT = frozenset({"dpd"})
# The iked of Debian is one for Linux, which has no AEAD for ESP: it takes the words and leaves them out.
SILENT_BESIDE_AEAD = SILENT | {"esp_encryption", "esp_integrity", "pfs"}
EXAMPLES = 100


def check(openiked: OpenIked, text: str, spec: TunnelSpec) -> None:
    """Fail unless iked has nothing against this iked.conf, and reads the tunnel from it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "iked.conf"
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        assert openiked.complaints(path) == []
        silent = SILENT_BESIDE_AEAD if crypto.is_aead(spec.ipsec.encryption) else SILENT
        assert openiked.understood(path) == expected(spec, silent=silent)


@pytest.mark.parametrize("case", carried(PLATFORM))
def test_it_takes_the_file_of_every_case(openiked: OpenIked, case: str, proves: Proves) -> None:
    proves(PLATFORM.id, Kind.CHECKED, by=openiked.name)
    [text] = files_of(PLATFORM, case).values()
    check(openiked, text, CASES[case])


def one_pair(spec: TunnelSpec) -> TunnelSpec:
    """The same with one pair of ranges and IKEv2: OpenIKED has no tunnels with more, and none of IKEv1."""
    first = spec.rules[0]
    rules = (replace(first, remotes=first.remotes[:1]),)
    return replace(spec, rules=rules, health=None, ike=replace(spec.ike, version=IkeVersion.V2))


def for_linux(spec: TunnelSpec) -> TunnelSpec:
    """The same with an integrity that iked can have on Linux too."""
    return replace(spec, ipsec=replace(spec.ipsec, integrity="sha2-512"))


@pytest.mark.parametrize("version", PLATFORM.versions)
@pytest.mark.parametrize(
    "any_tunnel",
    [tunnels().map(one_pair), hostile_tunnels(carried(PLATFORM)).map(for_linux)],
    ids=["settings", "hostile"],
)
def test_it_takes_the_file_of_any_tunnel(
    openiked: OpenIked, any_tunnel: st.SearchStrategy[TunnelSpec], version: str
) -> None:
    taken = 0

    @settings(max_examples=EXAMPLES)
    @given(any_tunnel)
    def takes(spec: TunnelSpec) -> None:
        nonlocal taken
        for text in rendered_somehow(PLATFORM, spec, version=version):
            taken += 1
            check(openiked, text, spec)

    takes()
    # A device that refuses everything would pass too.
    assert taken > EXAMPLES // 20
