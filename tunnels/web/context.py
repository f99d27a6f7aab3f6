"""What every page knows: the way to the other pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True, slots=True)
class Item:
    """One page of the navigation; `current` when the open page is it or lies below it."""

    label: str
    url: str
    icon: str
    current: bool


@dataclass(frozen=True, slots=True)
class Section:
    """Pages that belong together, under a title."""

    title: str
    items: tuple[Item, ...]


# Title; then label, view, icon of Tabler, permission to see it.
SECTIONS: Final = (
    ("Connections", (("Tunnels", "tunnels:list", "route", "tunnels.view_tunnel"),)),
    (
        "Gateways",
        (
            ("VPN gateways", "tunnels:vpngateway-list", "server-2", "tunnels.view_vpngateway"),
            (
                "Customer gateways",
                "tunnels:customergateway-list",
                "building",
                "tunnels.view_customergateway",
            ),
        ),
    ),
    (
        "Networks",
        (
            ("Regions", "tunnels:region-list", "map-pin", "tunnels.view_region"),
            ("VPCs", "tunnels:vpc-list", "cloud", "tunnels.view_vpc"),
            ("CCNs", "tunnels:ccn-list", "affiliate", "tunnels.view_ccn"),
        ),
    ),
    (
        "Administration",
        (
            ("Activity", "tunnels:activity", "history", "tunnels.view_event"),
            ("Users", "tunnels:user-list", "users", "auth.view_user"),
        ),
    ),
)


def navigation(request: HttpRequest) -> tuple[Section, ...]:
    """The sections with the pages that this user may see; empty ones are left out."""
    sections = []
    for title, entries in SECTIONS:
        items = []
        for label, view, icon, permission in entries:
            url = _address(view)
            if url and request.user.has_perm(permission):
                items.append(Item(label, url, icon, current=request.path.startswith(url)))
        if items:
            sections.append(Section(title, tuple(items)))
    return tuple(sections)


def console(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `navigation`, worked out only when a template asks for it."""
    worked_out: Callable[[], tuple[Section, ...]] = cache(lambda: navigation(request))
    return {"navigation": worked_out}


def _address(view: str) -> str:
    try:
        return reverse(view)
    except NoReverseMatch:
        return ""
