"""SPD rules, their mappings, and the constraint that no two mappings of one gateway overlap."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField
from django.contrib.postgres.indexes import GistIndex, OpClass
from django.db import connection, models
from django.db.models import F, Func, Value
from netfields import CidrAddressField

from tunnels.domain import spd
from tunnels.models.gateway import VpnGateway
from tunnels.models.tunnel import Tunnel

OVERLAP_MESSAGE = "This mapping overlaps another mapping of the same VPN gateway."


class Int8Range(Func):
    """PostgreSQL's int8range(low, high, bounds): lets a bigint take part in a GiST index without btree_gist."""

    function = "int8range"
    output_field = BigIntegerRangeField()


class SpdRule(models.Model):
    """One local CIDR; `position` counts from 1 in the order of the form."""

    tunnel = models.ForeignKey(Tunnel, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField()
    local_cidr = CidrAddressField()

    class Meta:
        ordering: ClassVar = ["tunnel", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tunnel", "position"],
                name="spd_rule_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]

    def __str__(self) -> str:
        return f"rule {self.position}: {self.local_cidr}"


class MappingManager(models.Manager["Mapping"]):
    """Reads of mappings."""

    def overlapping(
        self,
        *,
        vpn_gateway: VpnGateway,
        mappings: Iterable[spd.Mapping],
        besides: Tunnel | None = None,
    ) -> list[spd.PlacedMapping]:
        """The gateway's stored mappings that overlap one of these, in one query on the constraint's own index.

        `besides` is the tunnel being edited: its stored mappings do not count.
        """
        new = list(mappings)
        query = """
            SELECT DISTINCT m.local_cidr::text, m.remote_cidr::text, r.position, t.public_id, t.name, m.id
            FROM unnest(%s::cidr[], %s::cidr[]) AS new (local, remote)
            JOIN tunnels_mapping m
              ON int8range(m.vpn_gateway_id, m.vpn_gateway_id, '[]') && int8range(%s, %s, '[]')
             AND m.local_cidr && new.local AND m.remote_cidr && new.remote
            JOIN tunnels_tunnel t ON t.id = m.tunnel_id
            LEFT JOIN tunnels_spdrule r ON r.id = m.rule_id
            WHERE m.tunnel_id IS DISTINCT FROM %s
            ORDER BY m.id
        """
        with connection.cursor() as cursor:
            cursor.execute(
                query,
                [
                    [str(mapping.local) for mapping in new],
                    [str(mapping.remote) for mapping in new],
                    vpn_gateway.pk,
                    vpn_gateway.pk,
                    besides.pk if besides else None,
                ],
            )
            rows = cursor.fetchall()
        return [
            spd.PlacedMapping(
                mapping=spd.Mapping(
                    local=ip_network(local), remote=ip_network(remote), rule=position
                ),
                tunnel_id=public_id,
                tunnel_name=name,
            )
            for local, remote, position, public_id, name, _ in rows
        ]


class Mapping(models.Model):
    """One (local, remote) pair: one CHILD_SA. Without a rule it is the health-check pair."""

    vpn_gateway = models.ForeignKey(VpnGateway, on_delete=models.PROTECT, related_name="mappings")
    tunnel = models.ForeignKey(Tunnel, on_delete=models.CASCADE, related_name="mappings")
    rule = models.ForeignKey(SpdRule, on_delete=models.CASCADE, null=True, related_name="mappings")
    local_cidr = CidrAddressField()
    remote_cidr = CidrAddressField()

    objects = MappingManager()

    class Meta:
        ordering: ClassVar = ["tunnel", F("rule__position").asc(nulls_last=True), "pk"]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="mapping_no_overlap",
                expressions=[
                    (Int8Range("vpn_gateway", "vpn_gateway", Value("[]")), "&&"),
                    (OpClass("local_cidr", "inet_ops"), "&&"),
                    (OpClass("remote_cidr", "inet_ops"), "&&"),
                ],
                violation_error_message=OVERLAP_MESSAGE,
            ),
        ]
        indexes: ClassVar = [
            # "Which tunnel carries 192.168.1.7?" asks each side on its own.
            GistIndex(OpClass("local_cidr", "inet_ops"), name="mapping_local"),
            GistIndex(OpClass("remote_cidr", "inet_ops"), name="mapping_remote"),
        ]

    def __str__(self) -> str:
        return f"{self.local_cidr} ↔ {self.remote_cidr}"
