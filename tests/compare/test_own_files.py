"""The files that we write ourselves: each says just what its tunnel does, and no difference goes unnoticed in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.compare.texts import answer, found
from tests.devices.cases import CASES, render_case
from tunnels.compare.reading import Severity
from tunnels.devices.base import PSK_PLACEHOLDER
from tunnels.devices.registry import PLATFORMS
from tunnels.domain import crypto
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import (
    DpdAction,
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    Mode,
    Negotiation,
    check_ike,
    check_ipsec,
)
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

# Our platform → the grammar that reads it back.
GRAMMARS = {
    "strongswan-swanctl": "swanctl",
    "strongswan-ipsec-conf": "ipsec-conf",
    "cisco-ios": "cisco-ios",
    "fortinet-fortios": "fortios",
}
every_platform = pytest.mark.parametrize("platform", GRAMMARS)

KEY_LETTERS = "".join(map(chr, range(0x21, 0x7F)))
RULES = (
    (a_rule("10.0.0.0/24", "192.168.0.0/24"),),
    (
        a_rule("10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/25"),
        a_rule("10.0.1.0/26", "192.168.2.0/24"),
    ),
    (a_rule("10.0.0.0/8", "0.0.0.0/0"),),
    (a_rule("10.1.2.3/32", "192.168.0.9/32", "172.16.0.0/12"),),
    (a_rule("2001:db8:1::/64", "2001:db8:f:2::/64"),),
)

# Nothing is as a default of any device would have it.
BASE = a_tunnel_spec(
    ike=IkeSettings(
        encryption="aes-256", integrity="sha2-384", dh_group="dh20", lifetime_seconds=30_000
    ),
    ipsec=IpsecSettings(
        encryption="aes-192",
        integrity="sha2-512",
        pfs="dh21",
        lifetime_seconds=5_000,
        lifetime_kb=70_000,
    ),
)
OLD = replace(BASE, ike=replace(BASE.ike, version=IkeVersion.V1))

# What is another in the tunnel → what the comparison calls it.
CHANGES: Mapping[str, tuple[TunnelSpec, dict[str, Any], set[str]]] = {
    "version": (BASE, {"ike": replace(BASE.ike, version=IkeVersion.V1)}, {"IKE version"}),
    "mode": (OLD, {"ike": replace(OLD.ike, mode=Mode.AGGRESSIVE)}, {"Negotiation mode"}),
    "IKE encryption": (BASE, {"ike": replace(BASE.ike, encryption="aes-128")}, {"IKE encryption"}),
    "IKE integrity": (OLD, {"ike": replace(OLD.ike, integrity="sha2-256")}, {"IKE integrity"}),
    "DH": (BASE, {"ike": replace(BASE.ike, dh_group="dh14")}, {"IKE DH group"}),
    "IKE lifetime": (BASE, {"ike": replace(BASE.ike, lifetime_seconds=30_001)}, {"IKE SA lifetime"}),
    "DPD": (BASE, {"ike": replace(BASE.ike, dpd_enabled=False)}, {"Dead peer detection"}),
    "encryption": (BASE, {"ipsec": replace(BASE.ipsec, encryption="aes-256")}, {"IPsec encryption"}),
    "integrity": (BASE, {"ipsec": replace(BASE.ipsec, integrity="sha2-256")}, {"IPsec integrity"}),
    "PFS": (BASE, {"ipsec": replace(BASE.ipsec, pfs="dh20")}, {"PFS"}),
    "no PFS": (BASE, {"ipsec": replace(BASE.ipsec, pfs="")}, {"PFS"}),
    "lifetime": (BASE, {"ipsec": replace(BASE.ipsec, lifetime_seconds=5_001)}, {"IPsec SA lifetime"}),
    "volume": (BASE, {"ipsec": replace(BASE.ipsec, lifetime_kb=70_001)}, {"Lifetime by volume"}),
    "key": (BASE, {"psk": Secret("Golden-Key_73518")}, {"Pre-shared key"}),
    "range": (
        BASE,
        {"rules": (a_rule("10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/26"), *BASE.rules[1:])},
        {"Mapping"},
    ),
    "our identity": (
        BASE,
        {"local": an_endpoint("gateway-beijing", "203.0.113.10", "gateway.example.net")},
        {"VPN gateway identifier"},
    ),
    "their identity": (
        BASE,
        {"remote": an_endpoint("shanghai-router", "198.51.100.2", "router.example.com")},
        {"Customer gateway identifier"},
    ),
}  # fmt: skip


@st.composite
def specs(draw: st.DrawFn) -> TunnelSpec:
    """Any tunnel that the console would make."""
    pick = {name: draw(st.booleans()) for name in ("local", "remote", "dpd", "health")}
    local_fqdn = "gateway.example.net" if pick["local"] else ""
    remote_fqdn = "router.example.com" if pick["remote"] else ""
    ike = IkeSettings(
        version=draw(st.sampled_from(IkeVersion)),
        mode=draw(st.sampled_from(Mode)),
        encryption=draw(st.sampled_from([*crypto.ENCRYPTION])),
        integrity=draw(st.sampled_from([*crypto.INTEGRITY])),
        prf=draw(st.sampled_from([*crypto.PRF])),
        dh_group=draw(st.sampled_from([*crypto.DH_GROUPS])),
        lifetime_seconds=draw(st.integers(60, 604_800)),
        local_fqdn=local_fqdn,
        remote_fqdn=remote_fqdn,
        dpd_enabled=pick["dpd"],
        dpd_timeout=draw(st.integers(30, 60)),
        dpd_action=draw(st.sampled_from(DpdAction)),
        negotiation=draw(st.sampled_from(Negotiation)),
    )
    ipsec = IpsecSettings(
        encryption=draw(st.sampled_from([*crypto.ESP_ENCRYPTION])),
        integrity=draw(st.sampled_from([*crypto.INTEGRITY])),
        pfs=draw(st.sampled_from(["", *crypto.DH_GROUPS])),
        lifetime_seconds=draw(st.integers(180, 604_800)),
        lifetime_kb=draw(st.integers(2_560, 4_294_967_295)),
    )
    assume(not check_ike(ike) and not check_ipsec(ipsec, version=ike.version))
    return a_tunnel_spec(
        local=an_endpoint("gateway-beijing", "203.0.113.10", local_fqdn),
        remote=an_endpoint("shanghai-router", "198.51.100.2", remote_fqdn),
        psk=Secret(draw(st.text(KEY_LETTERS, min_size=8, max_size=40))),
        rules=draw(st.sampled_from(RULES)),
        ike=ike,
        ipsec=ipsec,
        health=a_health_check() if pick["health"] else None,
    )


def text_of(platform: str, spec: TunnelSpec) -> str:
    """Our file; RuleError when the device cannot do the tunnel."""
    return render_case(PLATFORMS[platform], spec).text


@every_platform
@pytest.mark.parametrize("case", CASES)
def test_it_finds_no_difference_in_our_goldens(platform: str, case: str) -> None:
    try:
        text = text_of(platform, CASES[case])
    except RuleError:
        pytest.skip("the device cannot do it")
    said = answer(text, CASES[case])
    assert said.differences == ()
    assert said.headline == "These two will negotiate."
    assert said.grammar.id == GRAMMARS[platform]


@given(specs(), st.sampled_from([*GRAMMARS]))
def test_it_finds_no_difference_in_any_file_of_ours(spec: TunnelSpec, platform: str) -> None:
    try:
        text = text_of(platform, spec)
    except RuleError:
        assume(False)
    assert found(text, spec) == []


@every_platform
@pytest.mark.parametrize("change", CHANGES)
def test_it_names_each_value_that_is_another_in_the_tunnel(platform: str, change: str) -> None:
    spec, fields, names = CHANGES[change]
    if (platform, change) == ("fortinet-fortios", "our identity"):
        names = set()  # of a gateway that calls itself by its address it asks no identity
    text = text_of(platform, spec)
    lines = text.split("\n")
    differences = found(text, replace(spec, **fields))
    # Beside an AEAD or a hash of its own, the PRF is another one as well.
    assert {one.name for one in differences} - {"IKE PRF"} == names
    for one in differences:
        assert one.ours != one.theirs
        assert (
            one.lines
            or (one.theirs in {"missing", "any", "its own IP address"})
            or change == "mode"
        ), one
        for number in one.lines:
            assert lines[number - 1].strip()[:1] not in {"", "#", "!"}


@every_platform
def test_it_says_that_the_placeholder_is_not_the_key(platform: str) -> None:
    text = render_case(PLATFORMS[platform], BASE, redacted=True).text
    assert PSK_PLACEHOLDER in text
    [difference] = found(text, BASE)
    assert (difference.name, difference.severity) == ("Pre-shared key", Severity.BREAKS)
    assert PSK_PLACEHOLDER in text.split("\n")[(difference.line or 0) - 1]
