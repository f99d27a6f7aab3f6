"""A reader of EdgeOS's `set` commands, written from Vyatta's templates (vyatta-cfg-vpn, branches helium and crux) and
Ubiquiti's help ("EdgeRouter - Policy-Based Site-to-Site IPsec VPN").

It knows what one tunnel needs, as words without quotes; only the key stands between single quotes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import TypeVar

from tests.devices.understood import BadFileError, Understood
from tests.devices.vyatta import settings_of

SILENT = frozenset({"esp_kb"})

# The characters of a key are those that Vyatta's template of pre-shared-secret lists.
_SECRET = re.compile(r"'[-+&!@#$%^*(),.:_a-zA-Z0-9]+'", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9@._:/-]+", re.ASCII)
_NAME = re.compile(r"[-_a-zA-Z0-9.]+", re.ASCII)
_TUNNEL = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)

_CIPHERS = {
    "aes256gcm128": "aes-256-gcm", "aes128gcm128": "aes-128-gcm", "aes256": "aes-256", "aes128": "aes-128",
    "3des": "3des",
}  # fmt: skip
_HASHES = {
    "sha256": "sha2-256",
    "sha384": "sha2-384",
    "sha512": "sha2-512",
    "sha1": "sha1",
    "md5": "md5",
}
_GROUPS = {"2", "5", *map(str, range(14, 27))}

_IKE = {
    "key-exchange",
    "lifetime",
    "proposal 1 encryption",
    "proposal 1 hash",
    "proposal 1 dh-group",
}
_DPD = {"dead-peer-detection action", "dead-peer-detection interval", "dead-peer-detection timeout"}
_ESP = {"compression", "mode", "lifetime", "pfs", "proposal 1 encryption", "proposal 1 hash"}
_PEER = {
    "authentication mode",
    "authentication pre-shared-secret",
    "connection-type",
    "ike-group",
    "local-address",
}
_PAIR = {"esp-group", "local prefix", "remote prefix"}

Leaves = dict[str, str]
T = TypeVar("T")


class Configuration:
    """What a file sets, by the objects that it names."""

    def __init__(self) -> None:
        self.ike: dict[str, Leaves] = {}
        self.esp: dict[str, Leaves] = {}
        self.peers: dict[str, Leaves] = {}
        self.tunnels: dict[str, Leaves] = {}
        self.options: Leaves = {}
        self.addresses: list[str] = []

    def take(self, words: list[str]) -> None:
        """One command, without its `set`. Raises BadFileError."""
        match words:
            case ["vpn", "ipsec", "ike-group", name, *leaf, value] if leaf:
                _put(self.ike.setdefault(name, {}), leaf, value)
            case ["vpn", "ipsec", "esp-group", name, *leaf, value] if leaf:
                _put(self.esp.setdefault(name, {}), leaf, value)
            case ["vpn", "ipsec", "site-to-site", "peer", _, "tunnel", number, *leaf, value] if (
                leaf
            ):
                if not _TUNNEL.fullmatch(number):
                    raise BadFileError(f"tunnel {number}")
                self.peers.setdefault(words[4], {})
                _put(self.tunnels.setdefault(number, {}), leaf, value)
            case ["vpn", "ipsec", "site-to-site", "peer", peer, *leaf, value] if leaf:
                _put(self.peers.setdefault(peer, {}), leaf, value)
            case [
                "vpn",
                "ipsec",
                "auto-firewall-nat-exclude" | "allow-access-to-local-interface",
                "enable",
            ]:
                _put(self.options, words[2:3], "enable")
            case ["interfaces", "loopback", "lo", "address", address]:
                self.addresses.append(address)
            case _:
                raise BadFileError(f"unknown: {words}")


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What EdgeOS would understand of the file. Raises BadFileError."""
    assert platform_id == "ubiquiti-edgeos"
    if len(files) != 1:
        raise BadFileError(f"not one file: {list(files)}")
    [text] = files.values()
    try:
        return _understood(_configuration(text))
    except (KeyError, ValueError) as missing:
        raise BadFileError(f"something is missing: {missing}") from missing


def _configuration(text: str) -> Configuration:
    configuration = Configuration()
    for line in settings_of(text):
        verb, *words = line.split(" ")
        secret = words[-2:-1] == ["pre-shared-secret"]
        if verb != "set" or not all(map(_WORD.fullmatch, words[:-1] if secret else words)):
            raise BadFileError(f"no command: {line!r}")
        if secret and not _SECRET.fullmatch(words[-1]):
            raise BadFileError("a key that EdgeOS does not take")
        configuration.take(words)
    return configuration


def _put(leaves: Leaves, leaf: list[str], value: str) -> None:
    name = " ".join(leaf)
    if name in leaves:
        raise BadFileError(f"{name} twice")
    leaves[name] = value


