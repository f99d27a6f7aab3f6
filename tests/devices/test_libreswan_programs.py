"""The downloaded files in Libreswan's own hands: its parser takes them, and understands the tunnel.

Debian has Libreswan 4.10; the words of version 5 are read by our own grammar alone.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.cases import CASES
from tests.devices.goldens import carried, files_of
from tests.devices.test_fuzz import tunnels as hostile_tunnels
from tests.devices.understood import expected
from tests.proofs import Proves
from tests.vendors.libreswan import Libreswan
from tests.vendors.tunnels import rendered_somehow, tunnels
from tunnels.devices.proofs import Kind
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.spec import TunnelSpec

PLATFORM = PLATFORMS["libreswan"]
# It is in the file of secrets, which only pluto reads (test_libreswan_pluto.py).
SILENT = frozenset({"psk"})
EXAMPLES = 60


def check(libreswan: Libreswan, text: str, spec: TunnelSpec) -> None:
    """Fail unless Libreswan has nothing against this ipsec.conf, and reads the tunnel from it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ipsec.conf"
        path.write_text(text, encoding="utf-8")
        assert libreswan.complaints(path, version=int(spec.ike.version)) == []
        assert libreswan.understood(path) == expected(spec, silent=SILENT)


@pytest.mark.parametrize("case", carried(PLATFORM))
def test_it_takes_the_files_of_every_case(libreswan: Libreswan, case: str, proves: Proves) -> None:
    proves(PLATFORM.id, Kind.CHECKED, by=libreswan.name)
    connections, _ = files_of(PLATFORM, case).values()
    check(libreswan, connections, CASES[case])


@pytest.mark.parametrize(
    "any_tunnel", [tunnels(), hostile_tunnels(carried(PLATFORM))], ids=["settings", "hostile"]
)
def test_it_takes_the_files_of_any_tunnel(
    libreswan: Libreswan, any_tunnel: st.SearchStrategy[TunnelSpec]
) -> None:
    taken = 0

    @settings(max_examples=EXAMPLES)
    @given(any_tunnel)
    def takes(spec: TunnelSpec) -> None:
        nonlocal taken
        for connections in itertools.islice(
            rendered_somehow(PLATFORM, spec, version=PLATFORM.versions[0]), 1
        ):
            taken += 1
            check(libreswan, connections, spec)

    takes()
    # A device that refuses everything would pass too.
    assert taken > EXAMPLES // 20
