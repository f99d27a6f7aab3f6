"""The IOS commands that a policy-based tunnel takes, each by the manual's page for it.

Manuals: [A-C] Cisco IOS Security Command Reference, Commands A to C; [D-L] Commands D to L; [M-R] Commands M to R;
[S-Z] Commands S to Z; [ACL] IP Access List Entry Sequence Numbering; [SLA] Cisco IOS IP SLAs Command Reference; [RIP]
IP Routing: Protocol-Independent Command Reference; [IP] IP Application Services Command Reference. The ranges of
numbers are those of Cisco's YANG module Cisco-IOS-XE-crypto.

What is used must have been defined above: the prompt refuses or ignores it otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.devices.cisco import Device, Known, Taken, word
from tests.devices.prompt import Command, address, network, number
from tests.devices.understood import BadFileError

# [D-L] encryption (IKE policy), hash (IKE policy), group (IKE policy).
_V1_ENCRYPTION = {
    "des": "des", "3des": "3des", "aes 128": "aes-128", "aes 192": "aes-192", "aes 256": "aes-256",
}  # fmt: skip
_V1_HASH = {
    "md5": "md5", "sha": "sha1", "sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512",
}  # fmt: skip
# [D-L] encryption (IKEv2 proposal), integrity; [M-R] prf.
_V2_ENCRYPTION = {
    "des": "des", "3des": "3des", "aes-cbc-128": "aes-128", "aes-cbc-192": "aes-192", "aes-cbc-256": "aes-256",
    "aes-gcm-128": "aes-128-gcm", "aes-gcm-256": "aes-256-gcm",
}  # fmt: skip
_V2_INTEGRITY = {
    "md5": "md5", "sha1": "sha1", "sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512",
}  # fmt: skip
# [A-C] crypto ipsec transform-set: one ESP cipher, and one ESP hash unless the cipher is GCM.
_ESP = {
    "esp-3des": "3des", "esp-aes 128": "aes-128", "esp-aes 192": "aes-192", "esp-aes 256": "aes-256",
    "esp-gcm 128": "aes-128-gcm", "esp-gcm 256": "aes-256-gcm",
}  # fmt: skip
_ESP_HASH = {
    "esp-md5-hmac": "md5", "esp-sha-hmac": "sha1", "esp-sha256-hmac": "sha2-256", "esp-sha384-hmac": "sha2-384",
    "esp-sha512-hmac": "sha2-512",
}  # fmt: skip
_GROUPS = {str(group): f"dh{group}" for group in (1, 2, 5, 14, 15, 16, 19, 20, 21, 24)}

_NAME = "([A-Za-z][A-Za-z0-9_-]*)"
_LIST = "([A-Za-z][A-Za-z0-9_-]*|1[0-9]{2}|2[0-6][0-9]{2})"
_PORT = "([A-Za-z][A-Za-z-]*[0-9][0-9/.]*)"
_ADDRESS = r"([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)"
_DOMAIN = r"([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
_KEY = "([!#->@-~]{1,128})"
_NUMBER = "([0-9]+)"
_HOST = "255.255.255.255"


@dataclass(slots=True)
class Router(Device):
    """What has been configured so far."""

    said: dict[str, object] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)
    locals: list[str] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)
    renumbered: list[str] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)
    loopback: list[str] = field(default_factory=list)
    pings: dict[str, str] = field(default_factory=dict)
    scheduled: list[str] = field(default_factory=list)
    matched: str = ""
    map_name: str = ""
    bound: bool = False
    segments: bool = False


def _ikev1_policy(router: Router, match: re.Match[str], command: Command) -> None:
    """[A-C] crypto isakmp policy; [A-C] authentication (IKE policy); [D-L] lifetime (IKE policy)."""
    router.define("ike", "1")
    number(match[1], 1, 10_000)
    taken = Taken(command)
    router.said["ike_encryption"] = word(_V1_ENCRYPTION, taken.one("encryption (.+)")[1])
    router.said["ike_integrity"] = word(_V1_HASH, taken.one("hash (.+)")[1])
    taken.one("authentication pre-share")
    router.said["ike_dh"] = word(_GROUPS, taken.one("group (.+)")[1])
    router.said["ike_seconds"] = number(taken.one("lifetime (.+)")[1], 60, 86_400)
    taken.done()


def _ikev1_keyring(router: Router, match: re.Match[str], command: Command) -> None:
    """[A-C] crypto keyring; [M-R] pre-shared-key."""
    router.define("keyring", match[1])
    taken = Taken(command)
    router.locals.append(address(taken.one(f"local-address {_ADDRESS}")[1]))
    by_address = taken.one(f"pre-shared-key address {_ADDRESS} key 0 {_KEY}")
    by_name = taken.maybe(f"pre-shared-key hostname {_DOMAIN} key 0 {_KEY}")
    router.peers.append(address(by_address[1]))
    router.keys.append(by_address[2])
    if by_name:
        router.said["named"] = by_name[1]
        router.keys.append(by_name[2])
    taken.done()


def _ikev1_profile(router: Router, match: re.Match[str], command: Command) -> None:
    """[A-C] crypto isakmp profile; [D-L] initiate mode, keepalive; [M-R] match identity; [S-Z] self-identity."""
    router.define("isakmp-profile", match[1])
    router.use("ike", "1")
    taken = Taken(command)
    router.use("keyring", taken.one(f"keyring {_NAME}")[1])
    local = address(taken.one(f"local-address {_ADDRESS}")[1])
    router.locals.append(local)
    name = taken.one(f"self-identity (?:address|fqdn {_DOMAIN})")[1]
    router.said["local_identity"] = name or local
    by_address = taken.maybe(f"match identity address {_ADDRESS} {_HOST}")
    if by_address:
        router.said["remote_identity"] = address(by_address[1])
    else:
        router.said["remote_identity"] = taken.one(f"match identity host {_DOMAIN}")[1]
        if router.said["remote_identity"] != router.said.get("named"):
            raise BadFileError("no key for the name of the VPN gateway")
    keepalive = taken.maybe(f"keepalive {_NUMBER} retry {_NUMBER}")
    if keepalive:
        number(keepalive[1], 10, 3_600)
        number(keepalive[2], 2, 60)
    router.said["dpd"] = bool(keepalive)
    aggressive = taken.maybe("initiate mode aggressive")
    router.said["mode"] = "aggressive" if aggressive else "main"
    taken.done()


def _ikev2_proposal(router: Router, match: re.Match[str], command: Command) -> None:
    """[A-C] crypto ikev2 proposal: integrity, or a PRF alone beside GCM."""
    router.define("ike", "2")
    router.define("proposal", match[1])
    taken = Taken(command)
    encryption = word(_V2_ENCRYPTION, taken.one("encryption (.+)")[1])
    router.said["ike_encryption"] = encryption
    if encryption.endswith("-gcm"):
        router.said["ike_prf"] = word(_V2_INTEGRITY, taken.one("prf (.+)")[1])
    else:
        router.said["ike_integrity"] = word(_V2_INTEGRITY, taken.one("integrity (.+)")[1])
    router.said["ike_dh"] = word(_GROUPS, taken.one("group (.+)")[1])
    taken.done()


def _ikev2_policy(router: Router, match: re.Match[str], command: Command) -> None:
    """[A-C] crypto ikev2 policy."""
    router.define("policy", match[1])
    taken = Taken(command)
    router.locals.append(address(taken.one(f"match address local {_ADDRESS}")[1]))
    router.use("proposal", taken.one(f"proposal {_NAME}")[1])
    taken.done()


def _ikev2_keyring(router: Router, match: re.Match[str], command: Command) -> None:
    """[A-C] crypto ikev2 keyring; [M-R] peer; [M-R] pre-shared-key (IKEv2 keyring)."""
    router.define("ikev2-keyring", match[1])
    if not command.inner or len(command.inner) != 1:
        raise BadFileError("not one peer in the keyring")
    [peer] = command.inner
    if not re.fullmatch(f"peer {_NAME}", peer.text, re.ASCII):
        raise BadFileError(f"no peer: {peer.text!r}")
    taken = Taken(peer)
    router.peers.append(address(taken.one(f"address {_ADDRESS}")[1]))
    router.keys.append(taken.one(f"pre-shared-key 0 {_KEY}")[1])
    taken.done()


def _ikev2_profile(router: Router, match: re.Match[str], command: Command) -> None:
    """[A-C] crypto ikev2 profile; [M-R] match (IKEv2 profile); [D-L] identity local, dpd, keyring, lifetime."""
    router.define("ikev2-profile", match[1])
    router.use("ike", "2")
    taken = Taken(command)
    remote = taken.one(f"match identity remote (?:address {_ADDRESS} {_HOST}|fqdn {_DOMAIN})")
    router.said["remote_identity"] = address(remote[1]) if remote[1] else remote[2]
    local = taken.one(f"identity local (?:address {_ADDRESS}|fqdn {_DOMAIN})")
    router.said["local_identity"] = address(local[1]) if local[1] else local[2]
    taken.one("authentication remote pre-share")
    taken.one("authentication local pre-share")
    router.use("ikev2-keyring", taken.one(f"keyring local {_NAME}")[1])
    router.said["ike_seconds"] = number(taken.one("lifetime (.+)")[1], 120, 86_400)
    dpd = taken.maybe(f"dpd {_NUMBER} {_NUMBER} periodic")
    if dpd:
        number(dpd[1], 10, 3_600)
        number(dpd[2], 2, 60)
    router.said["dpd"] = bool(dpd)
    taken.done()


def _transform_set(router: Router, match: re.Match[str], command: Command) -> None:
    """[A-C] crypto ipsec transform-set; [M-R] mode (IPSec)."""
    router.define("transform-set", match[1])
    cipher, _, mac = (
        match[2].partition(" esp-") if match[2].count("esp-") == 2 else (match[2], "", "")
    )
    encryption = word(_ESP, cipher)
    router.said["esp_encryption"] = encryption
    if encryption.endswith("-gcm") == bool(mac):
        raise BadFileError(f"a hash too many or too few: {match[2]!r}")
    if mac:
        router.said["esp_integrity"] = word(_ESP_HASH, f"esp-{mac}")
    taken = Taken(command)
    taken.one("mode tunnel")
    taken.done()


def _access_list(router: Router, match: re.Match[str], command: Command) -> None:
    """[ACL] ip access-list extended: entries, with a sequence number where they go in front of others."""
    router.define("access-list", match[1])
    taken = Taken(command)
    router.lists[match[1]] = taken.lines


def _resequence(router: Router, match: re.Match[str], _command: Command) -> None:
    """[ACL] ip access-list resequence."""
    if number(match[2], 1, 2_147_483_647) < 1_000:
        raise BadFileError("no room in front")
    number(match[3], 1, 2_147_483_647)
    router.renumbered.append(match[1])


def _route(router: Router, match: re.Match[str], _command: Command) -> None:
    """[RIP] ip route."""
    router.routes.append(network(match[1], match[2], wildcard=False))
    address(match[3])


def _crypto_map(router: Router, match: re.Match[str], command: Command) -> None:
    """[A-C] crypto map (global IPsec); [M-R] match address; [S-Z] set peer, set pfs, set transform-set, and so on."""
    router.define("crypto-map", match[1])
    router.map_name = match[1]
    number(match[2], 1, 65_535)
    taken = Taken(command)
    router.peers.append(address(taken.one(f"set peer {_ADDRESS}")[1]))
    router.use("transform-set", taken.one(f"set transform-set {_NAME}")[1])
    kind, profile = taken.one(f"set (isakmp-profile|ikev2-profile) {_NAME}").groups()
    router.use(kind, profile)
    router.said["version"] = 1 if kind == "isakmp-profile" else 2
    pfs = taken.maybe("set pfs group([0-9]+)")
    router.said["pfs"] = word(_GROUPS, pfs[1]) if pfs else ""
    lifetime = "set security-association lifetime"
    router.said["esp_seconds"] = number(taken.one(f"{lifetime} seconds (.+)")[1], 120, 2_592_000)
    kilobytes = taken.one(f"{lifetime} kilobytes (.+)")[1]
    router.said["esp_kb"] = number(kilobytes, 2_560, 4_294_967_295)
    router.matched = taken.one(f"match address {_NAME}")[1]
    router.use("access-list", router.matched)
    taken.done()


def _loopback(router: Router, match: re.Match[str], command: Command) -> None:
    """[IP] interface loopback, ip address."""
    number(match[1], 0, 2_147_483_647)
    taken = Taken(command)
    router.loopback.append(address(taken.one(f"ip address {_ADDRESS} {_HOST}")[1]))
    taken.done()


def _interface(router: Router, _match: re.Match[str], command: Command) -> None:
    """[A-C] crypto map (interface IPsec); [IP] ip tcp adjust-mss."""
    taken = Taken(command)
    bound = taken.maybe(f"crypto map {_NAME}")
    if bound:
        router.use("crypto-map", bound[1])
        router.define("interface", "with the crypto map")
        router.bound = True
    segments = taken.maybe("ip tcp adjust-mss (.+)")
    if segments:
        number(segments[1], 500, 1_460)
        router.define("interface", "with smaller segments")
        router.segments = True
    taken.done()


def _sla(router: Router, match: re.Match[str], command: Command) -> None:
    """[SLA] ip sla, icmp-echo, frequency."""
    router.define("ip sla", match[1])
    number(match[1], 1, 2_147_483_647)
    taken = Taken(command)
    echo = taken.one(f"icmp-echo {_ADDRESS} (?:source-ip {_ADDRESS}|source-interface {_PORT})")
    router.pings[match[1]] = address(echo[1])
    if echo[2] and router.loopback and address(echo[2]) not in router.loopback:
        raise BadFileError(f"nobody has the address {echo[2]}")
    number(taken.one("frequency (.+)")[1], 1, 604_800)
    taken.done()


def _schedule(router: Router, match: re.Match[str], _command: Command) -> None:
    """[SLA] ip sla schedule."""
    router.use("ip sla", match[1])
    router.scheduled.append(match[1])


COMMANDS: tuple[Known[Router], ...] = (
    (f"crypto isakmp policy {_NUMBER}", _ikev1_policy, True),
    (f"crypto keyring {_NAME}", _ikev1_keyring, True),
    (f"crypto isakmp profile {_NAME}", _ikev1_profile, True),
    (f"crypto ikev2 proposal {_NAME}", _ikev2_proposal, True),
    (f"crypto ikev2 policy {_NAME}", _ikev2_policy, True),
    (f"crypto ikev2 keyring {_NAME}", _ikev2_keyring, True),
    (f"crypto ikev2 profile {_NAME}", _ikev2_profile, True),
    (f"crypto ipsec transform-set {_NAME} (.+)", _transform_set, True),
    (f"ip access-list resequence {_LIST} {_NUMBER} {_NUMBER}", _resequence, False),
    (f"ip access-list extended {_LIST}", _access_list, True),
    (f"ip route {_ADDRESS} {_ADDRESS} {_ADDRESS} name {_NAME}", _route, False),
    (f"crypto map {_NAME} {_NUMBER} ipsec-isakmp", _crypto_map, True),
    (f"interface Loopback{_NUMBER}", _loopback, True),
    (f"interface {_PORT}", _interface, True),
    (f"ip sla {_NUMBER}", _sla, True),
    (f"ip sla schedule {_NUMBER} life forever start-time now", _schedule, False),
)
