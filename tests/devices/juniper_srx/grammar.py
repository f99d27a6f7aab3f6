"""A reader of the Junos `set` commands of a tunnel, written from Juniper's manuals and not from our writer.

Junos IPsec VPN User Guide (Traffic Selectors in Route-Based VPNs), Security Policies User Guide (address books and
policies), NAT User Guide (source NAT rules without translation), CLI User Guide (load set: one command a line, comments
behind #, quoted strings). Whatever is not one of these statements is an error, and so is one that is missing or stands
twice.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.devices.understood import BadFileError, Understood

SILENT: frozenset[str] = frozenset()

_PIECES = {
    "NAME": r"(?P<name>vpnx-[0-9a-z]{8})",
    "SAME": r"vpnx-[0-9a-z]{8}",
    "PAIR": r"(?P<name>vpnx-[0-9a-z]{8})-(?P<pair>[1-9][0-9]{0,2})",
    "VALUE": r"(?P<value>[^\s\"]+)",
    "SECOND": r"(?P<second>[^\s\"]+)",
    "STRING": r"\"(?P<value>[^\"\\]+)\"",
    "ZONE": r"(?P<zone>[A-Za-z0-9][A-Za-z0-9_-]{0,62})",
    "OTHER": r"(?P<other>[A-Za-z0-9][A-Za-z0-9_-]{0,62})",
    "UNIT": r"(?P<unit>[0-9]{1,5})",
}
# Statements that stand once, those in _MAY at most once.
_ONCE = {
    "method": "security ike proposal NAME authentication-method pre-shared-keys",
    "ike_dh": "security ike proposal NAME dh-group VALUE",
    "ike_encryption": "security ike proposal NAME encryption-algorithm VALUE",
    "ike_seconds": "security ike proposal NAME lifetime-seconds VALUE",
    "ike_proposals": "security ike policy NAME proposals VALUE",
    "ike_policy": "security ike gateway NAME ike-policy VALUE",
    "remote_address": "security ike gateway NAME address VALUE",
    "version": "security ike gateway NAME version VALUE",
    "local_identity": "security ike gateway NAME local-identity SECOND VALUE",
    "remote_identity": "security ike gateway NAME remote-identity SECOND VALUE",
    "outside": "security ike gateway NAME external-interface VALUE",
    "local_address": "security ike gateway NAME local-address VALUE",
    "protocol": "security ipsec proposal NAME protocol esp",
    "esp_encryption": "security ipsec proposal NAME encryption-algorithm VALUE",
    "esp_seconds": "security ipsec proposal NAME lifetime-seconds VALUE",
    "esp_proposals": "security ipsec policy NAME proposals VALUE",
    "bind": "security ipsec vpn NAME bind-interface st0.UNIT",
    "gateway": "security ipsec vpn NAME ike gateway VALUE",
    "esp_policy": "security ipsec vpn NAME ike ipsec-policy VALUE",
    "establish": "security ipsec vpn NAME establish-tunnels VALUE",
    "ike_inbound": "security zones security-zone ZONE host-inbound-traffic system-services ike",
    "zone": "security zones security-zone ZONE interfaces st0.UNIT",
    "mss": "security flow tcp-mss ipsec-vpn mss VALUE",
    "nat_from": "security nat source rule-set NAME from zone ZONE",
    "nat_to": "security nat source rule-set NAME to zone ZONE",
}
_MAY = {
    "ike_integrity": "security ike proposal NAME authentication-algorithm VALUE",
    "mode": "security ike policy NAME mode VALUE",
    "key": "security ike policy NAME pre-shared-key ascii-text STRING",
    "hex_key": "security ike policy NAME pre-shared-key hexadecimal VALUE",
    "dpd": "security ike gateway NAME dead-peer-detection always-send",
    "dpd_interval": "security ike gateway NAME dead-peer-detection interval VALUE",
    "dpd_threshold": "security ike gateway NAME dead-peer-detection threshold VALUE",
    "esp_integrity": "security ipsec proposal NAME authentication-algorithm VALUE",
    "esp_kb": "security ipsec proposal NAME lifetime-kilobytes VALUE",
    "pfs": "security ipsec policy NAME perfect-forward-secrecy keys VALUE",
    "inet": "interfaces st0 unit UNIT family inet",
    "inet6": "interfaces st0 unit UNIT family inet6",
    "st0_address": "interfaces st0 unit UNIT family SECOND address VALUE",
    "ping": "security zones security-zone ZONE interfaces st0.UNIT host-inbound-traffic system-services ping",
}
# Statements that stand once for each pair.
_PAIR = {
    "local": "security ipsec vpn SAME traffic-selector PAIR local-ip VALUE",
    "remote": "security ipsec vpn SAME traffic-selector PAIR remote-ip VALUE",
    "book_local": "security address-book global address PAIR-local VALUE",
    "book_remote": "security address-book global address PAIR-remote VALUE",
    "out_source": "security policies from-zone ZONE to-zone OTHER policy PAIR-out match source-address VALUE",
    "out_destination": "security policies from-zone ZONE to-zone OTHER policy PAIR-out match destination-address VALUE",
    "out_application": "security policies from-zone ZONE to-zone OTHER policy PAIR-out match application any",
    "out_then": "security policies from-zone ZONE to-zone OTHER policy PAIR-out then permit",
    "in_source": "security policies from-zone OTHER to-zone ZONE policy PAIR-in match source-address VALUE",
    "in_destination": "security policies from-zone OTHER to-zone ZONE policy PAIR-in match destination-address VALUE",
    "in_application": "security policies from-zone OTHER to-zone ZONE policy PAIR-in match application any",
    "in_then": "security policies from-zone OTHER to-zone ZONE policy PAIR-in then permit",
    "nat_source": "security nat source rule-set SAME rule PAIR match source-address VALUE",
    "nat_destination": "security nat source rule-set SAME rule PAIR match destination-address VALUE",
    "nat_off": "security nat source rule-set SAME rule PAIR then source-nat off",
}

_CIPHERS = {
    **{f"aes-{bits}-cbc": f"aes-{bits}" for bits in (128, 192, 256)},
    **{f"aes-{bits}-gcm": f"aes-{bits}-gcm" for bits in (128, 256)},
    "3des-cbc": "3des",
    "des-cbc": "des",
    "chacha20-poly1305": "chacha20-poly1305",
}
_IKE_HASHES = {
    "md5": "md5", "sha1": "sha1", "sha-256": "sha2-256", "sha-384": "sha2-384", "sha-512": "sha2-512",
}  # fmt: skip
_ESP_HASHES = {
    "hmac-md5-96": "md5", "hmac-sha1-96": "sha1", "hmac-sha-256-128": "sha2-256", "hmac-sha-384": "sha2-384",
    "hmac-sha-512": "sha2-512",
}  # fmt: skip
_GROUPS = {f"group{number}": f"dh{number}" for number in (1, 2, 5, 14, 15, 16, 19, 20, 21, 24)}
_AEADS = {"aes-128-gcm": "sha2-256", "aes-256-gcm": "sha2-384", "chacha20-poly1305": None}
_MODES = {"main": "main", "aggressive": "aggressive"}


def _compiled(statements: Mapping[str, str]) -> Mapping[str, re.Pattern[str]]:
    pieces = re.compile("|".join(_PIECES))
    return {
        key: re.compile(
            pieces.sub(lambda found: _PIECES[found[0]], f"set {text}".replace(".", r"\.")), re.ASCII
        )
        for key, text in statements.items()
    }


_SINGLE = _compiled({**_ONCE, **_MAY})
_NUMBERED = _compiled(_PAIR)


@dataclass(slots=True)
class _Found:
    """The statements of a file: `single` by their keys, `pairs` by number and key."""

    single: dict[str, dict[str, str]] = field(default_factory=dict)
    pairs: dict[int, dict[str, dict[str, str]]] = field(default_factory=dict)

    def value(self, key: str) -> str:
        return self.single[key]["value"]

    def everything(self) -> list[dict[str, str]]:
        return [
            *self.single.values(),
            *(one for pair in self.pairs.values() for one in pair.values()),
        ]


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What an SRX would understand. Raises BadFileError."""
    if platform_id != "juniper-srx":
        raise BadFileError(f"this is no reader for {platform_id}")
    try:
        [text] = files.values()
        found = _statements(text)
        _consistent(found)
        return _understood(found)
    except (KeyError, ValueError) as error:
        raise BadFileError(str(error)) from error


