"""TunnelSpec: one tunnel, wholly described and frozen. Device files and the agent are made from it."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from functools import cached_property

from tunnels.domain.addresses import Address
from tunnels.domain.health import HealthCheck
from tunnels.domain.proposals import IkeSettings, IpsecSettings
from tunnels.domain.secret import Secret
from tunnels.domain.spd import Mapping, Rule, expand
from tunnels.domain.status import Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One end: `address` is its public address, `identity` what it sends as its IKE identity (IP text or FQDN)."""

    name: str
    address: Address
    identity: str


@dataclass(frozen=True, kw_only=True)
class TunnelSpec:
    """One tunnel as our gateway sees it: local is the VPN gateway, remote the customer gateway."""

    id: str
    name: str
    revision: int
    intent: Intent
    local: Endpoint
    remote: Endpoint
    psk: Secret
    rules: tuple[Rule, ...]
    ike: IkeSettings
    ipsec: IpsecSettings
    health: HealthCheck | None = None
    tags: MappingABC[str, str] = field(default_factory=dict)

    @cached_property
    def mappings(self) -> tuple[Mapping, ...]:
        """All mappings in rule order, the health-check pair last when no rule covers it."""
        return expand(self.rules, self.health)
