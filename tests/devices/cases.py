"""The tunnels whose files are kept as goldens, and the stamps that they carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tunnels.devices.base import Platform, Rendering, render
from tunnels.domain.proposals import (
    DpdAction,
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    Mode,
    Negotiation,
)
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
SHANGHAI = timezone(timedelta(hours=8))
CONSOLE_VERSION = "1.2.3"

# Every character that means something to somebody: quotes, comments, blocks, shells, templates.
HOSTILE_PSK = 'a"b\\c#d{e}f=g\'h$i`j%k;l,m.n:o<p>q&r|s!t*u?v^w~x[y]z(0)1@2+3-4_5/{{6}}{%7%}\\n\\"'

_COMMON_IKE = IkeSettings(encryption="aes-256", integrity="sha2-256", dh_group="dh14")
_COMMON_IPSEC = IpsecSettings(encryption="aes-256", integrity="sha2-256", pfs="dh14")
# One range with two others: all combinations of both sides, for devices that can do nothing else.
_PRODUCT = (a_rule("10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/25"),)

CASES: Mapping[str, TunnelSpec] = {
    "ikev1-main": a_tunnel_spec(
        ike=IkeSettings(
            version=IkeVersion.V1,
            encryption="3des",
            integrity="sha1",
            dh_group="dh2",
            lifetime_seconds=28_800,
            dpd_timeout=45,
        ),
        ipsec=IpsecSettings(
            encryption="aes-128",
            integrity="md5",
            pfs="",
            lifetime_seconds=7_200,
            lifetime_kb=4_608_000,
        ),
        rules=(a_rule("10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/25"),),
    ),
    "ikev1-aggressive-fqdn": a_tunnel_spec(
        local=an_endpoint("gateway-beijing", "203.0.113.10", "gateway.example.net"),
        remote=an_endpoint("shanghai-router", "198.51.100.2", "router.example.com"),
        ike=IkeSettings(
            version=IkeVersion.V1,
            mode=Mode.AGGRESSIVE,
            encryption="aes-192",
            integrity="md5",
            dh_group="dh5",
            lifetime_seconds=60,
            local_fqdn="gateway.example.net",
            remote_fqdn="router.example.com",
            negotiation=Negotiation.PASSIVE,
            dpd_action=DpdAction.CLEAR,
        ),
        ipsec=IpsecSettings(encryption="3des", integrity="sha1", pfs="dh5", lifetime_seconds=180),
    ),
    "ikev1-aggressive-waiting": a_tunnel_spec(
        ike=IkeSettings(
            version=IkeVersion.V1, mode=Mode.AGGRESSIVE, encryption="aes-256", dpd_enabled=False
        ),
        ipsec=IpsecSettings(encryption="aes-128-gcm", pfs="dh14", lifetime_kb=4_294_967_295),
    ),
    "ikev2-modern": a_tunnel_spec(
        ike=IkeSettings(negotiation=Negotiation.PASSIVE), psk=Secret("0xModern-Key_73519")
    ),
    "health-check": a_tunnel_spec(
        ike=IkeSettings(
            encryption="chacha20-poly1305",
            prf="sha2-256",
            dh_group="dh31",
            negotiation=Negotiation.ON_TRAFFIC,
        ),
        ipsec=IpsecSettings(encryption="chacha20-poly1305", pfs="dh31"),
        health=a_health_check(interval_ms=3_000, threshold=4, timeout_ms=250),
        psk=Secret(HOSTILE_PSK),
    ),
    "ipv6": a_tunnel_spec(
        local=an_endpoint("gateway-beijing", "2001:db8:a::10"),
        remote=an_endpoint("shanghai-router", "2001:db8:b::2"),
        rules=(
            a_rule("2001:db8:1::/64", "2001:db8:f:2::/64"),
            a_rule("10.0.0.0/24", "192.168.0.0/24"),
        ),
        ipsec=IpsecSettings(encryption="aes-256", integrity="sha2-512", pfs="dh21"),
    ),
    # What nearly every device can do, so that each has whole files to be read.
    "common-ikev1-main": a_tunnel_spec(
        ike=replace(_COMMON_IKE, version=IkeVersion.V1, integrity="sha1", dpd_timeout=45),
        ipsec=replace(_COMMON_IPSEC, integrity="sha1", lifetime_kb=4_608_000),
        rules=(
            a_rule("10.0.0.0/24", "192.168.0.0/24"),
            a_rule("10.0.1.0/26", "192.168.2.0/24"),
        ),
    ),
    "common-ikev1-aggressive-fqdn": a_tunnel_spec(
        local=an_endpoint("gateway-beijing", "203.0.113.10", "gateway.example.net"),
        remote=an_endpoint("shanghai-router", "198.51.100.2", "router.example.com"),
        ike=replace(
            _COMMON_IKE,
            version=IkeVersion.V1,
            mode=Mode.AGGRESSIVE,
            encryption="aes-128",
            integrity="sha1",
            local_fqdn="gateway.example.net",
            remote_fqdn="router.example.com",
            negotiation=Negotiation.PASSIVE,
            lifetime_seconds=28_800,
        ),
        ipsec=replace(_COMMON_IPSEC, encryption="aes-128", integrity="sha1", pfs=""),
        rules=_PRODUCT,
    ),
    "common-ikev2": a_tunnel_spec(ike=_COMMON_IKE, ipsec=_COMMON_IPSEC, rules=_PRODUCT),
    # One pair and AES-GCM: what devices with a single SA for all their ranges can do, too.
    "common-one-pair": a_tunnel_spec(
        ike=_COMMON_IKE,
        ipsec=replace(_COMMON_IPSEC, encryption="aes-256-gcm"),
        rules=(a_rule("10.0.0.0/24", "192.168.1.0/25"),),
    ),
    "common-health-check": a_tunnel_spec(
        ike=replace(_COMMON_IKE, dpd_enabled=False, negotiation=Negotiation.PASSIVE),
        ipsec=replace(_COMMON_IPSEC, lifetime_seconds=7_200),
        rules=(a_rule("169.254.128.0/30", "169.254.129.0/30"),),
        health=a_health_check("169.254.128.2", "169.254.129.2"),
    ),
    "common-ipv6": a_tunnel_spec(
        local=an_endpoint("gateway-beijing", "2001:db8:a::10"),
        remote=an_endpoint("shanghai-router", "2001:db8:b::2"),
        ike=_COMMON_IKE,
        ipsec=_COMMON_IPSEC,
        rules=(a_rule("2001:db8:1::/64", "2001:db8:f:2::/64"),),
    ),
}


def render_case(
    platform: Platform,
    spec: TunnelSpec,
    *,
    version: str = "",
    redacted: bool = False,
    given: Mapping[str, str] | None = None,
) -> Rendering:
    """The file with the stamps of the goldens; without a version, for the most usual one."""
    return render(
        platform,
        spec,
        version=version or platform.versions[0],
        redacted=redacted,
        now=NOW,
        console_version=CONSOLE_VERSION,
        given=given,
    )
