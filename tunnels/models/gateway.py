"""The two ends of tunnels: our VPN gateways and the customers' gateways."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower
from netfields import InetAddressField

from tunnels.domain.addresses import Network
from tunnels.domain.names import NAME_MAX
from tunnels.models.fields import PublicIdField, Trigrams
from tunnels.models.network import Ccn, Region, Vpc


class GatewayType(models.TextChoices):
    """What a VPN gateway is attached to."""

    VPC = "VPC", "VPC"
    CCN = "CCN", "CCN"


class VpnGateway(models.Model):
    """Our end. `revision` rises with every change that its agent must fetch."""

    public_id = PublicIdField(prefix="vpngw")
    name = models.CharField(max_length=NAME_MAX)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="vpn_gateways")
    type = models.CharField(max_length=3, choices=GatewayType, default=GatewayType.VPC)
    vpc = models.ForeignKey(
        Vpc, on_delete=models.PROTECT, null=True, blank=True, related_name="vpn_gateways"
    )
    ccn = models.ForeignKey(
        Ccn, on_delete=models.PROTECT, null=True, blank=True, related_name="vpn_gateways"
    )
    public_ip = InetAddressField(store_prefix_length=False, unique=True)
    revision = models.BigIntegerField(default=0, editable=False)
    last_seen = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        verbose_name = "VPN gateway"
        indexes: ClassVar = [GinIndex(Trigrams("name"), name="vpn_gateway_name_trigrams")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(type=GatewayType.VPC, vpc__isnull=False, ccn__isnull=True)
                | models.Q(type=GatewayType.CCN, vpc__isnull=True, ccn__isnull=False),
                name="vpn_gateway_type_matches_network",
                violation_error_message="A VPC gateway has a VPC and no CCN; a CCN gateway has a CCN and no VPC.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    @property
    def network(self) -> Vpc | Ccn:
        """The VPC or CCN it is attached to; the check constraint says there is one."""
        network = self.vpc or self.ccn
        if network is None:
            raise ValueError(f"{self.public_id} has no network")
        return network

    @property
    def vpc_cidrs(self) -> list[Network]:
        """The blocks that local ranges must lie in; empty for CCN, where they are free."""
        return list(self.vpc.cidrs) if self.vpc else []


class CustomerGateway(models.Model):
    """Their end: a device with a static public address.

    `platform` is the kind of device chosen last ("" = not known), `platform_version` which of its versions ("" = not
    said), and `device_answers` what was answered about such devices: platform → question → answer. None of it is
    more than a memory: it is checked again wherever it is used.
    """

    public_id = PublicIdField(prefix="cgw")
    name = models.CharField(max_length=NAME_MAX)
    public_ip = InetAddressField(
        store_prefix_length=False,
        unique=True,
        error_messages={
            "unique": "Another customer gateway already has this address; choose that one."
        },
    )
    platform = models.CharField(max_length=40, blank=True, editable=False)
    platform_version = models.CharField(max_length=40, blank=True, editable=False)
    device_answers = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        verbose_name = "customer gateway"
        indexes: ClassVar = [
            models.Index(Lower("name"), "id", name="customer_gateway_by_name"),
            GinIndex(Trigrams("name"), name="customer_gateway_name_trigrams"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"
