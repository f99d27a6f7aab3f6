"""What an event changed, for people: a name, the value before, the value after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from tunnels.domain import crypto

_LABELS: Final = MappingProxyType(
    {
        "psk": "Pre-shared key",
        "version": "IKE version",
        "vpn_gateway": "VPN gateway",
        "dh_group": "DH group",
        "pfs": "PFS",
        "prf": "PRF",
        "lifetime_seconds": "Lifetime (s)",
        "lifetime_kb": "Lifetime (KB)",
        "local_fqdn": "VPN gateway identifier",
        "remote_fqdn": "Customer gateway identifier",
        "dpd_enabled": "Dead peer detection",
        "dpd_timeout": "DPD timeout (s)",
        "dpd_action": "DPD action",
        "cidrs": "CIDR blocks",
        "public_ip": "Public IP",
    }
)
_TABLES: Final = MappingProxyType(
    {
        "encryption": crypto.ENCRYPTION,
        "integrity": crypto.INTEGRITY,
        "prf": crypto.PRF,
        "dh_group": crypto.DH_GROUPS,
        "pfs": crypto.DH_GROUPS,
    }
)
_EMPTY: Final = MappingProxyType(
    {"pfs": "off", "local_fqdn": "IP address", "remote_fqdn": "IP address"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field; a side that has no value is ""."""

    label: str
    before: str
    after: str


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The fields of both sides in their order."""
    return [
        Change(
            label=_LABELS.get(name) or f"{name[:1].upper()}{name[1:].replace('_', ' ')}",
            before=_shown(name, before.get(name)),
            after=_shown(name, after.get(name)),
        )
        for name in {**before, **after}
    ]


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    text = str(value)
    known = _TABLES.get(name, {}).get(text)
    return known.label if known else text or _EMPTY.get(name, "none")
