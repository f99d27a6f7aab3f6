"""A reader of the PAN-OS commands of a tunnel, written from Palo Alto Networks' manuals and not from our writer.

PAN-OS Administrator's Guide, Set Up Site-to-Site VPN (IKE gateway, crypto profiles, tunnel, proxy IDs, tunnel monitor)
and Static Routes; PAN-OS CLI Quick Start (one command a line, values with blanks between double quotes, lists in
brackets, scripting mode). What is pasted begins with `set cli scripting-mode on`; above it is only the heading.
Whatever is no such command is an error, and so is one that is missing, stands twice, or names what is not there yet:
PAN-OS looks references up as they are typed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.devices.paloalto_panos.statements import (
    BEFORE,
    MAY,
    MAY_PAIRED,
    MONITOR,
    PAIRED,
    PATTERNS,
    PROBE,
    STATEMENTS,
)
from tests.devices.understood import BadFileError, Understood

# It begins when there is traffic, whoever waits.
SILENT: frozenset[str] = frozenset({"starts"})

_CIPHERS = {
    **{f"aes-{bits}-cbc": f"aes-{bits}" for bits in (128, 192, 256)},
    **{f"aes-{bits}-gcm": f"aes-{bits}-gcm" for bits in (128, 256)},
    "3des": "3des",
    "des": "des",
}
_HASHES = {
    "md5": "md5", "sha1": "sha1", "sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512",
}  # fmt: skip
_GROUPS = {f"group{number}": f"dh{number}" for number in (1, 2, 5, 14, 15, 16, 19, 20, 21)}
_SECONDS = {
    "days": (86_400, 365),
    "hours": (3_600, 65_535),
    "minutes": (60, 65_535),
    "seconds": (1, 65_535),
}
_KILOBYTES = {"kb": (1, 65_535), "mb": (1_024, 65_535), "gb": (1_024**2, 65_535)}


@dataclass(slots=True)
class _Found:
    """The commands of a file: `single` by their keys, `pairs` by number and key, and all keys in their order."""

    single: dict[str, dict[str, str]] = field(default_factory=dict)
    pairs: dict[int, dict[str, dict[str, str]]] = field(default_factory=dict)
    order: list[tuple[str, int]] = field(default_factory=list)

    def value(self, key: str) -> str:
        return self.single[key]["value"]

    def every(self, group: str) -> set[str]:
        """All that was said of a group, such as `zone`, by all commands."""
        said = [
            *self.single.values(),
            *(one for pair in self.pairs.values() for one in pair.values()),
        ]
        return {one[group] for one in said if group in one}


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What a firewall would understand of the lines that are to be pasted. Raises BadFileError."""
    if platform_id != "paloalto-panos":
        raise BadFileError(f"this is no reader for {platform_id}")
    try:
        [text] = files.values()
        found = _statements(text)
        _consistent(found)
        _ranges_agree(found)
        return _understood(found)
    except (KeyError, ValueError) as error:
        raise BadFileError(str(error)) from error


def _statements(text: str) -> _Found:
    found, pasting = _Found(), False
    for line in text.split("\n"):
        if not (line.isprintable() and line.isascii()):
            raise BadFileError(f"more than visible ASCII: {line!r}")
        pasting = pasting or not (line.startswith("#") or not line)
        if pasting and line:
            _take(found, line)
    missing = STATEMENTS.keys() - PAIRED - MAY_PAIRED - MAY - found.single.keys()
    for pair in found.pairs.values():
        missing |= PAIRED - pair.keys()
    if missing or not found.pairs or sorted(found.pairs) != list(range(1, len(found.pairs) + 1)):
        raise BadFileError(f"missing: {sorted(missing)}, pairs {sorted(found.pairs)}")
    for earlier, later in BEFORE:
        for number in (0, *found.pairs):
            if (later, number) in found.order:
                first = (earlier, number) if (earlier, number) in found.order else (earlier, 0)
                if found.order.index(first) > found.order.index((later, number)):
                    raise BadFileError(f"{later} stands before {earlier}")
    return found


def _take(found: _Found, line: str) -> None:
    for key, pattern in PATTERNS.items():
        match = pattern.fullmatch(line)
        if match:
            said = {group: text or "" for group, text in match.groupdict().items()}
            number = int(said.get("pair", "0"))
            into = found.pairs.setdefault(number, {}) if number else found.single
            if key in into:
                raise BadFileError(f"twice: {line}")
            into[key] = said
            found.order.append((key, number))
            return
    raise BadFileError(f"unknown: {line!r}")