def _statements(text: str) -> _Found:
    found = _Found()
    for line in text.split("\n"):
        if not (line.isprintable() and line.isascii()):
            raise BadFileError(f"more than visible ASCII: {line!r}")
        if line and not line.startswith("#"):
            _take(found, line)
    missing = set(_ONCE) - set(found.single)
    for pair in found.pairs.values():
        missing |= set(_PAIR) - set(pair)
    if missing or list(found.pairs) != list(range(1, len(found.pairs) + 1)) or not found.pairs:
        raise BadFileError(f"missing: {sorted(missing)}, pairs {sorted(found.pairs)}")
    return found


def _take(found: _Found, line: str) -> None:
    for key, pattern in _SINGLE.items():
        match = pattern.fullmatch(line)
        if match:
            if key in found.single:
                raise BadFileError(f"twice: {line}")
            found.single[key] = match.groupdict()
            return
    for key, pattern in _NUMBERED.items():
        match = pattern.fullmatch(line)
        if match:
            pair = found.pairs.setdefault(int(match["pair"]), {})
            if key in pair:
                raise BadFileError(f"twice: {line}")
            pair[key] = match.groupdict()
            return
    raise BadFileError(f"unknown: {line!r}")


def _consistent(found: _Found) -> None:
    """Names must lead to what they name; interface, zones and addresses must be the same throughout."""
    everything = found.everything()
    [name] = {one["name"] for one in everything if "name" in one}
    [_unit] = {one["unit"] for one in everything if "unit" in one}
    referring = ("ike_proposals", "ike_policy", "esp_proposals", "gateway", "esp_policy")
    _same("names", *(found.value(key) for key in referring), name)
    _same("VPN zone", found.single["zone"]["zone"], found.single["nat_to"]["zone"])
    if not re.fullmatch(r"[a-z]+(-\d+/\d+/\d+(:\d+)?|\d*)\.\d+", found.value("outside"), re.ASCII):
        raise BadFileError("no logical interface")
    for number, pair in found.pairs.items():
        said = {key: one["value"] for key, one in pair.items() if "value" in one}
        _same("local range", said["local"], said["book_local"], said["nat_source"])
        _same("remote range", said["remote"], said["book_remote"], said["nat_destination"])
        _same("policy", said["out_source"], said["in_destination"], f"{name}-{number}-local")
        _same("policy", said["out_destination"], said["in_source"], f"{name}-{number}-remote")
        for key, one in pair.items():
            if "zone" in one:
                _same(f"zones of {key}", one["zone"], found.single["nat_from"]["zone"])
                _same(f"zones of {key}", one["other"], found.single["nat_to"]["zone"])
    families = {
        ipaddress.ip_network(pair["local"]["value"]).version for pair in found.pairs.values()
    }
    for version, key in ((4, "inet"), (6, "inet6")):
        if (version in families) != (key in found.single):
            raise BadFileError(f"family {key} is missing, or there for nothing")
    if ("st0_address" in found.single) != ("ping" in found.single):
        raise BadFileError("an address without ping, or the other way round")
    if not 64 <= int(found.value("mss")) <= 1400:
        raise BadFileError("MSS")


