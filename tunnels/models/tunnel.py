"""The tunnel and its two optional steps, IKE and IPsec."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from netfields import InetAddressField

from tunnels.domain import crypto
from tunnels.domain.health import HealthCheck
from tunnels.domain.names import NAME_MAX
from tunnels.domain.proposals import (
    DpdAction,
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    Mode,
    Negotiation,
)
from tunnels.domain.secret import Secret
from tunnels.domain.status import Intent
from tunnels.models.fields import PublicIdField, SecretField, Trigrams
from tunnels.models.gateway import CustomerGateway, VpnGateway


class Tunnel(models.Model):
    """One tunnel. What we want of it is here; what was seen of it is in TunnelState."""

    public_id = PublicIdField(prefix="vpnx")
    name = models.CharField(max_length=NAME_MAX)
    vpn_gateway = models.ForeignKey(VpnGateway, on_delete=models.PROTECT, related_name="tunnels")
    customer_gateway = models.ForeignKey(
        CustomerGateway, on_delete=models.PROTECT, related_name="tunnels"
    )
    psk = SecretField()
    # During a rotation: the key that the peer may still use, and since when it is the previous one.
    previous_psk: models.Field[Secret | None, Secret | None] = SecretField(
        null=True, editable=False
    )  # type: ignore[misc, assignment]
    rotating_since = models.DateTimeField(null=True, editable=False)
    intent = models.CharField(
        max_length=8,
        choices=[(i.value, i.value) for i in Intent],
        default=Intent.UP.value,
        editable=False,
    )
    health_enabled = models.BooleanField(default=False)
    health_local = InetAddressField(store_prefix_length=False, null=True, blank=True)
    health_remote = InetAddressField(store_prefix_length=False, null=True, blank=True)
    health_interval_ms = models.PositiveIntegerField(default=5_000)
    health_threshold = models.PositiveSmallIntegerField(default=3)
    health_timeout_ms = models.PositiveIntegerField(default=150)
    tags = models.JSONField(default=dict, blank=True)
    revision = models.BigIntegerField(default=1, editable=False)
    reset_count = models.PositiveIntegerField(default=0, editable=False)
    deleting_since = models.DateTimeField(null=True, editable=False)
    draft = models.UUIDField(null=True, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )

    class Meta:
        permissions: ClassVar = [
            ("reset_tunnel", "Can reset a tunnel"),
            ("switch_tunnel", "Can take a tunnel down and bring it up"),
            ("retag_tunnel", "Can edit the tags of a tunnel"),
            ("reveal_psk", "Can see and download the pre-shared key"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["vpn_gateway", "customer_gateway"],
                name="tunnel_one_per_gateway_pair",
                violation_error_message="These two gateways already have a tunnel; edit that one.",
            ),
            models.UniqueConstraint(
                fields=["vpn_gateway", "health_local"],
                condition=Q(health_enabled=True),
                name="tunnel_health_local_unique",
                violation_error_message="Another tunnel of this gateway probes from that address; choose another.",
            ),
            models.UniqueConstraint(
                fields=["vpn_gateway", "health_remote"],
                condition=Q(health_enabled=True),
                name="tunnel_health_remote_unique",
                violation_error_message="Another tunnel of this gateway probes that address; choose another.",
            ),
            models.CheckConstraint(
                condition=Q(health_enabled=False)
                | Q(health_local__isnull=False, health_remote__isnull=False),
                name="tunnel_health_has_addresses",
                violation_error_message="A health check needs both addresses.",
            ),
            models.CheckConstraint(
                condition=Q(rotating_since__isnull=True, previous_psk__isnull=True)
                | Q(rotating_since__isnull=False, previous_psk__isnull=False),
                name="tunnel_previous_psk_while_rotating",
                violation_error_message="A previous key is kept during a rotation and no longer.",
            ),
        ]
        indexes: ClassVar = [
            models.Index(F("created_at").desc(), F("id").desc(), name="tunnel_newest_first"),
            models.Index(Lower("name"), "id", name="tunnel_by_name"),
            GinIndex(fields=["tags"], opclasses=["jsonb_path_ops"], name="tunnel_tags"),
            GinIndex(Trigrams("name"), name="tunnel_name_trigrams"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    @property
    def health(self) -> HealthCheck | None:
        """The health check as a domain value, or None when it is off."""
        if not self.health_enabled:
            return None
        return HealthCheck(
            local=self.health_local,
            remote=self.health_remote,
            interval_ms=self.health_interval_ms,
            threshold=self.health_threshold,
            timeout_ms=self.health_timeout_ms,
        )


# The defaults of a tunnel whose optional steps were skipped: the modern preset.
_IKE = IkeSettings()
_IPSEC = IpsecSettings()

ENCRYPTION_CHOICES = [(t.id, t.label) for t in crypto.ENCRYPTION.values()]
ESP_ENCRYPTION_CHOICES = [(t.id, t.label) for t in crypto.ESP_ENCRYPTION.values()]
INTEGRITY_CHOICES = [(t.id, t.label) for t in crypto.INTEGRITY.values()]
PRF_CHOICES = [(t.id, t.label) for t in crypto.PRF.values()]
DH_CHOICES = [(t.id, t.label) for t in crypto.DH_GROUPS.values()]
VERSION_CHOICES = [(IkeVersion.V1.value, "IKEv1"), (IkeVersion.V2.value, "IKEv2")]
MODE_CHOICES = [(Mode.MAIN.value, "Main mode"), (Mode.AGGRESSIVE.value, "Aggressive mode")]
NEGOTIATION_CHOICES = [
    (Negotiation.ACTIVE.value, "Active: this gateway starts at once"),
    (Negotiation.PASSIVE.value, "Passive: the customer device starts"),
    (Negotiation.ON_TRAFFIC.value, "On traffic: the first packet starts it"),
]
DPD_CHOICES = [
    (DpdAction.RESTART.value, "Restart: negotiate again"),
    (DpdAction.CLEAR.value, "Clear: drop the connection"),
]


class IkeConfig(models.Model):
    """Step 3; its fields are those of `IkeSettings`."""

    tunnel = models.OneToOneField(
        Tunnel, on_delete=models.CASCADE, related_name="ike", primary_key=True
    )
    version = models.PositiveSmallIntegerField(choices=VERSION_CHOICES, default=_IKE.version.value)
    mode = models.CharField(
        max_length=10, choices=MODE_CHOICES, default=_IKE.mode.value, blank=True
    )
    encryption = models.CharField(
        max_length=20, choices=ENCRYPTION_CHOICES, default=_IKE.encryption
    )
    integrity = models.CharField(
        max_length=10, choices=INTEGRITY_CHOICES, default=_IKE.integrity, blank=True
    )
    prf = models.CharField(max_length=10, choices=PRF_CHOICES, default=_IKE.prf, blank=True)
    dh_group = models.CharField(max_length=5, choices=DH_CHOICES, default=_IKE.dh_group)
    lifetime_seconds = models.PositiveIntegerField(default=_IKE.lifetime_seconds)
    local_fqdn = models.CharField(max_length=253, blank=True)
    remote_fqdn = models.CharField(max_length=253, blank=True)
    dpd_enabled = models.BooleanField(default=_IKE.dpd_enabled)
    dpd_timeout = models.PositiveSmallIntegerField(default=_IKE.dpd_timeout)
    dpd_action = models.CharField(max_length=8, choices=DPD_CHOICES, default=_IKE.dpd_action.value)
    negotiation = models.CharField(
        max_length=10, choices=NEGOTIATION_CHOICES, default=_IKE.negotiation.value
    )

    def __str__(self) -> str:
        return self.settings.proposal

    @property
    def settings(self) -> IkeSettings:
        """The row as a domain value."""
        return IkeSettings(
            version=IkeVersion(self.version),
            mode=Mode(self.mode),
            encryption=self.encryption,
            integrity=self.integrity,
            prf=self.prf,
            dh_group=self.dh_group,
            lifetime_seconds=self.lifetime_seconds,
            local_fqdn=self.local_fqdn,
            remote_fqdn=self.remote_fqdn,
            dpd_enabled=self.dpd_enabled,
            dpd_timeout=self.dpd_timeout,
            dpd_action=DpdAction(self.dpd_action),
            negotiation=Negotiation(self.negotiation),
        )


class IpsecConfig(models.Model):
    """Step 4; its fields are those of `IpsecSettings`."""

    tunnel = models.OneToOneField(
        Tunnel, on_delete=models.CASCADE, related_name="ipsec", primary_key=True
    )
    encryption = models.CharField(
        max_length=20, choices=ESP_ENCRYPTION_CHOICES, default=_IPSEC.encryption
    )
    integrity = models.CharField(
        max_length=10, choices=INTEGRITY_CHOICES, default=_IPSEC.integrity, blank=True
    )
    pfs = models.CharField(
        max_length=5, choices=[("", "Disabled"), *DH_CHOICES], default=_IPSEC.pfs, blank=True
    )
    lifetime_seconds = models.PositiveIntegerField(default=_IPSEC.lifetime_seconds)
    lifetime_kb = models.BigIntegerField(default=_IPSEC.lifetime_kb)

    def __str__(self) -> str:
        return self.settings.proposal

    @property
    def settings(self) -> IpsecSettings:
        """The row as a domain value."""
        return IpsecSettings(
            encryption=self.encryption,
            integrity=self.integrity,
            pfs=self.pfs,
            lifetime_seconds=self.lifetime_seconds,
            lifetime_kb=self.lifetime_kb,
        )
