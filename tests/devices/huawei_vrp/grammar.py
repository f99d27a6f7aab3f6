"""Reads the commands as a USG or an AR would: each in the view where it exists, each object by its name.

Written from the USG6000E V600 Product Documentation, command reference (ipsec policy: names of 1 to 15 characters and
sequence numbers 1 to 10000; ike proposal; prf; pre-shared-key; exchange-mode; dpd: idle time 10 to 3600, interval 2 to
60, retries 3 to 10; dpd msg; sa trigger-mode; firewall tcp-mss: 100 to 1460), and for routers from the configuration
files in the AR *CLI-based Configuration Guide - VPN*.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from tests.devices.huawei_vrp.rules import (
    check_nat_policy,
    check_security_policy,
    nat_acl,
    wild_range,
)
from tests.devices.huawei_vrp.views import Read, read_view, views
from tests.devices.prompt import Command, address, network, number
from tests.devices.understood import BadFileError, Understood

SILENT: frozenset[str] = frozenset()

IP = r"([0-9.]{7,15})"
NAME = r"([A-Za-z0-9_-]{1,15})"
NUM = "([0-9]{1,10})"
ID = "([A-Za-z0-9.-]{1,255})"
# No blank, no quotation mark, no question mark.
KEY = "([!#->@-~]{1,128})"
HASHES = "(md5|sha1|sha2-256|sha2-384|sha2-512)"
CBC = "des|3des|aes-128|aes-192|aes-256"

IKE_PROPOSAL = {
    "encryption": f"encryption-algorithm ({CBC})",
    "dh": "dh group(1|2|5|14|19)",
    "hash": f"authentication-algorithm {HASHES}",
    "method": "authentication-method pre-share",
    "integrity?": "integrity-algorithm hmac-(md5-96|sha1-96|sha2-256|sha2-384|sha2-512)",
    "prf?": f"prf hmac-{HASHES}",
    "seconds": f"sa duration {NUM}",
}
IKE_PEER = {
    "version": "version ([12])",
    "other": "undo version ([12])",
    "mode?": "exchange-mode (main|aggressive)",
    "proposal": f"ike-proposal {NUM}",
    "address": f"remote-address {IP}",
    "type?": "dpd type (periodic)",
    "idle?": f"dpd idle-time {NUM}",
    "interval?": f"dpd retransmit-interval {NUM}",
    "retries?": f"dpd retry-limit {NUM}",
    "message?": "dpd msg (seq-hash-notify)",
}
FIREWALL_PEER = IKE_PEER | {
    "key": f"pre-shared-key {KEY}",
    "local_type": "local-id-type (ip|fqdn)",
    "local": f"local-id {ID}",
    "remote_type": "remote-id-type (ip|fqdn)",
    "remote": f"remote-id {ID}",
}
ROUTER_PEER = IKE_PEER | {
    "key": f"pre-shared-key cipher {KEY}",
    "local_type": "local-id-type (ip|fqdn)",
    "remote?": f"remote-id {ID}",
    "local_address": f"local-address {IP}",
}
IPSEC_PROPOSAL = {
    "mode": "encapsulation-mode tunnel",
    "protocol": "transform esp",
    "none?": "undo esp authentication-algorithm",
    "integrity?": f"esp authentication-algorithm {HASHES}",
    "encryption": f"esp encryption-algorithm ({CBC}|aes-128-gcm-128|aes-256-gcm-128)",
}
ROUTER_POLICY = {
    "acl": f"security acl {NUM}",
    "pfs?": "pfs dh-group(2|5|14|19)",
    "peer": f"ike-peer {NAME}",
    "proposal": f"proposal {NAME}",
    "kb": f"sa duration traffic-based {NUM}",
    "seconds": f"sa duration time-based {NUM}",
}
FIREWALL_POLICY = ROUTER_POLICY | {
    "local": f"tunnel local {IP}",
    "trigger?": "sa trigger-mode (auto)",
}
NQA = {
    "type": "test-type icmp",
    "destination": f"destination-address ipv4 {IP}",
    "source": f"source-address ipv4 {IP}",
    "frequency": f"frequency {NUM}",
    "start": "start now",
}
INTERFACE = r"interface ([A-Za-z-]+[0-9][0-9/.]*)"

CIPHER_TEXT = ("%^%#", "%$%$", "%@%@", "%#%#", "@%@%", "%+%#")


class Commands:
    """The commands of the system view, taken by what they begin with; none may be left."""

    def __init__(self, text: str) -> None:
        self.left = list(views(text))
        self.is_router = not any(view.text == "security-policy" for view in self.left)

    def every(self, pattern: str) -> list[tuple[Command, tuple[str, ...]]]:
        """All that match, with what was found in parentheses."""
        matches = [(view, re.fullmatch(pattern, view.text, re.ASCII)) for view in self.left]
        self.left = [view for view, match in matches if not match]
        return [(view, match.groups()) for view, match in matches if match]

    def one(self, pattern: str) -> tuple[Command, tuple[str, ...]]:
        """The only one that matches."""
        found = self.every(pattern)
        if len(found) != 1:
            raise BadFileError(f"{len(found)} times: {pattern}")
        return found[0]

    def maybe(self, pattern: str) -> tuple[Command, tuple[str, ...]] | None:
        """The only one that matches, or None."""
        found = self.every(pattern)
        if len(found) > 1:
            raise BadFileError(f"twice: {pattern}")
        return found[0] if found else None


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What a device that is given the commands is configured for."""
    [text] = files.values()
    commands = Commands(text)
    _in_order(text)
    peer_view, (peer_name,) = commands.one(f"ike peer {NAME}")
    peer = read_view(peer_view, ROUTER_PEER if commands.is_router else FIREWALL_PEER)
    policy_view, (policy_name, sequence) = commands.one(f"ipsec policy {NAME} {NUM} isakmp")
    policy = read_view(policy_view, ROUTER_POLICY if commands.is_router else FIREWALL_POLICY)
    number(sequence, 1, 10_000)
    if policy["peer"] != (peer_name,):
        raise BadFileError("the policy is for another peer")
    acl_view, _ = commands.one(f"acl number {policy['acl'][0]}")
    local = address((peer["local_address"] if commands.is_router else policy["local"])[0])
    found: dict[str, Any] = {
        **_ike(commands, peer),
        **_esp(commands, policy),
        **_identities(commands, peer, local),
        "local_address": local,
        "remote_address": address(peer["address"][0]),
        "pairs": tuple(sorted(_pairs(acl_view))),
    }
    probe = commands.maybe("interface LoopBack([0-9]{1,4})")
    own = _loopback(probe[0]) if probe else None
    if own and not any(_holds(local_range, own) for local_range, _ in found["pairs"]):
        raise BadFileError("the address that is asked goes through no pair")
    found["starts"] = _surroundings(commands, policy, found, own)
    _applied(commands, policy_name)
    if commands.left:
        raise BadFileError(f"not known: {commands.left[0].text!r}")
    return Understood(**found)


