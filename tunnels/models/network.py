"""Where gateways live: regions, VPCs and CCNs."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from netfields import CidrAddressField

from tunnels.domain.addresses import Network
from tunnels.domain.names import NAME_MAX
from tunnels.models.fields import PublicIdField


class Region(models.Model):
    """A place, such as `eu-central` (Frankfurt)."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=NAME_MAX)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Vpc(models.Model):
    """A private network with its address blocks."""

    public_id = PublicIdField(prefix="vpc")
    name = models.CharField(max_length=NAME_MAX)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="vpcs")
    cidrs: ArrayField[list[Network], list[Network]] = ArrayField(CidrAddressField())

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        verbose_name = "VPC"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(cidrs__len__gte=1),
                name="vpc_has_cidr",
                violation_error_message="A VPC needs at least one CIDR block.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"


class Ccn(models.Model):
    """A cloud connect network: it joins VPCs of several regions and has no CIDR blocks of its own."""

    public_id = PublicIdField(prefix="ccn")
    name = models.CharField(max_length=NAME_MAX)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        verbose_name = "CCN"

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"
