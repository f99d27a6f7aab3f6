"""Regions, VPCs and CCNs: create, update, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from tunnels.domain.addresses import Network, contains
from tunnels.domain.blocks import parse_blocks
from tunnels.domain.findings import Finding, RuleError, refuse
from tunnels.domain.health import check_health
from tunnels.domain.names import clean_code, clean_name
from tunnels.models import Ccn, Event, Region, SpdRule, Tunnel, Vpc
from tunnels.services import audit
from tunnels.services.access import Actor, require
from tunnels.services.constraints import constraint_sentences
from tunnels.services.inventory import USERS_NAMED, attempt, locked, refuse_while_used


def create_region(*, actor: Actor, code: str, name: str) -> Region:
    """A new region. Raises PermissionDenied, and RuleError at code and name."""
    require(actor, "add_region")
    region = Region()
    _read_region(region, code, name)
    with constraint_sentences(), transaction.atomic():
        _check_code_free(region)
        region.save()
        _record(actor, region, "Region", "created", {}, _describe_region(region))
    return region


def update_region(*, actor: Actor, region: Region, code: str, name: str) -> Region:
    """Change code and name of a region. Raises PermissionDenied, and RuleError at code and name."""
    require(actor, "change_region")
    with constraint_sentences(), transaction.atomic():
        fresh = locked(region)
        before = _describe_region(fresh)
        _read_region(fresh, code, name)
        _check_code_free(fresh)
        fresh.save()
        _record(actor, fresh, "Region", "edited", before, _describe_region(fresh))
    return fresh


def delete_region(*, actor: Actor, region: Region) -> None:
    """Delete a region without VPCs and gateways. Raises RuleError that names them."""
    require(actor, "delete_region")
    with transaction.atomic():
        fresh = locked(region)
        refuse_while_used(
            fresh.name,
            ("VPC", fresh.vpcs.all()),
            ("VPN gateway", fresh.vpn_gateways.all()),
            advice="Delete them first.",
        )
        _record(actor, fresh, "Region", "deleted", _describe_region(fresh), {})
        fresh.delete()


def create_vpc(*, actor: Actor, name: str, region: Region, cidrs: Sequence[str]) -> Vpc:
    """A new VPC with these blocks. Raises PermissionDenied, and RuleError at name and cidrs (with rows)."""
    require(actor, "add_vpc")
    cleaned, blocks = _read_vpc(name, cidrs)
    with constraint_sentences(), transaction.atomic():
        vpc = Vpc.objects.create(name=cleaned, region=region, cidrs=list(blocks))
        _record(actor, vpc, "VPC", "created", {}, _describe_vpc(vpc))
    return vpc


def update_vpc(*, actor: Actor, vpc: Vpc, name: str, region: Region, cidrs: Sequence[str]) -> Vpc:
    """Change a VPC; its region is fixed while gateways are attached.

    Raises RuleError at cidrs, naming the tunnels, when one of their local ranges would lie outside the new
    blocks or one of their health-check addresses inside, and at name and region.
    """
    require(actor, "change_vpc")
    cleaned, blocks = _read_vpc(name, cidrs)
    with constraint_sentences(), transaction.atomic():
        fresh = locked(vpc)
        # Whoever stores a tunnel holds its gateway's lock and reads the blocks after it.
        list(fresh.vpn_gateways.order_by("pk").select_for_update())
        before = _describe_vpc(fresh)
        if fresh.region_id != region.pk:
            refuse_while_used(
                fresh.name,
                ("VPN gateway", fresh.vpn_gateways.all()),
                advice="A VPC keeps its region while gateways are attached; delete or move them first.",
                rule="vpc-region",
                field="region",
            )
        if set(fresh.cidrs) != set(blocks):
            _check_blocks_fit(fresh, blocks)
        fresh.name, fresh.region, fresh.cidrs = cleaned, region, list(blocks)
        fresh.save()
        _record(actor, fresh, "VPC", "edited", before, _describe_vpc(fresh))
    return fresh


def delete_vpc(*, actor: Actor, vpc: Vpc) -> None:
    """Delete a VPC without gateways. Raises RuleError that names them."""
    require(actor, "delete_vpc")
    with transaction.atomic():
        fresh = locked(vpc)
        refuse_while_used(
            fresh.name,
            ("VPN gateway", fresh.vpn_gateways.all()),
            advice="Delete its gateways first.",
        )
        _record(actor, fresh, "VPC", "deleted", _describe_vpc(fresh), {})
        fresh.delete()


def create_ccn(*, actor: Actor, name: str) -> Ccn:
    """A new CCN. Raises PermissionDenied, and RuleError at name."""
    require(actor, "add_ccn")
    cleaned = _read_name(name)
    with transaction.atomic():
        ccn = Ccn.objects.create(name=cleaned)
        _record(actor, ccn, "CCN", "created", {}, {"name": ccn.name})
    return ccn


def update_ccn(*, actor: Actor, ccn: Ccn, name: str) -> Ccn:
    """Rename a CCN. Raises PermissionDenied, and RuleError at name."""
    require(actor, "change_ccn")
    cleaned = _read_name(name)
    with transaction.atomic():
        fresh = locked(ccn)
        before = {"name": fresh.name}
        fresh.name = cleaned
        fresh.save()
        _record(actor, fresh, "CCN", "edited", before, {"name": fresh.name})
    return fresh


def delete_ccn(*, actor: Actor, ccn: Ccn) -> None:
    """Delete a CCN without gateways. Raises RuleError that names them."""
    require(actor, "delete_ccn")
    with transaction.atomic():
        fresh = locked(ccn)
        refuse_while_used(
            fresh.name,
            ("VPN gateway", fresh.vpn_gateways.all()),
            advice="Delete its gateways first.",
        )
        _record(actor, fresh, "CCN", "deleted", {"name": fresh.name}, {})
        fresh.delete()


def _read_name(name: str) -> str:
    findings: list[Finding] = []
    cleaned = attempt(findings, "name", clean_name, name)
    if cleaned is None:
        raise RuleError(findings)
    return cleaned


def _read_region(region: Region, code: str, name: str) -> None:
    findings: list[Finding] = []
    cleaned_code = attempt(findings, "code", clean_code, code)
    cleaned = attempt(findings, "name", clean_name, name)
    if cleaned_code is None or cleaned is None:
        raise RuleError(findings)
    region.code, region.name = cleaned_code, cleaned


def _read_vpc(name: str, cidrs: Sequence[str]) -> tuple[str, tuple[Network, ...]]:
    findings: list[Finding] = []
    cleaned = attempt(findings, "name", clean_name, name)
    blocks: tuple[Network, ...] = ()
    try:
        blocks = parse_blocks(cidrs)
    except RuleError as error:
        findings += error.findings
    if cleaned is None or findings:
        raise RuleError(findings)
    return cleaned, blocks


def _check_code_free(region: Region) -> None:
    twin = Region.objects.filter(code=region.code).exclude(pk=region.pk).first()
    if twin:
        message = f"The region {twin.name} already has the code {twin.code}; choose another."
        raise refuse("region-code-taken", message, field="code")


def _check_blocks_fit(vpc: Vpc, blocks: Sequence[Network]) -> None:
    """Raise RuleError when a tunnel of the VPC's gateways would break a rule with these blocks."""
    tunnels = Tunnel.objects.filter(vpn_gateway__vpc=vpc).order_by("pk")
    rules = SpdRule.objects.filter(tunnel__in=tunnels).select_related("tunnel")
    outside = [
        f"{rule.local_cidr} of {rule.tunnel}"
        for rule in rules.order_by("tunnel", "position")
        if not contains(blocks, rule.local_cidr)
    ]
    inside = [
        f"{health.local if finding.field == 'health_local' else health.remote} of {tunnel}"
        for tunnel in tunnels.filter(health_enabled=True)
        if (health := tunnel.health)
        for finding in check_health(health, vpc=blocks, locals_=(), remotes=())
        if finding.rule in {"health-inside-vpc", "health-wrong-side"}
    ]
    findings = []
    if outside:
        message = f"These local ranges would lie outside the VPC: {_some(outside)}. Change those tunnels first."
        findings.append(Finding(rule="vpc-leaves-range", message=message, field="cidrs"))
    if inside:
        message = f"These health-check addresses would lie inside the VPC: {_some(inside)}. Change those tunnels first."
        findings.append(Finding(rule="vpc-takes-probe", message=message, field="cidrs"))
    if findings:
        raise RuleError(findings)


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - USERS_NAMED} more" if len(texts) > USERS_NAMED else ""
    return ", ".join(texts[:USERS_NAMED]) + more


def _record(
    actor: Actor,
    target: Region | Vpc | Ccn,
    kind: str,
    verb: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    """The event of a write; none when an edit changed nothing."""
    if before == after:
        return
    audit.record(
        actor=actor,
        action=f"{kind.lower()}-{verb}",
        target=target,
        message=f"{kind} {target.name} {verb}",
        before=before,
        after=after,
        level=Event.Level.WARNING if verb == "deleted" else Event.Level.INFO,
    )


def _describe_region(region: Region) -> dict[str, object]:
    return {"code": region.code, "name": region.name}


def _describe_vpc(vpc: Vpc) -> dict[str, object]:
    return {"name": vpc.name, "region": vpc.region.code, "cidrs": list(vpc.cidrs)}
