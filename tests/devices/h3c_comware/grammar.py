"""Reads the commands as Comware 7 would: each in the view where it exists, each object by its name.

Written from the H3C Command References (Comware 7): Security, *IKE commands*, *IKEv2 commands*, *IPsec commands*,
*Security policy commands*; ACL and QoS, *ACL commands* (acl, rule in advanced ACL view); Layer 3 - IP Routing, *Static
routing commands*; Network Management and Monitoring, *NQA commands*.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.devices.h3c_comware.surroundings import (
    Found,
    acl_pairs,
    exemption,
    operations,
    routes,
    security_policy,
)
from tests.devices.understood import BadFileError, Understood

# A device with Comware begins with the first packet for one of its ranges, be it its own ping.
SILENT = frozenset({"starts"})

HOST = r"255\.255\.255\.255"
ADDRESS = r"([0-9]{1,3}(?:\.[0-9]{1,3}){3})"
NAME = r"([a-z0-9-]{1,31})"
NUMBER = r"([0-9]{1,10})"
FQDN = r"([A-Za-z0-9.-]+)"
RANGE = r"([0-9.]+ [0-9.]+|any)"
KEY = r"([!#-\[\]-~]{1,128})"
CIPHERS = r"(aes-cbc-256|aes-cbc-192|aes-cbc-128|3des-cbc|des-cbc)"
HASHES = r"(sha256|sha384|sha512|sha1|md5)"

# View → the commands in it; in parentheses what is read. A command may stand once unless its name ends in *.
VIEWS: Mapping[str, Mapping[str, str]] = {
    f"acl number {NUMBER}": {
        "rules*": f"rule {NUMBER} (permit|deny) ip source {RANGE} destination {RANGE}",
    },
    f"ikev2 keychain {NAME}": {
        "peer": f"peer {NAME}",
        "address": f" address {ADDRESS} 32",
        "identity": f" identity (?:address|fqdn) {FQDN}",
        "key": f" pre-shared-key plaintext {KEY}",
        "quit": " quit",
    },
    f"ikev2 proposal {NAME}": {
        "encryption": f"encryption {CIPHERS}",
        "integrity": f"integrity {HASHES}",
        "prf": f"prf {HASHES}",
        "dh": r"dh group(1|2|5|14|19|20|24)",
    },
    f"ikev2 policy {NAME}": {
        "address": f"match local address {ADDRESS}",
        "proposal": f"proposal {NAME}",
    },
    f"ikev2 profile {NAME}": {
        "local": "authentication-method local pre-share",
        "remote": "authentication-method remote pre-share",
        "keychain": f"keychain {NAME}",
        "identity": rf"identity local (?:address|fqdn) {FQDN}",
        "match": rf"match remote identity (?:address {ADDRESS} 32|fqdn {FQDN})",
        "seconds": f"sa duration {NUMBER}",
        "dpd?": f"dpd interval {NUMBER} retry {NUMBER} periodic",
    },
    f"ike keychain {NAME}": {
        "key": f"pre-shared-key address {ADDRESS} {HOST} key simple {KEY}",
        "named?": f"pre-shared-key hostname {FQDN} key simple {KEY}",
    },
    f"ike proposal {NUMBER}": {
        "encryption": f"encryption-algorithm {CIPHERS}",
        "method": "authentication-method pre-share",
        "integrity": r"authentication-algorithm (sha256|sha384|sha512|sha|md5)",
        "dh": r"dh group(1|2|5|14|24)",
        "seconds": f"sa duration {NUMBER}",
    },
    f"ike profile {NAME}": {
        "keychain": f"keychain {NAME}",
        "mode": "exchange-mode (main|aggressive)",
        "identity": rf"local-identity (?:address|fqdn) {FQDN}",
        "match": rf"match remote identity (?:address {ADDRESS} {HOST}|fqdn {FQDN})",
        "proposal": f"proposal {NUMBER}",
        "dpd?": f"dpd interval {NUMBER} retry {NUMBER} periodic",
    },
    f"ipsec transform-set {NAME}": {
        "mode": "encapsulation-mode tunnel",
        "protocol": "protocol esp",
        "encryption": rf"esp encryption-algorithm (gcm-256|gcm-128|{CIPHERS[1:-1]})",
        "integrity?": f"esp authentication-algorithm {HASHES}",
        "pfs?": r"pfs dh-group(1|2|5|14|19|20|24)",
    },
    r"ipsec policy ([A-Za-z0-9_-]{1,46}) ([0-9]{1,5}) isakmp": {
        "transform": f"transform-set {NAME}",
        "acl": f"security acl {NUMBER}",
        "local": f"local-address {ADDRESS}",
        "remote": f"remote-address {ADDRESS}",
        "profile": f"(ike|ikev2)-profile {NAME}",
        "seconds": f"sa duration time-based {NUMBER}",
        "kb": f"sa duration traffic-based {NUMBER}",
    },
    r"interface LoopBack([0-9]{1,3})": {"address": f"ip address {ADDRESS} {HOST}"},
    r"interface ([A-Za-z-]+[0-9/.]+)": {
        "mss?": r"tcp mss ([0-9]{3,4})",
        "apply?": r"ipsec apply policy ([A-Za-z0-9_-]{1,46})",
    },
    "security-policy ip": {
        "lines*": (
            r"(rule name [a-z0-9-]{1,31}| action pass| quit| (?:source|destination)-zone \w{1,31}"
            r"| (?:source|destination)-ip-host [0-9.]+| (?:source|destination)-ip-subnet [0-9.]+ \d+)"
        ),
    },
    r"nqa entry (\w{1,32} \w{1,32})": {
        "type": "type icmp-echo",
        "destination": f" destination ip {ADDRESS}",
        "source": f" source ip {ADDRESS}",
        "frequency": " frequency ([0-9]{1,9})",
    },
}
# Commands of the system view.
ROUTE = re.compile(f"ip route-static {ADDRESS} ([0-9]{{1,2}}) {ADDRESS}")
SCHEDULE = re.compile(r"nqa schedule (\w{1,32} \w{1,32}) start-time now lifetime forever")

CATALOGUE = {
    "aes-cbc-256": "aes-256", "aes-cbc-192": "aes-192", "aes-cbc-128": "aes-128", "3des-cbc": "3des",
    "des-cbc": "des", "gcm-256": "aes-256-gcm", "gcm-128": "aes-128-gcm", "sha256": "sha2-256",
    "sha384": "sha2-384", "sha512": "sha2-512", "sha1": "sha1", "sha": "sha1", "md5": "md5",
}  # fmt: skip


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What a device that is given the commands is configured for."""
    [text] = files.values()
    views = _views(text)
    policy = views["ipsec policy"]
    version = 2 if policy["profile"][0] == "ikev2" else 1
    ike = _ikev2(views) if version == 2 else _ikev1(views)
    esp = views["ipsec transform-set"]
    encryption = CATALOGUE[esp["encryption"]]
    if encryption.endswith("gcm") == ("integrity" in esp):
        raise BadFileError("an integrity too many, or none")
    if encryption.endswith("gcm") and version == 1:
        raise BadFileError("GCM is for IKEv2 only")
    name = esp["name"]
    if policy["transform"] != name or policy["profile"][1] != name:
        raise BadFileError("the policy uses what is not there")
    if f"acl number {policy['acl']}" not in views or ike.pop("remote") != policy["remote"]:
        raise BadFileError("another ACL, or another peer")
    if views["interface"]["apply"] != policy["name"][0]:
        raise BadFileError("the policy is applied nowhere")
    if "mss" not in views["interface"]:
        raise BadFileError("segments stay too large")
    pairs = acl_pairs(views.pop(f"acl number {policy['acl']}"), "permit")
    exemption(views, pairs)
    routes(views, pairs)
    pinged = operations(views, pairs)
    security_policy(views, policy, pairs, pinged)
    return Understood(
        version=version,
        esp_encryption=encryption,
        esp_integrity=CATALOGUE[esp["integrity"]] if "integrity" in esp else None,
        pfs=f"dh{esp['pfs']}" if "pfs" in esp else "",
        esp_seconds=_number(policy["seconds"], 180, 604_800),
        esp_kb=_number(policy["kb"], 2_560, 4_294_967_295),
        local_address=policy["local"],
        remote_address=policy["remote"],
        pairs=pairs,
        **ike,
    )


