"""Health check: which two addresses may probe each other through the tunnel."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tunnels.domain.addresses import BROADCAST, LINK_LOCAL, THIS_NETWORK, Address, Network
from tunnels.domain.findings import Finding, refuse

# The reference console hands out pairs from this half of the link-local block.
AUTO_RANGE = ipaddress.IPv4Network("169.254.128.0/17")

INTERVAL_MS = (1_000, 5_000)
THRESHOLD = (3, 8)
TIMEOUT_MS = (10, 5_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """ICMP probes from `local` (our side) to `remote` (their side); times in milliseconds."""

    local: Address
    remote: Address
    interval_ms: int = 5_000
    threshold: int = 3
    timeout_ms: int = 150


def check_health(
    health: HealthCheck,
    *,
    vpc: Sequence[Network],
    locals_: Sequence[Network],
    remotes: Sequence[Network],
) -> list[Finding]:
    """Findings for the two addresses, given the VPC's blocks (empty for CCN) and the tunnel's SPD ranges.

    Our address lies outside the VPC; each address lies outside the other side's ranges; both are usable
    unicast; of 169.254.0.0/16 only the half 169.254.128.0/17 may be used.
    """
    findings: list[Finding] = []
    for field, address in (("health_local", health.local), ("health_remote", health.remote)):
        message = _unusable(address)
        if message:
            findings.append(Finding(rule="health-address-unusable", message=message, field=field))
    if health.local.version != health.remote.version:
        message = "Both health-check addresses must be IPv4, or both IPv6."
        findings.append(Finding(rule="health-family", message=message, field="health_remote"))
    if health.local == health.remote:
        message = "The two health-check addresses must differ."
        findings.append(Finding(rule="health-equal", message=message, field="health_remote"))
    inside = _holding(vpc, health.local)
    if inside:
        message = (
            f"{health.local} lies in the VPC's range {inside}; use an address outside the VPC."
        )
        findings.append(Finding(rule="health-inside-vpc", message=message, field="health_local"))
    inside = _holding(remotes, health.local)
    if inside:
        message = f"{health.local} lies in the customer range {inside}; it must be on the VPN gateway's side."
        findings.append(Finding(rule="health-wrong-side", message=message, field="health_local"))
    inside = _holding(locals_, health.remote) or _holding(vpc, health.remote)
    if inside:
        message = (
            f"{health.remote} lies in our own range {inside}; it must be on the customer's side."
        )
        findings.append(Finding(rule="health-wrong-side", message=message, field="health_remote"))
    for field, label, value, limits in (
        ("health_interval_ms", "interval in ms", health.interval_ms, INTERVAL_MS),
        ("health_threshold", "number of lost probes", health.threshold, THRESHOLD),
        ("health_timeout_ms", "timeout in ms", health.timeout_ms, TIMEOUT_MS),
    ):
        if not limits[0] <= value <= limits[1]:
            message = f"The {label} must be {limits[0]} to {limits[1]}."
            findings.append(Finding(rule="out-of-range", message=message, field=field))
    return findings


def assign_pair(used: Collection[Address]) -> tuple[Address, Address]:
    """The first neighbouring pair (even, odd) of 169.254.128.0/17 that no tunnel of the gateway uses.

    Raises RuleError when all 16,382 pairs are taken.
    """
    first, last = int(AUTO_RANGE.network_address), int(AUTO_RANGE.broadcast_address)
    taken = {int(address) for address in used if address in AUTO_RANGE}
    for number in range(first + 2, last - 1, 2):
        if number not in taken and number + 1 not in taken:
            return ipaddress.IPv4Address(number), ipaddress.IPv4Address(number + 1)
    raise refuse(
        "health-exhausted",
        f"No free pair is left in {AUTO_RANGE}; type two addresses of your own.",
        field="health_local",
    )


def _unusable(address: Address) -> str:
    if address.is_unspecified or address.is_loopback or address.is_multicast:
        return f"{address} is unspecified, loopback or multicast; use a unicast address."
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_link_local or address.ipv4_mapped:
            return f"{address} is link-local or IPv4 written as IPv6; use a unique local or global address."
        return ""
    if address == BROADCAST or address in THIS_NETWORK:
        return f"{address} is not a usable address; use a unicast address."
    if address in LINK_LOCAL and address not in AUTO_RANGE:
        return f"{address} is link-local; of that block only {AUTO_RANGE} may be used."
    return ""


def _holding(networks: Sequence[Network], address: Address) -> Network | None:
    """The first block that holds the address, the default route left out: it stands for everything else."""
    return next((net for net in networks if net.prefixlen and address in net), None)
