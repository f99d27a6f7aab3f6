"""The filters of the log, all of them in the address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from django import forms

from tunnels.models import Event
from tunnels.models.logbook import Query

RANGES: Final = MappingProxyType(
    {
        "1h": timedelta(hours=1),
        "6h": timedelta(hours=6),
        "24h": timedelta(hours=24),
        "7d": timedelta(days=7),
    }
)
CUSTOM: Final = "custom"
NEWEST: Final = "newest"
FOLLOW: Final = "follow"

_RANGE_CHOICES: Final = (
    ("", "All of it"),
    ("1h", "Last hour"),
    ("6h", "Last 6 hours"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    (CUSTOM, "From … to"),
)
_LEVEL_CHOICES: Final = (
    ("", "All levels"),
    (Event.Level.WARNING.value, "Warnings and errors"),
    (Event.Level.ERROR.value, "Errors only"),
)


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "form-select"})


def _moment(label: str) -> forms.DateTimeField:
    # A browser without JavaScript cannot tell its time zone, so these two are in UTC.
    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local", "class": "form-control"}, format="%Y-%m-%dT%H:%M"
    )
    formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    message = "Enter a date and a time, such as 2026-03-01T12:30."
    return forms.DateTimeField(
        label=label,
        required=False,
        widget=widget,
        input_formats=formats,
        error_messages={"invalid": message},
    )


class LogFilter(forms.Form):
    """What to show. Every field may be empty; `from` and `to` count only with the custom range."""

    # Names of addresses, and one of them is a word of Python.
    range = forms.ChoiceField(
        label="Time", choices=_RANGE_CHOICES, required=False, widget=_select()
    )
    start = _moment("From (UTC)")
    end = _moment("To (UTC)")
    level = forms.ChoiceField(
        label="Level", choices=_LEVEL_CHOICES, required=False, widget=_select()
    )
    subsystem = forms.ChoiceField(label="Source", required=False, widget=_select())
    text = forms.CharField(
        label="Text",
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": "Message or user", "class": "form-control"}
        ),
    )
    view = forms.ChoiceField(
        choices=((NEWEST, "Newest first"), (FOLLOW, "Follow")),
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, subsystems: list[str], **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "log-%s")
        super().__init__(*args, **kwargs)
        source = self.fields["subsystem"]
        if isinstance(source, forms.ChoiceField):
            source.choices = [("", "All sources"), *((name, name) for name in subsystems)]

    def clean(self) -> dict[str, Any]:
        """Refuse a range that ends before it begins."""
        values: dict[str, Any] = super().clean() or {}
        start, end = values.get("start"), values.get("end")
        if values.get("range") == CUSTOM and start and end and end <= start:
            self.add_error("end", "This is not after the beginning; choose a later time.")
        return values

    @property
    def follows(self) -> bool:
        """Whether new lines are to appear by themselves."""
        return bool(self.cleaned_data.get("view") == FOLLOW)

    @property
    def filters(self) -> bool:
        """Whether anything may be left out."""
        return any(self.cleaned_data.get(name) for name in ("range", "level", "subsystem", "text"))

    def query(self, target: str, *, now: datetime) -> Query:
        """The entries of `target` that pass; a field with a mistake lets everything through."""
        values = self.cleaned_data
        chosen = values.get("range", "")
        since, until = None, None
        if chosen == CUSTOM:
            since, until = _utc(values.get("start")), _utc(values.get("end"))
        elif chosen:
            since = now - RANGES[chosen]
        return Query(
            target=target,
            since=since,
            until=until,
            level=values.get("level", ""),
            subsystem=values.get("subsystem", ""),
            text=values.get("text", ""),
        )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