def _understood(configuration: Configuration) -> Understood:
    [(name, ike)], [(esp_name, esp)] = configuration.ike.items(), configuration.esp.items()
    [(gateway, peer)] = configuration.peers.items()
    if not _NAME.fullmatch(name) or {name} != {esp_name, peer["ike-group"]}:
        raise BadFileError(f"groups of several names: {name}, {esp_name}, {peer['ike-group']}")
    version = _choice(ike["key-exchange"], {"ikev1": 1, "ikev2": 2})
    local, remote = _address(peer["local-address"]), _address(gateway)
    optional = {"authentication id", "authentication remote-id"}
    _keys(peer, _PEER, optional)
    _choice(peer["authentication mode"], {"pre-shared-secret": True})
    pairs = [_pair(leaves, name) for leaves in configuration.tunnels.values()]
    if not pairs or len(set(pairs)) != len(pairs):
        raise BadFileError(f"no pair, or one twice: {pairs}")
    _options(configuration)
    starts = _choice(peer["connection-type"], {"initiate": True, "respond": False})
    return Understood(
        version=version,
        mode=_mode(ike, version),
        **_ike(ike, version),  # type: ignore[arg-type]
        ike_seconds=_seconds(ike["lifetime"]),
        **_esp(esp),  # type: ignore[arg-type]
        esp_seconds=_seconds(esp["lifetime"]),
        local_address=local,
        remote_address=remote,
        local_identity=_identity(peer.get("authentication id"), local),
        remote_identity=_identity(peer.get("authentication remote-id"), remote),
        psk=peer["authentication pre-shared-secret"][1:-1],
        pairs=tuple(sorted(pairs)),
        dpd=_dpd(ike, starts=starts),
        starts=starts,
    )


def _ike(ike: Leaves, version: int) -> dict[str, str | None]:
    cipher, digest = _choice(ike["proposal 1 encryption"], _CIPHERS), ike["proposal 1 hash"]
    aead = cipher.endswith("gcm")
    if ike["proposal 1 dh-group"] not in _GROUPS or (aead and version == 1):
        raise BadFileError(f"no proposal: {ike}")
    return {
        "ike_encryption": cipher,
        "ike_integrity": None if aead else _choice(digest, _HASHES),
        # strongSwan takes the hash beside an AEAD for the PRF.
        "ike_prf": _choice(digest, _HASHES) if aead else None,
        "ike_dh": f"dh{ike['proposal 1 dh-group']}",
    }


def _esp(esp: Leaves) -> dict[str, str | None]:
    _keys(esp, _ESP, set())
    _choice(esp["compression"], {"disable": True})
    _choice(esp["mode"], {"tunnel": True})
    cipher, digest = (
        _choice(esp["proposal 1 encryption"], _CIPHERS),
        _choice(esp["proposal 1 hash"], _HASHES),
    )
    groups = {"disable": "", **{f"dh-group{number}": f"dh{number}" for number in _GROUPS}}
    return {
        "esp_encryption": cipher,
        "esp_integrity": None if cipher.endswith("gcm") else digest,
        "pfs": _choice(esp["pfs"], groups),
    }


def _mode(ike: Leaves, version: int) -> str | None:
    """vpn-config.pl refuses a mode with IKEv2; without one, IKEv1 uses main mode."""
    if version == 2:
        return None
    return _choice(ike.get("mode", "main"), {"main": "main", "aggressive": "aggressive"})


def _dpd(ike: Leaves, *, starts: bool) -> bool:
    first = ike["key-exchange"] == "ikev1"
    wanted, allowed = (_IKE, {"mode"}) if first else (_IKE | {"ikev2-reauth"}, set[str]())
    if not first:
        _choice(ike["ikev2-reauth"], {"no": False})
    if not ike.keys() & _DPD:
        _keys(ike, wanted, allowed)
        return False
    _keys(ike, wanted | _DPD, allowed)
    action = _choice(ike["dead-peer-detection action"], {"clear": "clear", "restart": "restart"})
    interval, timeout = (
        int(ike[f"dead-peer-detection {leaf}"]) for leaf in ("interval", "timeout")
    )
    if (
        not 15 <= interval < timeout <= 86_400
        or timeout < 30
        or (action == "restart" and not starts)
    ):
        raise BadFileError(f"dead peers: {ike}")
    return True


def _options(configuration: Configuration) -> None:
    """The firewall is opened; an own address needs access to it, and the access an address."""
    wanted = {"auto-firewall-nat-exclude"}
    if configuration.addresses:
        [owned] = configuration.addresses
        if ipaddress.IPv4Interface(owned).network.prefixlen != 32:
            raise BadFileError(f"more than one address: {owned}")
        wanted.add("allow-access-to-local-interface")
    _keys(configuration.options, wanted, set())


def _pair(leaves: Leaves, name: str) -> tuple[str, str]:
    _keys(leaves, _PAIR, set())
    if leaves["esp-group"] != name:
        raise BadFileError(f"another group: {leaves['esp-group']}")
    return _network(leaves["local prefix"]), _network(leaves["remote prefix"])


def _identity(text: str | None, address: str) -> str:
    if text is None:
        return address
    if text.startswith("@"):
        return text.removeprefix("@")
    if text == address:
        raise BadFileError(f"said twice: {text}")
    return str(ipaddress.ip_address(text))


def _keys(leaves: Leaves, wanted: set[str], optional: set[str]) -> None:
    if not wanted <= leaves.keys() <= wanted | optional:
        raise BadFileError(f"missing or unknown: {leaves.keys() ^ wanted}")


def _choice(word: str, words: Mapping[str, T]) -> T:
    if word not in words:
        raise BadFileError(f"{word} is none of {list(words)}")
    return words[word]


def _seconds(text: str) -> int:
    if not 30 <= int(text) <= 86_400:
        raise BadFileError(f"{text} s")
    return int(text)


def _address(text: str) -> str:
    if str(ipaddress.IPv4Address(text)) != text:
        raise BadFileError(text)
    return text


def _network(text: str) -> str:
    if "/" not in text or str(ipaddress.IPv4Network(text)) != text:
        raise BadFileError(text)
    return text
