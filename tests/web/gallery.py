"""Addresses for tests: the console's own, and pages that show every part of the look at once."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_POST, require_safe

from tunnels.domain.status import Word
from tunnels.web.access import reads, writes
from tunnels.web.http import HtmxHttpRequest, done, respond

TEMPLATES = Path(__file__).parent / "templates"


class GalleryForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(max_length=10, help_text="Up to 10 characters.")
    kind = forms.ChoiceField(choices=[("vpc", "VPC"), ("ccn", "CCN")])
    mode = forms.ChoiceField(
        choices=[("main", "Main"), ("aggressive", "Aggressive")],
        widget=forms.RadioSelect,
        help_text="Main hides who is asking.",
    )
    ranges = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), help_text="One a line.")
    key = forms.CharField(
        label="Pre-shared key",
        min_length=8,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="8 to 128 characters, no spaces.",
    )
    probe = forms.BooleanField(label="Health check", required=False, help_text="Pings the peer.")


def _context() -> dict[str, Any]:
    wrong = GalleryForm(
        {"name": "much-too-long", "key": "short", "kind": "vpc"}, auto_id="wrong_%s"
    )
    wrong.is_valid()
    return {
        "words": list(Word),
        "strengths": ["modern", "compatible", "insecure"],
        "levels": ["info", "success", "warning", "error"],
        "tags": {"env": "production", "team": "network", "critical": ""},
        "at": datetime.datetime(2026, 3, 1, 12, 30, tzinfo=datetime.UTC),
        "form": GalleryForm(auto_id="fresh_%s"),
        "wrong": wrong,
        "address": "203.0.113.10",
        "rows": range(3),
    }


@require_safe
@reads()
def gallery(request: HtmxHttpRequest) -> HttpResponse:
    """Every part, or only the rows."""
    messages.success(request, "The tunnel was created.")
    return respond(request, "gallery/parts.html", _context(), partial="rows")


@require_safe
@reads()
def form(request: HtmxHttpRequest) -> HttpResponse:
    """An empty form."""
    return respond(request, "gallery/form.html", {"form": GalleryForm()}, partial="dialog")


@require_POST
@writes("tunnels.change_tunnel")
def save(request: HtmxHttpRequest) -> HttpResponse:
    """The form with its mistakes, or done."""
    sent = GalleryForm(request.POST)
    if not sent.is_valid():
        return respond(request, "gallery/form.html", {"form": sent}, partial="dialog", status=422)
    messages.success(request, "It was saved.")
    return done(request, "gallery", event="rows-changed")


@require_safe
@reads()
def remove(request: HtmxHttpRequest) -> HttpResponse:
    """A question that asks for the name."""
    return respond(request, "gallery/remove.html", {"name": "idc-shanghai"}, partial="dialog")


def refused(request: HttpRequest) -> HttpResponse:
    """What a refusal looks like."""
    raise PermissionDenied("This needs the role admin; ask an administrator.")


def broken(request: HttpRequest) -> HttpResponse:
    """What a mistake of ours looks like."""
    raise RuntimeError("on purpose")


urlpatterns = [
    path("gallery/", gallery, name="gallery"),
    path("gallery/form/", form, name="gallery-form"),
    path("gallery/save/", save, name="gallery-save"),
    path("gallery/remove/", remove, name="gallery-remove"),
    path("gallery/refused/", refused, name="gallery-refused"),
    path("gallery/broken/", broken, name="gallery-broken"),
    path("", include("vpnconsole.urls")),
]
