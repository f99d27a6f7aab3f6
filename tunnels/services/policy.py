"""The policy of one gateway: what may be added to it, and how a tunnel's rules are stored.

The caller holds the gateway's row lock wherever the answer must still be true when it writes; the exclusion
constraint guards whoever does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q, prefetch_related_objects

from tunnels.domain import health as health_rules
from tunnels.domain import spd
from tunnels.domain.addresses import Address
from tunnels.domain.findings import Finding
from tunnels.domain.health import HealthCheck
from tunnels.domain.spd import Conflict, Rule
from tunnels.domain.status import Health
from tunnels.models import Mapping, SpdRule, Tunnel, VpnGateway
from tunnels.services.inventory import locked
from tunnels.services.specs import quotas


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRequest:
    """A health check as asked for; a missing address is assigned from 169.254.128.0/17."""

    local: Address | None = None
    remote: Address | None = None
    interval_ms: int = 5_000
    threshold: int = 3
    timeout_ms: int = 150


def lock_gateway(vpn_gateway: VpnGateway) -> VpnGateway:
    """The gateway's row, locked until the transaction ends: one writer of a gateway's policy at a time.

    Its network is read after the lock is held: whoever changes the blocks of a VPC locks its gateways first.
    Raises RuleError when the gateway is gone.
    """
    gateway = locked(vpn_gateway)
    prefetch_related_objects([gateway], "vpc", "ccn")
    return gateway


def settle_health(
    request: HealthRequest | None, *, vpn_gateway: VpnGateway, besides: Tunnel | None = None
) -> HealthCheck | None:
    """The health check with both addresses, missing ones assigned so that the gateway has them once.

    Raises RuleError when no free pair is left.
    """
    if request is None:
        return None
    local, remote = request.local, request.remote
    if local is None or remote is None:
        free_local, free_remote = health_rules.assign_pair(_health_addresses(vpn_gateway, besides))
        local, remote = local or free_local, remote or free_remote
    return HealthCheck(
        local=local,
        remote=remote,
        interval_ms=request.interval_ms,
        threshold=request.threshold,
        timeout_ms=request.timeout_ms,
    )


def set_health(tunnel: Tunnel, health: HealthCheck | None) -> None:
    """Write a health check, or its absence, into the tunnel's columns; the caller saves."""
    tunnel.health_enabled = health is not None
    if health:
        tunnel.health_local, tunnel.health_remote = health.local, health.remote
        tunnel.health_interval_ms = health.interval_ms
        tunnel.health_threshold = health.threshold
        tunnel.health_timeout_ms = health.timeout_ms


def health_word(enabled: bool) -> str:
    """What a fresh health check shows before its first probe."""
    return (Health.WAITING if enabled else Health.OFF).value


def touch_gateway(gateway: VpnGateway) -> None:
    """Raise the gateway's revision, so that its agent fetches what changed."""
    VpnGateway.objects.filter(pk=gateway.pk).update(revision=F("revision") + 1)


def conflicts_of(
    rules: Sequence[Rule],
    *,
    vpn_gateway: VpnGateway,
    health: HealthCheck | None = None,
    besides: Tunnel | None = None,
) -> list[Conflict]:
    """Every overlap of these mappings with each other and with the gateway's other tunnels; one query."""
    mappings = spd.expand(rules, health)
    existing = Mapping.objects.overlapping(
        vpn_gateway=vpn_gateway, mappings=mappings, besides=besides
    )
    return spd.find_conflicts(mappings, existing)


def check_policy(
    rules: Sequence[Rule],
    *,
    vpn_gateway: VpnGateway,
    health: HealthCheck | None,
    besides: Tunnel | None = None,
) -> list[Finding]:
    """Everything that speaks against these rules and this health check on this gateway."""
    limits, vpc = quotas(), vpn_gateway.vpc_cidrs
    findings = spd.check_pairs(rules, vpc=vpc, quotas=limits)
    if health:
        findings += health_rules.check_health(
            health,
            vpc=vpc,
            locals_=[rule.local for rule in rules],
            remotes=[remote for rule in rules for remote in rule.remotes],
        )
        findings += _check_health_unique(health, vpn_gateway, besides)
    mappings = spd.expand(rules, health)
    others = Mapping.objects.filter(vpn_gateway=vpn_gateway).exclude(tunnel=besides).count()
    if others + len(mappings) > limits.mappings_per_gateway:
        message = (
            f"The gateway would carry {others + len(mappings)} mappings; at most {limits.mappings_per_gateway} are "
            "allowed. Merge ranges, or use another gateway."
        )
        findings.append(Finding(rule="spd-too-many-mappings", message=message, field="rules"))
    conflicts = conflicts_of(rules, vpn_gateway=vpn_gateway, health=health, besides=besides)
    return findings + spd.conflict_findings(conflicts)


