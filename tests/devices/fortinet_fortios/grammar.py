"""What FortiOS would understand of a script: `config vpn ipsec phase1-interface` and the objects around it.

Written from the FortiOS CLI Reference 7.4 and the Administration Guide, "Phase 1 configuration", "Phase 2
configuration", "Encryption algorithms". Every object must be there once and before it is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.devices.fortinet_fortios.entries import Pair, Settings, is_address, name_of
from tests.devices.fortinet_fortios.script import Table, Text, Value, read_script
from tests.devices.fortinet_fortios.surroundings import check_surroundings
from tests.devices.understood import BadFileError, Understood

SILENT: frozenset[str] = frozenset()

ORDER = (
    "vpn ipsec phase1-interface",
    "vpn ipsec phase2-interface",
    "system interface",
    "firewall address",
    "firewall address6",
    "router static",
    "router static6",
    "firewall policy",
)
CIPHERS = {
    "aes256": "aes-256", "aes192": "aes-192", "aes128": "aes-128", "3des": "3des", "des": "des",
    "aes256gcm": "aes-256-gcm", "aes128gcm": "aes-128-gcm", "chacha20poly1305": "chacha20-poly1305",
}  # fmt: skip
HASHES = {"md5": "md5", "sha1": "sha1", "sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512"}  # fmt: skip
PRFS = {f"prf{word}": ours for word, ours in HASHES.items() if ours != "md5"}
GROUPS = {"1", "2", "5", *map(str, range(14, 22)), "31"}
TUNNEL = re.compile(r"[a-z0-9-]{1,15}", re.ASCII)
INTERFACE = re.compile(r"[^<>()#'\"\\?$]{1,15}")


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """The tunnel of the only file."""
    assert platform_id == "fortinet-fortios"
    [(filename, text)] = files.items()
    if not filename.endswith("-fortios.conf"):
        raise BadFileError(f"not the name of the file: {filename}")
    tables = read_script(text)
    paths = [table.path for table in tables]
    if [path for path in ORDER if path in paths] != paths:
        raise BadFileError(f"unknown tables, or in the wrong order: {paths}")
    found = {table.path: table for table in tables}
    name, outside, phase1 = _phase1(_table(found, ORDER[0]))
    pairs, phase2 = _phases2(_table(found, ORDER[1]), name)
    check_surroundings(found, name, outside, str(phase1["remote_address"]), pairs)
    said = tuple(sorted((str(local), str(remote)) for local, remote in pairs.values()))
    return Understood(**phase1, **phase2, pairs=said)  # type: ignore[arg-type]


def _table(found: Mapping[str, Table], path: str) -> Table:
    if path not in found:
        raise BadFileError(f"no {path}")
    return found[path]


def _phase1(table: Table) -> tuple[str, str, dict[str, object]]:
    if len(table.entries) != 1:
        raise BadFileError("more than one phase 1")
    one = Settings(table.entries[0])
    name = name_of(one, TUNNEL)
    one.word("type", {"static"})
    outside = one.text("interface")
    if not INTERFACE.fullmatch(outside):
        raise BadFileError(f"no interface: {outside!r}")
    family = 6 if "ip-version" in one.left else 4
    if family == 6:
        one.word("ip-version", {"6"})
    six = "6" if family == 6 else ""
    version = int(one.word("ike-version", {"1", "2"}))
    mode = one.word("mode", {"main", "aggressive"}) if version == 1 else None
    remote = one.address(f"remote-gw{six}", family)
    proposal = _ike_proposal(one.word("proposal"), version)
    local = one.address(f"local-gw{six}", family)
    said = {
        "version": version,
        "mode": mode,
        "local_address": local,
        "remote_address": remote,
        "ike_seconds": one.number("keylife", 120, 172_800),
        "remote_identity": _peer(one, remote, main=mode == "main"),
        "local_identity": _own_identity(one, local, family),
        **proposal,
        "ike_dh": f"dh{one.word('dhgrp', GROUPS)}",
        "dpd": _dpd(one),
        "psk": _key(one.value("psksecret")),
    }
    one.word("net-device", {"disable"})
    one.word("nattraversal", {"enable"})
    one.done()
    return name, outside, said


def _own_identity(one: Settings, local: str, family: int) -> str:
    """Without localid, the address that is sent from: behind NAT, which IPv6 has not, that would be another one."""
    if family == 6 and "localid" not in one.left:
        return local
    identity, kind = one.text("localid"), one.word("localid-type", {"address", "fqdn"})
    if len(identity) > 63 or is_address(identity) != (kind == "address"):
        raise BadFileError(f"localid {identity!r} is no {kind}")
    return identity


def _peer(one: Settings, remote: str, *, main: bool) -> str:
    if one.word("peertype", {"any", "one"}) == "any":
        return remote
    if main:
        raise BadFileError("in main mode the identifier comes too late")
    identity = one.text("peerid")
    if not 0 < len(identity) <= 255:
        raise BadFileError(f"no peerid: {identity!r}")
    return identity


def _ike_proposal(word: str, version: int) -> dict[str, object]:
    cipher, _, second = word.partition("-")
    if cipher not in CIPHERS:
        raise BadFileError(f"no proposal: {word}")
    ours = CIPHERS[cipher]
    aead = ours.endswith(("gcm", "poly1305"))
    if second not in (PRFS if aead else HASHES) or (aead and version == 1):
        raise BadFileError(f"no proposal of IKEv{version}: {word}")
    return {
        "ike_encryption": ours,
        "ike_integrity": None if aead else HASHES[second],
        "ike_prf": PRFS[second] if aead else None,
    }


def _dpd(one: Settings) -> bool:
    if one.word("dpd", {"disable", "on-idle"}) == "disable":
        return False
    if not 30 <= one.number("dpd-retrycount", 0, 10) * one.number("dpd-retryinterval", 1, 60) <= 60:
        raise BadFileError("a silent peer is given up too early or too late")
    return True


def _key(value: Value) -> str:
    """An ASCII text of 6 to 128 characters, or hexadecimal behind 0x; 00x stands for a text that begins with 0x."""
    written = value.text if isinstance(value, Text) else value
    if not 6 <= len(written) <= 128:
        raise BadFileError("a key that is too short or too long")
    if isinstance(value, Text):
        if re.match("0+x|enc", written, re.IGNORECASE):
            raise BadFileError("a key that FortiOS decodes")
        return written
    if not re.fullmatch("0x([0-9a-f]{2})+", written, re.ASCII):
        raise BadFileError("a key that is neither quoted nor in hexadecimal")
    return bytes.fromhex(written[2:]).decode("ascii")


def _phases2(table: Table, tunnel: str) -> tuple[dict[str, Pair], dict[str, object]]:
    pairs: dict[str, Pair] = {}
    said: list[dict[str, object]] = []
    for entry in table.entries:
        two = Settings(entry)
        name = name_of(two, re.compile(rf"{re.escape(tunnel)}-[1-9][0-9]*"))
        if name in pairs or two.text("phase1name") != tunnel or len(name) > 35:
            raise BadFileError(f"phase 2 {name}: twice, or of another tunnel")
        said.append(_phase2(two))
        if not re.fullmatch("rule [0-9]+|health check", two.text("comments")):
            raise BadFileError(f"{name}: unknown comments")
        kind = two.word("src-addr-type", {"subnet", "subnet6"})
        two.word("dst-addr-type", {kind})
        six, version = ("6", 6) if kind == "subnet6" else ("", 4)
        pairs[name] = (
            two.network(f"src-subnet{six}", version),
            two.network(f"dst-subnet{six}", version),
        )
        two.done()
    if any(one != said[0] for one in said):
        raise BadFileError("the pairs do not agree")
    if len(set(pairs.values())) != len(pairs):
        raise BadFileError("the same pair twice")
    return pairs, said[0]


def _phase2(two: Settings) -> dict[str, object]:
    cipher, _, second = two.word("proposal").partition("-")
    if cipher not in CIPHERS or (second not in HASHES if second else False):
        raise BadFileError(f"{two.name}: no proposal")
    ours = CIPHERS[cipher]
    if ours.endswith(("gcm", "poly1305")) == bool(second):
        raise BadFileError(f"{two.name}: {cipher} with {second or 'no'} integrity")
    pfs = two.word("pfs", {"enable", "disable"}) == "enable"
    two.word("keylife-type", {"both"})
    return {
        "esp_encryption": ours,
        "esp_integrity": HASHES[second] if second else None,
        "pfs": f"dh{two.word('dhgrp', GROUPS)}" if pfs else "",
        "esp_seconds": two.number("keylifeseconds", 120, 172_800),
        "esp_kb": two.number("keylifekbs", 5_120, 4_294_967_295),
        "starts": two.word("auto-negotiate", {"enable", "disable"}) == "enable",
    }
