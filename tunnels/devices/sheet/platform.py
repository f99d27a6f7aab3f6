"""The tunnel for a device that we have no file for: a sheet to read, a page to print, and JSON for programs."""

from __future__ import annotations

import json
from typing import Any

from tunnels.devices.abilities import ANYTHING
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.rendering import fill
from tunnels.devices.sheet.facts import sheet_of
from tunnels.devices.viewpoint import Side, customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.health import HealthCheck
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings

# Programs may rely on every name below this number; a change of meaning counts it up.
JSON_FORMAT = "vpn-console-tunnel/1"


def write_text(order: Order) -> str:
    """The sheet as plain text."""
    return fill("sheet/sheet.txt.j2", sheet_of(order))


def write_page(order: Order) -> str:
    """The sheet as one HTML file that prints well and loads nothing."""
    return fill("sheet/page.html.j2", sheet_of(order))


def write_json(order: Order) -> str:
    """The tunnel as JSON, ids as in our catalogue and groups as their IANA numbers."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    document = {
        "format": JSON_FORMAT,
        "written": f"{order.now:%Y-%m-%d %H:%M} UTC",
        "console_version": order.console_version,
        "tunnel": {"id": spec.id, "name": spec.name},
        "device": _side(view.device),
        "gateway": _side(view.gateway),
        "pre_shared_key": spec.psk.reveal(),
        "key_left_out": order.redacted,
        "ike": _ike(spec.ike),
        "ipsec": _ipsec(spec.ipsec),
        "mappings": [
            {"device": str(pair.local), "gateway": str(pair.remote), "from": pair.origin}
            for pair in view.pairs
        ],
        "health_check": _health(spec.health) if spec.health else None,
    }
    return json.dumps(document, indent=2) + "\n"


def _side(side: Side) -> dict[str, Any]:
    kind = "address" if side.identity.is_address else "fqdn"
    return {
        "name": side.name,
        "address": str(side.address),
        "identity": {"type": kind, "value": side.identity.text},
    }


def _ike(ike: IkeSettings) -> dict[str, Any]:
    aead = crypto.is_aead(ike.encryption)
    return {
        "version": int(ike.version),
        "mode": str(ike.mode) if ike.version is IkeVersion.V1 else None,
        "authentication": "pre-shared-key",
        "encryption": ike.encryption,
        "integrity": None if aead else ike.integrity,
        "prf": ike.prf if aead else ike.integrity,
        "dh_group": crypto.DH_GROUPS[ike.dh_group].number,
        "lifetime_seconds": ike.lifetime_seconds,
        "gateway_starts": str(ike.negotiation),
        "dpd": {"timeout_seconds": ike.dpd_timeout, "action": str(ike.dpd_action)}
        if ike.dpd_enabled
        else None,
    }


def _ipsec(ipsec: IpsecSettings) -> dict[str, Any]:
    aead = crypto.is_aead(ipsec.encryption)
    return {
        "protocol": "esp",
        "mode": "tunnel",
        "encryption": ipsec.encryption,
        "integrity": None if aead else ipsec.integrity,
        "pfs_group": crypto.DH_GROUPS[ipsec.pfs].number if ipsec.pfs else None,
        "lifetime_seconds": ipsec.lifetime_seconds,
        "lifetime_kilobytes": ipsec.lifetime_kb,
    }


def _health(health: HealthCheck) -> dict[str, Any]:
    return {
        "asked": str(health.remote),
        "asking": str(health.local),
        "interval_ms": health.interval_ms,
        "timeout_ms": health.timeout_ms,
        "threshold": health.threshold,
    }


SHEET = Platform(
    id="generic-sheet",
    vendor="Generic",
    name="Settings sheet",
    abilities={"text": ANYTHING},
    parts=(Part(filename="{tunnel_id}-settings.txt", write=write_text),),
)
PAGE = Platform(
    id="generic-page",
    vendor="Generic",
    name="Page to print",
    abilities={"HTML": ANYTHING},
    parts=(
        Part(
            filename="{tunnel_id}-settings.html",
            write=write_page,
            media_type="text/html; charset=utf-8",
        ),
    ),
)
JSON = Platform(
    id="generic-json",
    vendor="Generic",
    name="JSON for programs",
    abilities={"format 1": ANYTHING},
    parts=(
        Part(filename="{tunnel_id}-settings.json", write=write_json, media_type="application/json"),
    ),
)
PLATFORMS = (SHEET, PAGE, JSON)
