"""What the console does regularly, and when it was begun last."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone


class Chore(models.Model):
    """One regular task; its row lets one process of many do it."""

    name = models.CharField(max_length=20, primary_key=True)
    begun_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def claim(cls, name: str, *, every: timedelta) -> bool:
        """Whether the task is due and this caller is the one who does it."""
        now = timezone.now()
        if cls.objects.filter(name=name, begun_at__lte=now - every).update(begun_at=now):
            return True
        _, first = cls.objects.get_or_create(name=name, defaults={"begun_at": now})
        return first