def _same(what: str, *values: str) -> None:
    if len(set(values)) != 1:
        raise BadFileError(f"{what}: {sorted(set(values))}")


def _understood(found: _Found) -> Understood:
    single = found.single
    version = {"v1-only": 1, "v2-only": 2}[found.value("version")]
    if (version == 1) != ("mode" in single):
        raise BadFileError("a mode is for IKEv1")
    ike, esp = _CIPHERS[found.value("ike_encryption")], _CIPHERS[found.value("esp_encryption")]
    for cipher, key in ((ike, "ike_integrity"), (esp, "esp_integrity")):
        if (cipher in _AEADS) == (key in single):
            raise BadFileError(f"{key} beside {cipher}")
    return Understood(
        version=version,
        mode=_MODES[found.value("mode")] if version == 1 else None,
        ike_encryption=ike,
        ike_integrity=None if ike in _AEADS else _IKE_HASHES[found.value("ike_integrity")],
        ike_prf=_AEADS.get(ike),
        ike_dh=_GROUPS[found.value("ike_dh")],
        ike_seconds=_number(found.value("ike_seconds"), 180, 86_400),
        esp_encryption=esp,
        esp_integrity=None if esp in _AEADS else _ESP_HASHES[found.value("esp_integrity")],
        pfs=_GROUPS[found.value("pfs")] if "pfs" in single else "",
        esp_seconds=_number(found.value("esp_seconds"), 180, 86_400),
        esp_kb=_number(found.value("esp_kb"), 64, 4_294_967_294) if "esp_kb" in single else None,
        local_address=str(ipaddress.ip_address(found.value("local_address"))),
        remote_address=str(ipaddress.ip_address(found.value("remote_address"))),
        local_identity=_identity(single["local_identity"]),
        remote_identity=_identity(single["remote_identity"]),
        psk=_key(single),
        pairs=tuple(
            sorted(
                (_prefix(pair["local"]["value"]), _prefix(pair["remote"]["value"]))
                for pair in found.pairs.values()
            )
        ),
        dpd=_dpd(found),
        starts={"immediately": True, "on-traffic": False}[found.value("establish")],
    )


