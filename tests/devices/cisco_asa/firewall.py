"""The ASA commands that a policy-based tunnel takes, each by the manual's page for it.

Manuals: [VPN] CLI Book 3, Cisco ASA Series VPN CLI Configuration Guide: "IPsec and ISAKMP" (keyword tables of IKE
policies, transform sets and proposals; crypto maps), "LAN-to-LAN IPsec VPNs", "Connection Profiles, Group Policies, and
Users" (tunnel groups); [FW] CLI Book 2, Firewall CLI Configuration Guide: "Objects for Access Control", "Network
Address Translation"; [GEN] CLI Book 1, General Operations: "Static and Default Routes"; [CR] Command Reference. The
ranges of numbers are those that Cisco's Firewall Management Center takes for the same commands.

What is used must have been defined above: the ASA refuses or ignores it otherwise.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.devices.cisco import Device, Known, Taken, word
from tests.devices.prompt import Command, address, network, number
from tests.devices.understood import BadFileError

# [VPN] keywords of crypto ikev1 policy.
_V1_ENCRYPTION = {
    "des": "des", "3des": "3des", "aes": "aes-128", "aes-192": "aes-192", "aes-256": "aes-256",
}  # fmt: skip
_V1_HASH = {"md5": "md5", "sha": "sha1"}
_V1_GROUPS = {str(group): f"dh{group}" for group in (1, 2, 5, 14)}
# [VPN] keywords of crypto ikev2 policy.
_V2_ENCRYPTION = _V1_ENCRYPTION | {"aes-gcm": "aes-128-gcm", "aes-gcm-256": "aes-256-gcm"}
_V2_INTEGRITY = {
    "md5": "md5", "sha": "sha1", "sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512",
}  # fmt: skip
_V2_GROUPS = {str(group): f"dh{group}" for group in (1, 2, 5, 14, 15, 16, 19, 20, 21, 24, 31)}
# [VPN] transform sets of IKEv1.
_V1_ESP = {f"esp-{name}": cipher for name, cipher in _V1_ENCRYPTION.items()}
_V1_ESP_HASH = {"esp-md5-hmac": "md5", "esp-sha-hmac": "sha1"}
# [VPN] proposals of IKEv2: hyphens where the policy has none.
_V2_ESP_INTEGRITY = {
    "md5": "md5", "sha-1": "sha1", "sha-256": "sha2-256", "sha-384": "sha2-384", "sha-512": "sha2-512",
}  # fmt: skip

NAME = "([A-Za-z][A-Za-z0-9_-]{0,63})"
_ADDRESS = r"([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)"
_EITHER = r"([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9a-f:]+)"
_PREFIX = "([0-9a-f:]+/[0-9]{1,3})"
_KEY = "([!#->@-~]{1,128})"
_NUMBER = "([0-9]+)"
_LONGEST = 2_147_483_647
_NAT = (
    rf"nat \({NAME},{NAME}\) 1 source static {NAME} {NAME} destination static {NAME} {NAME} "
    "no-proxy-arp route-lookup"
)


@dataclass(slots=True)
class Firewall(Device):
    """What has been configured so far."""

    said: dict[str, object] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    ranges: dict[str, str] = field(default_factory=dict)
    matched: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    exempted: list[tuple[str, str]] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)
    interfaces: list[str] = field(default_factory=list)

    def say(self, name: str, value: object) -> None:
        """Raises BadFileError when it has been said before."""
        if name in self.said:
            raise BadFileError(f"said twice: {name}")
        self.said[name] = value


def _object(firewall: Firewall, match: re.Match[str], command: Command) -> None:
    """[FW] object network: host or subnet."""
    firewall.define("object", match[1])
    taken = Taken(command)
    line = taken.one(f"host {_EITHER}|subnet (?:{_ADDRESS} {_ADDRESS}|{_PREFIX})")
    if line[1]:
        host = ipaddress.ip_address(address(line[1]))
        firewall.ranges[match[1]] = f"{host}/{host.max_prefixlen}"
    elif line[2]:
        firewall.ranges[match[1]] = network(line[2], line[3], wildcard=False)
    else:
        firewall.ranges[match[1]] = _prefix(line[4])
    taken.done()


def _prefix(text: str) -> str:
    try:
        found = str(ipaddress.IPv6Network(text))
    except ValueError:
        raise BadFileError(f"no IPv6 range: {text!r}") from None
    if found != text:
        raise BadFileError(f"not written as usual: {text!r}")
    return found


def _access_list(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[CR] access-list extended, with network objects."""
    firewall.use("object", match[2])
    firewall.use("object", match[3])
    firewall.matched.setdefault(match[1], []).append((match[2], match[3]))