def check_gateway_pair(tunnel: Tunnel, *, peer: str) -> list[Finding]:
    """Findings for a tunnel between two gateways: the tunnel quota, one tunnel a pair, one key a peer.

    charon finds a pre-shared key by the peer's identity and not by the connection, so a second tunnel with
    the same peer would take the wrong key.
    """
    findings: list[Finding] = []
    limit = quotas().tunnels_per_gateway
    siblings = Tunnel.objects.filter(vpn_gateway=tunnel.vpn_gateway).exclude(pk=tunnel.pk)
    pair = Q(customer_gateway=tunnel.customer_gateway)
    counted = siblings.aggregate(all=Count("pk"), same_pair=Count("pk", filter=pair))
    if counted["all"] >= limit:
        message = (
            f"{tunnel.vpn_gateway.name} already has {counted['all']} tunnels, the most allowed; "
            "use another gateway."
        )
        findings.append(Finding(rule="tunnel-quota", message=message, field="vpn_gateway"))
    if counted["same_pair"]:
        twin = siblings.get(pair)
        message = f"Tunnel {twin.name} ({twin.public_id}) already joins these two gateways; edit that one."
        findings.append(
            Finding(rule="tunnel-pair-exists", message=message, field="customer_gateway")
        )
    else:
        findings += check_peer_identity(tunnel, peer=peer)
    return findings + check_outer_family(tunnel)


def check_outer_family(tunnel: Tunnel) -> list[Finding]:
    """A finding when one gateway has an IPv4 address and the other an IPv6 address: no packet could pass."""
    ours, theirs = tunnel.vpn_gateway.public_ip, tunnel.customer_gateway.public_ip
    if ours.version == theirs.version:
        return []
    message = (
        f"The VPN gateway has the address {ours} and the customer gateway {theirs}; both must be IPv4, or both IPv6. "
        "The ranges inside the tunnel may be of either family."
    )
    return [Finding(rule="outer-family", message=message, field="customer_gateway")]


def check_peer_identity(tunnel: Tunnel, *, peer: str) -> list[Finding]:
    """A finding when another tunnel of the gateway has the customer identity `peer` too, letter case aside.

    charon finds a key by the peer's identity: with two keys for one peer it could take the wrong one, and either
    customer could prove to be the other.
    """
    remote = peer.lower()
    siblings = Tunnel.objects.filter(vpn_gateway=tunnel.vpn_gateway).exclude(pk=tunnel.pk)
    candidates = siblings.filter(
        Q(ike__remote_fqdn__iexact=remote) | Q(ike__remote_fqdn="")
    ).select_related("ike", "customer_gateway")
    for twin in candidates:
        theirs = twin.ike.remote_fqdn or str(twin.customer_gateway.public_ip)
        if theirs.lower() == remote:
            message = (
                f"Tunnel {twin.name} ({twin.public_id}) already uses the customer identifier {remote}; the gateway "
                "could not tell their keys apart. Choose another one."
            )
            return [Finding(rule="identity-exists", message=message, field="remote_fqdn")]
    return []


def store_rules(tunnel: Tunnel, rules: Sequence[Rule], health: HealthCheck | None) -> int:
    """Make the tunnel's rules and mappings these; returns the number of mappings.

    A mapping that stays keeps its row, and so its CHILD_SA. Gone ones are deleted before new ones are
    inserted: the exclusion constraint looks at each row at once.
    """
    kept = {(mapping.local_cidr, mapping.remote_cidr): mapping for mapping in tunnel.mappings.all()}
    old_rules = list(tunnel.rules.values_list("pk", flat=True))
    wanted = spd.expand(rules, health)
    numbered = SpdRule.objects.bulk_create(
        SpdRule(tunnel=tunnel, position=number, local_cidr=rule.local)
        for number, rule in enumerate(rules, start=1)
    )
    fresh: list[Mapping] = []
    for mapping in wanted:
        rule = numbered[mapping.rule - 1] if mapping.rule else None
        row = kept.pop((mapping.local, mapping.remote), None)
        if row is None:
            row = Mapping(local_cidr=mapping.local, remote_cidr=mapping.remote)
            row.vpn_gateway, row.tunnel, row.rule = tunnel.vpn_gateway, tunnel, rule
            fresh.append(row)
        elif row.rule_id != (rule.pk if rule else None):
            row.rule = rule
            row.save(update_fields=["rule"])
    Mapping.objects.filter(pk__in=[row.pk for row in kept.values()]).delete()
    SpdRule.objects.filter(pk__in=old_rules).delete()
    Mapping.objects.bulk_create(fresh)
    return len(wanted)


def _health_addresses(vpn_gateway: VpnGateway, besides: Tunnel | None) -> set[Address]:
    rows = Tunnel.objects.filter(vpn_gateway=vpn_gateway, health_enabled=True)
    if besides:
        rows = rows.exclude(pk=besides.pk)
    return {
        address
        for pair in rows.values_list("health_local", "health_remote")
        for address in pair
        if address
    }


def _check_health_unique(
    health: HealthCheck, vpn_gateway: VpnGateway, besides: Tunnel | None
) -> list[Finding]:
    used = _health_addresses(vpn_gateway, besides)
    return [
        Finding(
            rule="health-address-taken",
            message=f"{address} is used by another tunnel's health check on this gateway; choose another.",
            field=field,
        )
        for field, address in (("health_local", health.local), ("health_remote", health.remote))
        if address in used
    ]
