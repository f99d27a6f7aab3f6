"""What was observed of tunnels, and what people did to everything."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from tunnels.domain.status import (
    Facts,
    Health,
    Intent,
    Phase1,
    Provisioning,
    Word,
    is_connected,
    status_word,
)
from tunnels.models.tunnel import Tunnel


class TunnelState(models.Model):
    """What the gateway last said of one tunnel; its own table because it is written all the time.

    `word` is kept beside the facts so that lists can filter and sort by it; `refresh` is its only writer.
    """

    tunnel = models.OneToOneField(
        Tunnel, on_delete=models.CASCADE, related_name="state", primary_key=True
    )
    provisioning = models.CharField(
        max_length=8,
        choices=[(p.value, p.value) for p in Provisioning],
        default=Provisioning.PENDING.value,
    )
    applied_revision = models.BigIntegerField(default=0)
    failure = models.TextField(blank=True)
    resets_done = models.PositiveIntegerField(default=0)
    phase1 = models.CharField(
        max_length=12, choices=[(p.value, p.value) for p in Phase1], default=Phase1.NONE.value
    )
    mappings_up = models.PositiveIntegerField(default=0)
    mappings_total = models.PositiveIntegerField(default=0)
    health = models.CharField(
        max_length=10, choices=[(h.value, h.value) for h in Health], default=Health.OFF.value
    )
    rtt_ms = models.FloatField(null=True)
    loss = models.FloatField(null=True)
    word = models.CharField(
        max_length=12, choices=[(w.value, w.value) for w in Word], default=Word.PROVISIONING.value
    )
    # What each pair was last seen as (contract.MappingReport), and how the last reset went (contract.ResetReport).
    pairs = models.JSONField(default=list)
    reset_report = models.JSONField(null=True)
    reset_at = models.DateTimeField(null=True)
    established_at = models.DateTimeField(null=True)
    nat = models.BooleanField(default=False)
    # During a rotation: the key that the gateway signs with (contract.TunnelReport.signing).
    signing = models.CharField(max_length=8, default="current")
    # During a rotation: since when the gateway has both keys. And when the two ends last authenticated each other.
    both_keys_at = models.DateTimeField(null=True)
    authenticated_at = models.DateTimeField(null=True)
    # Since when the gateway has the applied revision; and why the tunnel is not up (services.diagnosis).
    applied_at = models.DateTimeField(null=True)
    cause = models.JSONField(null=True)
    sampled_at = models.DateTimeField(null=True)
    observed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["word", "tunnel"], name="state_word")]

    def __str__(self) -> str:
        return f"{self.word} {self.mappings_up}/{self.mappings_total}"

    def refresh(self, *, intent: str) -> None:
        """Work out `word` from the facts and stamp the row; the caller saves it."""
        facts = Facts(
            intent=Intent(intent),
            provisioning=Provisioning(self.provisioning),
            phase1=Phase1(self.phase1),
            up=self.mappings_up,
            total=self.mappings_total,
        )
        self.word = status_word(facts).value
        self.updated_at = timezone.now()

    @property
    def connected(self) -> bool:
        """Whether traffic could flow when it was last observed."""
        return self.mappings_up > 0 or is_connected(Word(self.word))


class Event(models.Model):
    """Something that somebody did, or that the console noticed. Append-only; it never holds a secret.

    Targets are kept by their readable id, so that events outlive what they tell of. `before` and `after`
    hold only the fields that changed.
    """

    class Level(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"

    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=40)
    level = models.CharField(max_length=8, choices=Level, default=Level.INFO)
    subsystem = models.CharField(max_length=12, default="console")
    target_kind = models.CharField(max_length=24)
    target_id = models.CharField(max_length=150)
    target_name = models.CharField(max_length=150)
    message = models.TextField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["target_id", "-at", "-id"], name="event_by_target"),
            models.Index(fields=["-at", "-id"], name="event_newest_first"),
        ]

    def __str__(self) -> str:
        return self.message
