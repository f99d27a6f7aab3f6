"""Any tunnel that the console lets through, for checks that shall see every word of a device's tables."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st

from tests.builders import a_health_check, a_tunnel_spec, an_endpoint
from tests.devices.cases import render_case
from tunnels.devices.base import Platform
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
from tunnels.domain.spd import Rule
from tunnels.domain.spec import TunnelSpec

_ADDRESSES = {4: ("203.0.113.10", "198.51.100.2"), 6: ("2001:db8:a::10", "2001:db8:b::2")}
_PROBES = (None, a_health_check(), a_health_check("fd00:1::1", "fd00:2::1"))


def _networks(version: int) -> st.SearchStrategy[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Private ranges of one family, the default route among them."""
    prefix = "10.{}.{}.0/24" if version == 4 else "2001:db8:{}:{}::/64"
    numbers = st.tuples(st.integers(0, 255), st.integers(0, 255))
    ranges = numbers.map(lambda pair: ipaddress.ip_network(prefix.format(*pair)))
    return st.one_of(ranges, st.just(ipaddress.ip_network("0.0.0.0/0" if version == 4 else "::/0")))


def _rules() -> st.SearchStrategy[tuple[Rule, ...]]:
    def rule(version: int) -> st.SearchStrategy[Rule]:
        remotes = st.lists(_networks(version), min_size=1, max_size=2, unique=True)
        return st.builds(Rule, local=_networks(version), remotes=remotes.map(tuple))

    return st.lists(st.sampled_from((4, 6)).flatmap(rule), min_size=1, max_size=2, unique=True).map(
        tuple
    )


_ike = st.builds(
    IkeSettings,
    version=st.sampled_from(IkeVersion),
    mode=st.sampled_from(Mode),
    encryption=st.sampled_from([*crypto.ENCRYPTION]),
    integrity=st.sampled_from([*crypto.INTEGRITY]),
    prf=st.sampled_from([*crypto.PRF]),
    dh_group=st.sampled_from([*crypto.DH_GROUPS]),
    lifetime_seconds=st.integers(3_600, 172_800),
    dpd_enabled=st.booleans(),
    dpd_timeout=st.integers(30, 60),
    dpd_action=st.sampled_from(DpdAction),
    negotiation=st.sampled_from(Negotiation),
)
_ipsec = st.builds(
    IpsecSettings,
    encryption=st.sampled_from([*crypto.ESP_ENCRYPTION]),
    integrity=st.sampled_from([*crypto.INTEGRITY]),
    pfs=st.sampled_from(["", *crypto.DH_GROUPS]),
    lifetime_seconds=st.integers(3_600, 172_800),
    lifetime_kb=st.integers(5_120, 4_294_967_295),
)


@st.composite
def tunnels(draw: st.DrawFn) -> TunnelSpec:
    """A tunnel with whatever the wizard lets through: algorithms, families, lifetimes, identifiers, health check."""
    ike = draw(_ike.filter(lambda ike: not check_ike(ike)))
    ipsec = draw(_ipsec.filter(lambda ipsec: not check_ipsec(ipsec, version=ike.version)))
    ours, theirs = _ADDRESSES[draw(st.sampled_from((4, 6)))]
    names = draw(st.booleans())
    spec = a_tunnel_spec(
        local=an_endpoint("gateway-beijing", ours, "gateway.example.net" if names else ""),
        remote=an_endpoint("shanghai-router", theirs, "router.example.com" if names else ""),
        ike=ike,
        ipsec=ipsec,
        rules=draw(_rules()),
    )
    return replace(spec, health=draw(st.sampled_from(_PROBES)))


def rendered_somehow(platform: Platform, spec: TunnelSpec, *, version: str) -> Iterator[str]:
    """The texts of its files for this version of the device; none when the device refuses the tunnel."""
    try:
        rendering = render_case(platform, spec, version=version)
    except RuleError:
        return
    for file in rendering.files:
        yield file.text