def _dpd(found: _Found) -> bool:
    keys = {"dpd", "dpd_interval", "dpd_threshold"} & set(found.single)
    if not keys:
        return False
    _number(found.value("dpd_interval"), 10, 60)
    _number(found.value("dpd_threshold"), 1, 5)
    return found.single["dpd"] is not None


def _key(single: Mapping[str, Mapping[str, str]]) -> str:
    if ("key" in single) == ("hex_key" in single):
        raise BadFileError("one key, please")
    if "key" in single:
        key = single["key"]["value"]
        if len(key) > 255 or re.match(r"\$\d\$", key):
            raise BadFileError("Junos would take this key as encrypted, or too long")
        return key
    digits = single["hex_key"]["value"]
    if len(digits) > 255 or not re.fullmatch("([0-9a-f]{2})+", digits):
        raise BadFileError("no hexadecimal digits, or too many")
    return bytes.fromhex(digits).decode("ascii")


def _identity(said: Mapping[str, str]) -> str:
    kinds = {"inet": ipaddress.IPv4Address, "inet6": ipaddress.IPv6Address}
    if said["second"] in kinds:
        return str(kinds[said["second"]](said["value"]))
    if said["second"] != "hostname" or not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", said["value"]):
        raise BadFileError(f"no identity: {said}")
    return said["value"]


def _prefix(text: str) -> str:
    if "/" not in text:
        raise BadFileError(f"a range needs a length: {text}")
    return str(ipaddress.ip_network(text))


def _number(text: str, low: int, high: int) -> int:
    if not re.fullmatch("[0-9]{1,10}", text) or not low <= int(text) <= high:
        raise BadFileError(f"{text} is not from {low} to {high}")
    return int(text)