def _in_order(text: str) -> None:
    """What a command refers to is there before it."""
    order = (
        "acl number",
        "ipsec proposal",
        "ike proposal",
        "ike peer",
        "ipsec policy",
        " ipsec policy",
    )
    places = [text.find(f"\n{what} ") for what in order]
    if places != sorted(places):
        raise BadFileError("a command refers to what comes later")


def _ike(commands: Commands, peer: Read) -> dict[str, Any]:
    [version], [other] = peer["version"], peer["other"]
    view, _ = commands.one(f"ike proposal {peer['proposal'][0]}")
    number(peer["proposal"][0], 1, 99)
    proposal = read_view(view, IKE_PROPOSAL)
    [hashing] = proposal["hash"]
    second = {
        name: proposal[name][0].removesuffix("-96")
        for name in ("integrity", "prf")
        if name in proposal
    }
    if int(version) + int(other) != 3 or ("mode" in peer) != (version == "1"):
        raise BadFileError("both versions, or none")
    if second != ({} if version == "1" else {"integrity": hashing, "prf": hashing}):
        raise BadFileError("other hashes for IKEv2, or for IKEv1 any")
    [key] = peer["key"]
    if key.startswith(CIPHER_TEXT):
        raise BadFileError("a key that is decrypted first")
    return {
        "version": int(version),
        "mode": peer["mode"][0] if "mode" in peer else None,
        "ike_encryption": proposal["encryption"][0],
        "ike_integrity": hashing,
        "ike_dh": f"dh{proposal['dh'][0]}",
        "ike_seconds": number(proposal["seconds"][0], 60, 604_800),
        "psk": key,
        "dpd": _dpd(peer),
    }


def _dpd(peer: Read) -> bool:
    names = {"type", "idle", "interval", "retries"} & set(peer)
    if len(names) not in {0, 4} or ("message" in peer) != (bool(names) and "mode" in peer):
        raise BadFileError(
            "half a dead peer detection, or one whose payloads are in the wrong order"
        )
    if names:
        number(peer["idle"][0], 10, 3_600)
        number(peer["interval"][0], 2, 60)
        number(peer["retries"][0], 3, 10)
    return bool(names)