def _ikev2(views: Found) -> dict[str, Any]:
    keychain, proposal = views["ikev2 keychain"], views["ikev2 proposal"]
    policy, profile = views["ikev2 policy"], views["ikev2 profile"]
    remote = next(text for text in profile["match"] if text)
    if len({keychain["name"], proposal["name"], policy["proposal"], profile["keychain"]}) != 1:
        raise BadFileError("objects that do not know one another")
    if keychain["identity"] != remote or policy["address"] != views["ipsec policy"]["local"]:
        raise BadFileError("the key is for another peer, or the policy for another address")
    if proposal["prf"] != proposal["integrity"]:
        raise BadFileError("another PRF than the console's")
    return {
        **_agreed(proposal, profile, remote),
        "ike_seconds": _number(profile["seconds"], 120, 86_400),
        "psk": keychain["key"],
        "remote": keychain["address"],
    }


def _ikev1(views: Found) -> dict[str, Any]:
    keychain, proposal, profile = (
        views["ike keychain"],
        views["ike proposal"],
        views["ike profile"],
    )
    address, key = keychain["key"]
    remote = next(text for text in profile["match"] if text)
    if profile["keychain"] != keychain["name"] or profile["proposal"] != proposal["name"]:
        raise BadFileError("objects that do not know one another")
    # A peer with a name is also looked for under it (aggressive mode); a name may be of digits alone.
    _, name = profile["match"]
    if ("named" in keychain) != bool(name):
        raise BadFileError("no key for the name, or for none")
    if "named" in keychain and keychain["named"] != (remote, key):
        raise BadFileError("two keys")
    return {
        **_agreed(proposal, profile, remote),
        "mode": profile["mode"],
        "ike_seconds": _number(proposal["seconds"], 60, 604_800),
        "psk": key,
        "remote": address,
    }


