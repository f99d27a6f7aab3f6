"""The filters of the activity page, all of them in the address."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from tunnels.models import Event

RANGES: Final = MappingProxyType(
    {
        "1h": timedelta(hours=1),
        "24h": timedelta(hours=24),
        "7d": timedelta(days=7),
        "30d": timedelta(days=30),
    }
)
_RANGE_CHOICES: Final = (
    ("", "All of it"),
    ("1h", "Last hour"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
)


def _words(label: str, placeholder: str) -> forms.CharField:
    widget = forms.TextInput(
        attrs={"type": "search", "placeholder": placeholder, "autocomplete": "off"}
    )
    return forms.CharField(label=label, required=False, max_length=200, widget=widget)


def _moment(label: str) -> forms.DateTimeField:
    # Without JavaScript nobody knows the reader's time zone, so these two are in UTC.
    return forms.DateTimeField(
        label=label,
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        error_messages={"invalid": "Enter a date and a time, such as 2026-03-01T12:30."},
    )


class ActivityFilter(forms.Form):
    """What to show; an empty field, or one with a mistake, lets everything through."""

    text = _words("Text", "Words of the message")
    actor = _words("Who", "User name")
    action = _words("Action", "Such as tunnel-reset")
    target = _words("What", "Name or id")
    range = forms.ChoiceField(label="Time", choices=_RANGE_CHOICES, required=False)
    start = _moment("From (UTC)")
    end = _moment("To (UTC)")

    def clean(self) -> dict[str, Any]:
        """Refuse a range that ends before it begins."""
        values: dict[str, Any] = super().clean() or {}
        start, end = values.get("start"), values.get("end")
        if start and end and end <= start:
            self.add_error("end", "This is not after the beginning; choose a later time.")
        return values

    def apply(self, events: QuerySet[Event]) -> QuerySet[Event]:
        """The events that pass; call `is_valid` first."""
        values = self.cleaned_data
        if values.get("text"):
            events = events.filter(message__icontains=values["text"])
        if values.get("actor"):
            events = events.filter(actor_name__iexact=values["actor"])
        if values.get("action"):
            events = events.filter(action__icontains=values["action"])
        if values.get("target"):
            words = values["target"]
            events = events.filter(Q(target_id=words) | Q(target_name__icontains=words))
        if values.get("range"):
            events = events.filter(at__gte=timezone.now() - RANGES[values["range"]])
        if values.get("start"):
            events = events.filter(at__gte=values["start"])
        if values.get("end"):
            events = events.filter(at__lt=values["end"])
        return events