def _consistent(found: _Found) -> None:
    """Names lead to what they name; interface, zones, router and virtual system are the same throughout."""
    single = found.single
    [name] = found.every("name")
    for group in ("tunnel", "router", "vsys"):
        if len(found.every(group)) != 1:
            raise BadFileError(f"more than one {group}: {found.every(group)}")
    _same(
        "profiles and gateway",
        name,
        *(found.value(key) for key in ("profile", "gateway", "esp_profile")),
    )
    if not re.fullmatch(
        r"(ethernet\d+/\d+|ae\d+|vlan|loopback)(\.\d+)?", found.value("outside"), re.ASCII
    ):
        raise BadFileError("no interface")
    _same("IKE version", found.value("version"), *(
        single[key]["second"] for key in ("profile", "dpd", "dpd_interval") if key in single
    ))  # fmt: skip
    for pair in found.pairs.values():
        for key in ("out", "in", "nat"):
            if key in pair:
                _same("VPN zone", pair[key]["other"], single["zone"]["zone"])
                _same("inside zone", pair[key]["zone"], found.pairs[1]["out"]["zone"])
    outer6 = ipaddress.ip_address(found.value("peer")).version == 6
    inner6 = any(":" in pair["local"]["value"] for pair in found.pairs.values())
    if not (outer6 == ("gateway_ipv6" in single) == ("tunnel_ipv6" in single)) or inner6 != (
        "unit_ipv6" in single
    ):
        raise BadFileError("IPv6 is not switched on, or for nothing")
    _probe(found, name)
    if not 1280 <= int(found.value("mtu")) <= 1440:
        raise BadFileError("MTU")


def _probe(found: _Found, name: str) -> None:
    single = found.single
    own = {"unit_ip", "unit_ip6"} & single.keys()
    if (PROBE & single.keys() not in (set(), PROBE)) or bool(own) != ("ping" in single):
        raise BadFileError("half a health check")
    if not own:
        if MONITOR & single.keys():
            raise BadFileError("a monitor without an address to ask from")
        return
    [key] = own
    asked = ipaddress.ip_interface(found.value(key)).ip
    asking = ipaddress.ip_address(found.value("permitted"))
    _same("profile of the interface", found.value("answering"), name)
    _same("who asks", str(asking), single["ping_rule"]["value"])
    _same("who is asked", str(asked), single["ping_rule"]["second"])
    _same("VPN zone", single["ping_rule"]["zone"], single["zone"]["zone"])
    if MONITOR & single.keys():
        _same("monitored", found.value("monitored"), str(asking))
        pair = found.pairs[int(found.value("monitor_proxy").removeprefix(f"{name}-"))]
        inside = asked in ipaddress.ip_network(pair["local"]["value"])
        if (
            MONITOR - single.keys()
            or not inside
            or asking not in ipaddress.ip_network(pair["remote"]["value"])
        ):
            raise BadFileError("half a monitor, or the wrong proxy ID")


def _ranges_agree(found: _Found) -> None:
    """Proxy IDs, rules and NAT rules speak of the same ranges; each range of the gateway has one route."""
    routes = []
    for pair in found.pairs.values():
        local, remote = _prefix(pair["local"]["value"]), _prefix(pair["remote"]["value"])
        for key in ("out", "in", "nat"):
            if key in pair:
                _same(f"ranges of {key}", pair[key]["value"], local)
                _same(f"ranges of {key}", pair[key]["second"], remote)
        version = ipaddress.ip_network(local).version
        word = {4: "proxy-id", 6: "proxy-id-v6"}[version]
        _same("proxy ID", word, *(pair[key]["second"] for key in ("local", "remote", "protocol")))
        if {"nat", "nat_top"} & pair.keys() != ({"nat", "nat_top"} if version == 4 else set()):
            raise BadFileError("IPv4 is exempted from NAT, and moved to the top")
        if "route" in pair:
            _same("route", pair["route"]["value"], remote)
            _same("table", pair["route"]["second"], {4: "ip", 6: "ipv6"}[version])
            routes.append(remote)
    if sorted(routes) != sorted({pair["remote"]["value"] for pair in found.pairs.values()}):
        raise BadFileError(f"routes: {routes}")