def _nat(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[FW] twice NAT: identity NAT has the same object twice, and stands first among all rules."""
    inside, outside, *objects = match.groups()
    if inside == outside or objects[0] != objects[1] or objects[2] != objects[3]:
        raise BadFileError("this would translate something")
    for name in objects:
        firewall.use("object", name)
    firewall.exempted.append((objects[0], objects[2]))
    firewall.interfaces.append(outside)


def _route(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[GEN] route."""
    firewall.interfaces.append(match[1])
    firewall.routes.append(network(match[2], match[3], wildcard=False))
    address(match[4])


def _route_6(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[GEN] ipv6 route."""
    firewall.interfaces.append(match[1])
    firewall.routes.append(_prefix(match[2]))
    try:
        ipaddress.IPv6Address(match[3])
    except ValueError:
        raise BadFileError(f"no next hop: {match[3]!r}") from None


def _ikev1_policy(firewall: Firewall, match: re.Match[str], command: Command) -> None:
    """[VPN] crypto ikev1 policy."""
    firewall.versions.append("1")
    number(match[1], 1, 65_535)
    taken = Taken(command)
    taken.one("authentication pre-share")
    firewall.say("ike_encryption", word(_V1_ENCRYPTION, taken.one("encryption (.+)")[1]))
    firewall.say("ike_integrity", word(_V1_HASH, taken.one("hash (.+)")[1]))
    firewall.say("ike_dh", word(_V1_GROUPS, taken.one("group (.+)")[1]))
    firewall.say("ike_seconds", number(taken.one("lifetime (.+)")[1], 120, _LONGEST))
    taken.done()


def _ikev2_policy(firewall: Firewall, match: re.Match[str], command: Command) -> None:
    """[VPN] crypto ikev2 policy: integrity null beside GCM, and the PRF said in any case (its default is SHA-1)."""
    firewall.versions.append("2")
    number(match[1], 1, 65_535)
    taken = Taken(command)
    encryption = word(_V2_ENCRYPTION, taken.one("encryption (.+)")[1])
    firewall.say("ike_encryption", encryption)
    prf = word(_V2_INTEGRITY, taken.one("prf (.+)")[1])
    if encryption.endswith("-gcm"):
        taken.one("integrity null")
        firewall.say("ike_prf", prf)
    else:
        integrity = word(_V2_INTEGRITY, taken.one("integrity (.+)")[1])
        if integrity != prf:
            raise BadFileError("the PRF is not that of the integrity algorithm")
        firewall.say("ike_integrity", integrity)
    firewall.say("ike_dh", word(_V2_GROUPS, taken.one("group (.+)")[1]))
    firewall.say("ike_seconds", number(taken.one("lifetime seconds (.+)")[1], 120, _LONGEST))
    taken.done()


def _transform_set(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[VPN] crypto ipsec ikev1 transform-set."""
    firewall.define("transform-set", match[1])
    firewall.say("esp_encryption", word(_V1_ESP, match[2]))
    firewall.say("esp_integrity", word(_V1_ESP_HASH, match[3]))


def _proposal(firewall: Firewall, match: re.Match[str], command: Command) -> None:
    """[VPN] crypto ipsec ikev2 ipsec-proposal."""
    firewall.define("ipsec-proposal", match[1])
    taken = Taken(command)
    encryption = word(_V2_ENCRYPTION, taken.one("protocol esp encryption (.+)")[1])
    firewall.say("esp_encryption", encryption)
    integrity = taken.one("protocol esp integrity (.+)")[1]
    if encryption.endswith("-gcm") != (integrity == "null"):
        raise BadFileError("integrity null goes with GCM, and only with it")
    if integrity != "null":
        firewall.say("esp_integrity", word(_V2_ESP_INTEGRITY, integrity))
    taken.done()


def _policy(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[CR] group-policy internal."""
    firewall.define("group-policy", match[1])


def _policy_attributes(firewall: Firewall, match: re.Match[str], command: Command) -> None:
    """[CR] vpn-idle-timeout, vpn-session-timeout, vpn-tunnel-protocol."""
    firewall.use("group-policy", match[1])
    taken = Taken(command)
    taken.one("vpn-idle-timeout none")
    taken.one("vpn-session-timeout none")
    firewall.versions.append(taken.one("vpn-tunnel-protocol ikev([12])")[1])
    taken.done()


def _group(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[CR] tunnel-group type: named after the address of the peer, for that is how it is found."""
    firewall.define("tunnel-group", match[1])
    firewall.peers.append(address(match[1]))


def _group_general(firewall: Firewall, match: re.Match[str], command: Command) -> None:
    """[CR] tunnel-group general-attributes."""
    firewall.use("tunnel-group", match[1])
    taken = Taken(command)
    firewall.use("group-policy", taken.one(f"default-group-policy {NAME}")[1])
    firewall.define("general-attributes", match[1])
    taken.done()


def _group_ipsec(firewall: Firewall, match: re.Match[str], command: Command) -> None:
    """[CR] tunnel-group ipsec-attributes: ikev1 pre-shared-key, or both keys of ikev2; isakmp keepalive."""
    firewall.use("tunnel-group", match[1])
    taken = Taken(command)
    one = taken.maybe(f"ikev1 pre-shared-key {_KEY}")
    if one:
        firewall.versions.append("1")
        firewall.keys.append(one[1])
    else:
        firewall.versions.append("2")
        firewall.keys.append(taken.one(f"ikev2 remote-authentication pre-shared-key {_KEY}")[1])
        firewall.keys.append(taken.one(f"ikev2 local-authentication pre-shared-key {_KEY}")[1])
    liveness = taken.one(f"isakmp keepalive (?:disable|threshold {_NUMBER} retry {_NUMBER})")
    if liveness[1]:
        number(liveness[1], 10, 3_600)
        number(liveness[2], 2, 10)
    firewall.say("dpd", bool(liveness[1]))
    taken.done()


def _segments(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[CR] sysopt connection tcpmss."""
    firewall.define("sysopt", "tcpmss")
    number(match[1], 48, 65_535)


def _enable(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[VPN] crypto ikev1 enable, crypto ikev2 enable."""
    firewall.define("enable", match[2])
    firewall.versions.append(match[1])
    firewall.interfaces.append(match[2])


def _map(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[VPN] crypto map: one setting of an entry a line."""
    number(match[2], 1, 65_535)
    firewall.entries.append(f"{match[1]} {match[2]}")
    firewall.names.add(("crypto-map", match[1]))
    for pattern, take in _SETTINGS:
        setting = re.fullmatch(pattern, match[3], re.ASCII)
        if setting:
            firewall.define("setting", pattern)
            take(firewall, setting)
            return
    raise BadFileError(f"no setting of a crypto map: {match[3]!r}")


def _map_interface(firewall: Firewall, match: re.Match[str], _command: Command) -> None:
    """[VPN] crypto map interface: last, so that the entry is whole."""
    firewall.use("crypto-map", match[1])
    firewall.define("bound", match[1])
    firewall.interfaces.append(match[2])


def _set_match(firewall: Firewall, match: re.Match[str]) -> None:
    if match[1] not in firewall.matched:
        raise BadFileError(f"no access list {match[1]}")
    firewall.say("matched", match[1])


def _set_peer(firewall: Firewall, match: re.Match[str]) -> None:
    firewall.peers.append(address(match[1]))
    firewall.define("general-attributes used", "")
    firewall.use("general-attributes", match[1])


def _set_transform(firewall: Firewall, match: re.Match[str]) -> None:
    firewall.versions.append("1")
    firewall.use("transform-set", match[1])


def _set_proposal(firewall: Firewall, match: re.Match[str]) -> None:
    firewall.versions.append("2")
    firewall.use("ipsec-proposal", match[1])


def _set_aggressive(firewall: Firewall, match: re.Match[str]) -> None:
    """[CR] crypto map set ikev1 phase1-mode: the group must be that of the policy."""
    firewall.versions.append("1")
    if word(_V1_GROUPS, match[1]) != firewall.said.get("ike_dh"):
        raise BadFileError("aggressive mode with another group")
    firewall.say("mode", "aggressive")


def _set_pfs(firewall: Firewall, match: re.Match[str]) -> None:
    firewall.say("pfs", word(_V2_GROUPS, match[1]))


def _set_seconds(firewall: Firewall, match: re.Match[str]) -> None:
    firewall.say("esp_seconds", number(match[1], 120, _LONGEST))


def _set_kilobytes(firewall: Firewall, match: re.Match[str]) -> None:
    firewall.say("esp_kb", number(match[1], 10, _LONGEST))


_SETTINGS: tuple[tuple[str, Callable[[Firewall, re.Match[str]], None]], ...] = (
    (f"match address {NAME}", _set_match),
    (f"set peer {_EITHER}", _set_peer),
    (f"set ikev1 transform-set {NAME}", _set_transform),
    (f"set ikev2 ipsec-proposal {NAME}", _set_proposal),
    ("set ikev1 phase1-mode aggressive group([0-9]+)", _set_aggressive),
    ("set pfs group([0-9]+)", _set_pfs),
    (f"set security-association lifetime seconds {_NUMBER}", _set_seconds),
    (f"set security-association lifetime kilobytes {_NUMBER}", _set_kilobytes),
)
COMMANDS: tuple[Known[Firewall], ...] = (
    (f"object network {NAME}", _object, True),
    (f"access-list {NAME} extended permit ip object {NAME} object {NAME}", _access_list, False),
    (
        _NAT,
        _nat,
        False,
    ),
    (f"route {NAME} {_ADDRESS} {_ADDRESS} {_ADDRESS} 1", _route, False),
    (f"ipv6 route {NAME} {_PREFIX} ([0-9A-Fa-f:]+)", _route_6, False),
    (f"crypto ikev1 policy {_NUMBER}", _ikev1_policy, True),
    (f"crypto ikev2 policy {_NUMBER}", _ikev2_policy, True),
    (f"crypto ipsec ikev1 transform-set {NAME} ([a-z0-9-]+) ([a-z0-9-]+)", _transform_set, False),
    (f"crypto ipsec ikev2 ipsec-proposal {NAME}", _proposal, True),
    (f"group-policy {NAME} internal", _policy, False),
    (f"group-policy {NAME} attributes", _policy_attributes, True),
    (f"tunnel-group {_EITHER} type ipsec-l2l", _group, False),
    (f"tunnel-group {_EITHER} general-attributes", _group_general, True),
    (f"tunnel-group {_EITHER} ipsec-attributes", _group_ipsec, True),
    (f"sysopt connection tcpmss {_NUMBER}", _segments, False),
    (f"crypto ikev([12]) enable {NAME}", _enable, False),
    (f"crypto map {NAME} interface {NAME}", _map_interface, False),
    (f"crypto map {NAME} {_NUMBER} (.+)", _map, False),
)