def _agreed(proposal: dict[str, Any], profile: dict[str, Any], remote: str) -> dict[str, Any]:
    """What both versions of IKE say in the same way."""
    return {
        "ike_encryption": CATALOGUE[proposal["encryption"]],
        "ike_integrity": CATALOGUE[proposal["integrity"]],
        "ike_dh": f"dh{proposal['dh']}",
        "local_identity": profile["identity"],
        "remote_identity": remote,
        "dpd": "dpd" in profile,
    }


def _views(text: str) -> Found:
    """First words of the view → what is set in it. Interfaces are one view, since each is there for one command; an ACL
    or an NQA operation has its name in the key. Under `` are the commands of the system view.
    """
    lines = text.split("\n")
    if lines.pop() != "" or not all(re.fullmatch("[ -~]*", line) for line in lines):
        raise BadFileError("not plain lines")
    found: Found = {"": {"routes": [], "schedules": []}}
    commands = [line for line in lines if not line.startswith("#")]
    while commands:
        enter = commands.pop(0)
        if _system(enter, found[""]):
            continue
        body: list[str] = []
        while commands and commands[0].startswith(" "):
            body.append(commands.pop(0)[1:])
        if not body or body.pop() != "quit":
            raise BadFileError("a view that is not left")
        key, values = _view(enter, body)
        if key == "interface":
            named = {name: one for name, one in values.items() if name != "name"}
            interfaces = found.setdefault(key, {})
            if interfaces.keys() & named.keys():
                raise BadFileError("twice")
            interfaces.update(named)
            continue
        if key in {"acl number", "nqa entry"}:
            key = f"{key} {values['name']}"
        if key in found:
            raise BadFileError(f"twice: {key}")
        found[key] = values
    return found


def _system(line: str, commands: dict[str, Any]) -> bool:
    """Whether the line is a command of the system view; it is then added to the commands."""
    for name, pattern in (("routes", ROUTE), ("schedules", SCHEDULE)):
        match = pattern.fullmatch(line)
        if match:
            commands[name].append(match.groups())
            return True
    return False


def _view(enter: str, body: list[str]) -> tuple[str, dict[str, Any]]:
    for pattern, commands in VIEWS.items():
        match = re.fullmatch(pattern, enter)
        if match:
            values = _commands(commands, body)
            values["name"] = match[1] if len(match.groups()) == 1 else match.groups()
            # The words of the pattern up to its first parenthesis name the view.
            return pattern.split(" (")[0].split("(")[0], values
    raise BadFileError("no such view")


def _commands(commands: Mapping[str, str], body: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for line in body:
        for name, pattern in commands.items():
            match = re.fullmatch(pattern, line)
            if not match:
                continue
            bare, groups = name.rstrip("?*"), match.groups()
            value = groups[0] if len(groups) == 1 else groups
            if name.endswith("*"):
                values.setdefault(bare, []).append(value)
            elif bare in values:
                raise BadFileError(f"twice: {bare}")
            else:
                values[bare] = value
            break
        else:
            raise BadFileError("a command that this view does not have")
    missing = {name for name in commands if not name.endswith("?")} - {
        name for name in commands if name.rstrip("?*") in values
    }
    if missing:
        raise BadFileError(f"missing: {sorted(missing)}")
    return values


def _number(text: str, low: int, high: int) -> int:
    if not low <= int(text) <= high:
        raise BadFileError("a number out of its range")
    return int(text)