def _same(what: str, *values: str) -> None:
    if len(set(values)) != 1:
        raise BadFileError(f"{what}: {sorted(set(values))}")


def _understood(found: _Found) -> Understood:
    single = found.single
    version = {"ikev1": 1, "ikev2": 2}[found.value("version")]
    ike, esp = _CIPHERS[found.value("ike_encryption")], _CIPHERS[found.value("esp_encryption")]
    ike_aead, esp_aead = ike.endswith("gcm"), esp.endswith("gcm")
    if (version == 1) != ("mode" in single) or (version == 1 and ike_aead):
        raise BadFileError("a mode is for IKEv1, GCM in IKE for IKEv2")
    if ike_aead != (found.value("ike_hash") == "non-auth") or esp_aead != (
        found.value("esp_hash") == "none"
    ):
        raise BadFileError("a hash beside GCM, or none without")
    group, pfs = _GROUPS[found.value("ike_group")], found.value("esp_group")
    peer = str(ipaddress.ip_address(found.value("peer")))
    ends = {single["ike_rule"]["value"], single["ike_rule"]["second"]}
    [own] = ends - {peer}
    return Understood(
        version=version,
        mode={"main": "main", "aggressive": "aggressive"}[found.value("mode")]
        if version == 1
        else None,
        ike_encryption=ike,
        ike_integrity=None if ike_aead else _HASHES[found.value("ike_hash")],
        ike_prf=_implied(group) if ike_aead else None,
        ike_dh=group,
        ike_seconds=_amount(single["ike_lifetime"], _SECONDS, least=180),
        esp_encryption=esp,
        esp_integrity=None if esp_aead else _HASHES[found.value("esp_hash")],
        pfs="" if pfs == "no-pfs" else _GROUPS[pfs],
        esp_seconds=_amount(single["esp_lifetime"], _SECONDS, least=180),
        esp_kb=_amount(single["esp_lifesize"], _KILOBYTES, least=1),
        local_address=str(ipaddress.ip_address(own)),
        remote_address=peer,
        local_identity=_identity(found.value("local_type"), found.value("local_id")),
        remote_identity=_identity(found.value("peer_type"), found.value("peer_id")),
        psk=_key(found.value("key")),
        pairs=tuple(
            sorted(
                (pair["local"]["value"], pair["remote"]["value"]) for pair in found.pairs.values()
            )
        ),
        dpd=_dpd(found, version),
    )


def _implied(group: str) -> str:
    """Define IKE Crypto Profiles: beside GCM, up to group 19 sha256, with group 20 sha384."""
    number = int(group.removeprefix("dh"))
    if number > 20:
        raise BadFileError(f"which PRF goes with {group} is not documented")
    return "sha2-384" if number == 20 else "sha2-256"


def _dpd(found: _Found, version: int) -> bool:
    on = {"yes": True, "no": False}[found.value("dpd")]
    wanted = {"dpd_interval", "dpd_retry"} if version == 1 else {"dpd_interval"}
    if {"dpd_interval", "dpd_retry"} & found.single.keys() != (wanted if on else set()):
        raise BadFileError("DPD by halves")
    for key in wanted if on else ():
        if not 2 <= int(found.value(key)) <= 100:
            raise BadFileError(f"{key} is not from 2 to 100")
    return on


def _amount(said: Mapping[str, str], units: Mapping[str, tuple[int, int]], *, least: int) -> int:
    size, most = units[said["second"]]
    if not re.fullmatch("[1-9][0-9]{0,4}", said["value"]) or int(said["value"]) > most:
        raise BadFileError(f"{said['value']} {said['second']}")
    if int(said["value"]) * size < least:
        raise BadFileError(f"less than {least}")
    return int(said["value"]) * size


def _identity(kind: str, text: str) -> str:
    if kind == "ipaddr":
        return str(ipaddress.ip_address(text))
    if kind != "fqdn" or not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", text):
        raise BadFileError(f"no identity: {kind} {text}")
    return text


def _key(text: str) -> str:
    key = text[1:-1] if text.startswith('"') else text
    if key.startswith("-AQ==") or not 1 <= len(key) <= 255:
        raise BadFileError("PAN-OS would take this key as encrypted, or too long")
    return key


def _prefix(text: str) -> str:
    if "/" not in text or str(ipaddress.ip_network(text)) != text:
        raise BadFileError(f"no range: {text}")
    return text
