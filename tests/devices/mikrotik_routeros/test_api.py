"""The collection community.routeros reads every RouterOS file: it knows each field, and finds the tunnel's values."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import a_tunnel_spec
from tests.devices.cases import CASES
from tests.devices.goldens import REFUSED, files_of
from tests.proofs import Proves
from tests.vendors import routeros_api
from tests.vendors.tunnels import rendered_somehow, tunnels
from tunnels.devices.proofs import Kind
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.proposals import IkeSettings, IpsecSettings
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

ROUTEROS = PLATFORMS["mikrotik-routeros"]
VERSION = ROUTEROS.versions[0]
SIMPLE = a_tunnel_spec(ike=IkeSettings(encryption="aes-256"), ipsec=IpsecSettings(pfs="dh14"))
visible = st.text("".join(map(chr, range(0x21, 0x7F))), min_size=6, max_size=126)
keys = st.builds(str.__add__, st.sampled_from(["", "0x", "0X", '"', "\\", "$", "$(", "?"]), visible)


def check(text: str, spec: TunnelSpec) -> None:
    """Nothing is unknown, and what the collection reads is what the tunnel says."""
    assert routeros_api.complaints(text, version=VERSION.removesuffix("+")) == []
    by_menu: dict[str, list[dict[str, str]]] = {}
    for command in routeros_api.parse(text):
        by_menu.setdefault(" ".join(command.menu), []).append(dict(command.fields))
    [identity], [peer] = by_menu["ip ipsec identity"], by_menu["ip ipsec peer"]
    assert decoded(identity["secret"]) == spec.psk.reveal()
    assert peer["address"].split("/")[0] == str(spec.local.address)
    assert peer["local-address"] == str(spec.remote.address)
    if not spec.remote.identity.startswith(("1", "2")):
        assert identity["my-id"] == f"fqdn:{spec.remote.identity}"
    policies = [one for one in by_menu["ip ipsec policy"] if one["action"] == "encrypt"]
    assert [(one["src-address"], one["dst-address"]) for one in policies] == [
        (str(mapping.remote), str(mapping.local)) for mapping in spec.mappings
    ]


def decoded(secret: str) -> str:
    """RouterOS reads what begins with 0x as hexadecimal."""
    if secret[:2].lower() == "0x":
        return bytes.fromhex(secret[2:]).decode()
    return secret


@pytest.mark.parametrize("case", CASES)
def test_it_reads_a_golden(case: str, proves: Proves) -> None:
    files = files_of(ROUTEROS, case)
    if REFUSED in files:
        pytest.skip("refused; the golden says why")
    proves(ROUTEROS.id, Kind.CHECKED, by=routeros_api.judge())
    [text] = files.values()
    check(text, CASES[case])
    assert len(routeros_api.parse(text)) > 10


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tunnels())
def test_it_reads_any_tunnel(spec: TunnelSpec) -> None:
    for text in rendered_somehow(ROUTEROS, spec, version=VERSION):
        check(text, spec)


@settings(max_examples=200, deadline=None)
@given(keys)
def test_it_reads_any_key(key: str) -> None:
    spec = a_tunnel_spec(ike=SIMPLE.ike, ipsec=SIMPLE.ipsec, psk=Secret(key))
    [text] = rendered_somehow(ROUTEROS, spec, version=VERSION)
    check(text, spec)
