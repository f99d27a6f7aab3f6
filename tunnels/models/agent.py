"""What the console knows of the agent beside each VPN gateway."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

from tunnels.models.gateway import VpnGateway

ENROLMENT_LIFETIME = timedelta(hours=24)


class GatewayAgent(models.Model):
    """The agent of one gateway: how it proves who it is, and what it last said of itself.

    Tokens are kept as SHA-256 digests: they are random and long, so nothing slower is needed. `enrol_hash` is a
    one-time token that the agent exchanges for its own.
    """

    vpn_gateway = models.OneToOneField(
        VpnGateway, on_delete=models.CASCADE, related_name="agent", primary_key=True
    )
    # NULL, not "": only then may several gateways have no token and the column still be unique.
    token_hash = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001
    enrol_hash = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001
    enrol_expires = models.DateTimeField(null=True)
    enrolled_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    agent_version = models.CharField(max_length=40, blank=True)
    charon_version = models.CharField(max_length=40, blank=True)
    plugins = models.JSONField(default=list)
    boot_id = models.CharField(max_length=64, blank=True)
    clock_skew_seconds = models.FloatField(null=True)
    vici_error = models.TextField(blank=True)
    refused_plan = models.TextField(blank=True)
    foreign = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    seen_revision = models.BigIntegerField(default=0)
    log_stream = models.CharField(max_length=64, blank=True)
    log_epoch = models.PositiveIntegerField(default=0)
    log_cursor = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "agent"

    def __str__(self) -> str:
        return f"agent of {self.vpn_gateway_id}"

    @property
    def enrolled(self) -> bool:
        """Whether an agent has a token that is still good."""
        return self.token_hash is not None


class LogLine(models.Model):
    """One line of a gateway's charon log, exactly once: (gateway, epoch, cursor) is unique.

    An epoch is the life of one numbering: an agent that lost its files starts again at 1 in the next epoch.
    `tunnel_ref` is the readable id of the tunnel it belongs to, "" when it belongs to none; the line outlives it.
    `at` is when charon wrote it, `stored_at` when it came here. `level` is charon's (how detailed), `severity` ours.
    """

    vpn_gateway = models.ForeignKey(VpnGateway, on_delete=models.CASCADE, related_name="log_lines")
    epoch = models.PositiveIntegerField()
    cursor = models.BigIntegerField()
    at = models.DateTimeField()
    tunnel_ref = models.CharField(max_length=24, blank=True)
    stored_at = models.DateTimeField(default=timezone.now)
    group = models.CharField(max_length=8)
    level = models.SmallIntegerField()
    severity = models.CharField(max_length=8)
    text = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["vpn_gateway", "epoch", "cursor"], name="log_line_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tunnel_ref", "-at", "-id"], name="log_by_tunnel"),
            models.Index(fields=["tunnel_ref", "stored_at", "id"], name="log_by_arrival"),
            models.Index(fields=["stored_at"], name="log_by_age"),
        ]

    def __str__(self) -> str:
        return self.text


class Sample(models.Model):
    """The counters of one tunnel at one moment, accumulated since it was created."""

    tunnel = models.ForeignKey("tunnels.Tunnel", on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField(default=timezone.now)
    bytes_in = models.BigIntegerField()
    bytes_out = models.BigIntegerField()
    packets_in = models.BigIntegerField()
    packets_out = models.BigIntegerField()
    mappings_up = models.PositiveIntegerField()
    rtt_ms = models.FloatField(null=True)
    loss = models.FloatField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["tunnel", "-at"], name="sample_newest"),
            models.Index(fields=["at"], name="sample_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.bytes_in}/{self.bytes_out}"
