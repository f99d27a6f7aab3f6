"""Values for tests that need one and do not care which: every argument may be given instead."""

from __future__ import annotations

from typing import Any

from tunnels.domain.addresses import parse_address, parse_network
from tunnels.domain.health import HealthCheck
from tunnels.domain.proposals import IkeSettings, IpsecSettings
from tunnels.domain.secret import Secret
from tunnels.domain.spd import Mapping, PlacedMapping, Rule
from tunnels.domain.spec import Endpoint, TunnelSpec
from tunnels.domain.status import Intent


def a_mapping(local: str, remote: str, rule: int | None = 1) -> Mapping:
    """One pair of ranges."""
    return Mapping(local=parse_network(local), remote=parse_network(remote), rule=rule)


def a_rule(local: str, *remotes: str) -> Rule:
    """One SPD rule."""
    return Rule(
        local=parse_network(local), remotes=tuple(parse_network(remote) for remote in remotes)
    )


def a_placed_mapping(local: str, remote: str, rule: int | None = 1) -> PlacedMapping:
    """A pair of ranges that another tunnel of the gateway holds."""
    mapping = a_mapping(local, remote, rule)
    return PlacedMapping(mapping=mapping, tunnel_id="vpnx-1a2b3c4d", tunnel_name="idc-shanghai")


def a_health_check(
    local: str = "169.254.128.2", remote: str = "169.254.128.3", **over: Any
) -> HealthCheck:
    """A health check between two addresses of the automatic range."""
    return HealthCheck(local=parse_address(local), remote=parse_address(remote), **over)


def an_endpoint(name: str, address: str, identity: str = "") -> Endpoint:
    """One end, identified by its address unless an identity is given."""
    return Endpoint(name=name, address=parse_address(address), identity=identity or address)


def a_tunnel_spec(**over: Any) -> TunnelSpec:
    """A tunnel in which no two values are alike, so that swapped sides are seen."""
    fields: dict[str, Any] = {
        "id": "vpnx-7k2m9q4z",
        "name": "idc-shanghai",
        "revision": 3,
        "intent": Intent.UP,
        "local": an_endpoint("gateway-beijing", "203.0.113.10"),
        "remote": an_endpoint("shanghai-router", "198.51.100.2"),
        "psk": Secret("Golden-Key_73519"),
        "rules": (
            a_rule("10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/25"),
            a_rule("10.0.1.0/26", "192.168.2.0/24"),
        ),
        "ike": IkeSettings(),
        "ipsec": IpsecSettings(),
        "health": None,
        "tags": {"env": "production"},
    }
    return TunnelSpec(**{**fields, **over})