def _esp(commands: Commands, policy: Read) -> dict[str, Any]:
    view, _ = commands.one(f"ipsec proposal {policy['proposal'][0]}")
    proposal = read_view(view, IPSEC_PROPOSAL)
    encryption = proposal["encryption"][0].replace("gcm-128", "gcm")
    integrity = proposal["integrity"][0] if "integrity" in proposal else None
    if ("none" in proposal) != encryption.endswith("gcm") or bool(integrity) == (
        "none" in proposal
    ):
        raise BadFileError("an integrity too many, or none")
    what = "authentication sha2" if commands.is_router else "sha2"
    compatible = commands.maybe(f"ipsec {what} compatible enable")
    if bool(compatible) != (integrity or "").startswith("sha2"):
        raise BadFileError("SHA2 would be truncated in Huawei's own way, or there is none")
    return {
        "esp_encryption": encryption,
        "esp_integrity": integrity,
        "pfs": f"dh{policy['pfs'][0]}" if "pfs" in policy else "",
        "esp_seconds": number(policy["seconds"][0], 480, 604_800),
        "esp_kb": number(policy["kb"][0], 8_000, 200_000_000),
    }


def _identities(commands: Commands, peer: Read, local: str) -> dict[str, str]:
    own = commands.maybe(f"ike local-name {ID}")
    if commands.is_router:
        if (own is None) == (peer["local_type"] == ("fqdn",)):
            raise BadFileError("a name that is not sent, or none to send")
        remote = peer.get("remote", peer["address"])[0]
        return {"local_identity": own[1][0] if own else local, "remote_identity": remote}
    for side in ("local", "remote"):
        if own or _is_address(peer[side][0]) != (peer[f"{side}_type"] == ("ip",)):
            raise BadFileError(f"a {side} identity of another type")
    return {"local_identity": peer["local"][0], "remote_identity": peer["remote"][0]}


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _pairs(view: Command) -> list[tuple[str, str]]:
    rules = [
        re.fullmatch(f"rule {NUM} permit ip source {IP} {IP} destination {IP} {IP}", line.text)
        for line in view.inner or ()
    ]
    numbers = [int(rule[1]) for rule in rules if rule]
    if not rules or len(numbers) != len(rules) or numbers != sorted(set(numbers)):
        raise BadFileError("not rules of an ACL, each with a number of its own")
    return [(wild_range(rule[2], rule[3]), wild_range(rule[4], rule[5])) for rule in rules if rule]


def _loopback(view: Command) -> str:
    found = read_view(view, {"address": rf"ip address {IP} 255\.255\.255\.255"})
    return address(found["address"][0])


def _surroundings(commands: Commands, policy: Read, found: dict[str, Any], own: str | None) -> bool:
    """Whether the device begins by itself; and whether NAT, firewall, routes and TCP are as the tunnel needs them."""
    pairs: tuple[tuple[str, str], ...] = found["pairs"]
    for _, (first, mask, next_hop) in commands.every(f"ip route-static {IP} {IP} {IP}"):
        address(next_hop)
        if network(first, mask, wildcard=False) not in {remote for _, remote in pairs}:
            raise BadFileError("a route to another range")
    if not commands.is_router:
        ends = (found["local_address"], found["remote_address"])
        check_security_policy(commands.one("security-policy")[0], ends, pairs, own)
        check_nat_policy(commands.one("nat-policy")[0], pairs)
        _, (mss,) = commands.one(f"firewall tcp-mss {NUM}")
        number(mss, 100, 1_460)
        return "trigger" in policy
    translated = commands.maybe(f"acl number {NUM}")
    if translated and nat_acl(translated[0]) != pairs:
        raise BadFileError("NAT translates the tunnel's packets, or spares others")
    tests = commands.every(f"nqa test-instance [a-z0-9_]{{1,32}} {NUM}")
    for view, _ in tests:
        test = read_view(view, NQA)
        number(test["frequency"][0], 15, 604_800)
        ends = (address(test["source"][0]), address(test["destination"][0]))
        if not any(_holds(local, ends[0]) and _holds(remote, ends[1]) for local, remote in pairs):
            raise BadFileError("a ping outside the pairs")
    return bool(tests)


def _holds(range_: str, one: str) -> bool:
    return ipaddress.ip_address(one) in ipaddress.ip_network(range_)


def _applied(commands: Commands, policy: str) -> None:
    """The policy is on one interface, and a router limits TCP segments on another or the same."""
    found: Read = {}
    grammar = {"policy?": f"ipsec policy {NAME}", "mss?": f"tcp adjust-mss {NUM}"}
    for view, _ in commands.every(INTERFACE):
        for name, value in read_view(view, grammar).items():
            if name in found:
                raise BadFileError(f"on two interfaces: {name}")
            found[name] = value
    if found.get("policy") != (policy,):
        raise BadFileError("the policy is applied nowhere, or another is")
    if commands.is_router != ("mss" in found):
        raise BadFileError(
            "TCP segments are not limited, or in a way that the device does not know"
        )
    if commands.is_router:
        number(found["mss"][0], 128, 2_048)
