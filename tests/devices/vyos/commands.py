"""VyOS's `set` commands, as far as one tunnel needs them: which there are, and what a file of them says.

From VyOS's documentation ("Site-to-Site", "IPv4 Firewall Configuration", "NAT44", "Policy Route", "Dummy") and its
interface definitions. Each command has one value between single quotes, or none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tests.devices.understood import BadFileError
from tests.devices.vyatta import settings_of

_LINE = re.compile(
    r"set ((?:[a-z0-9][A-Za-z0-9_.-]*)(?: [A-Za-z0-9_.-]+)*)(?: '([!-&(-~]+)')?", re.ASCII
)
_NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)

_GROUPS = "1|2|5|1[4-9]|2[0-9]|3[0-2]"
CIPHERS = {
    "aes256gcm128": "aes-256-gcm", "aes128gcm128": "aes-128-gcm", "chacha20poly1305": "chacha20-poly1305",
    "aes256": "aes-256", "aes192": "aes-192", "aes128": "aes-128", "3des": "3des",
}  # fmt: skip
AEADS = {"aes256gcm128", "aes128gcm128", "chacha20poly1305"}
HASHES = {
    "sha256": "sha2-256",
    "sha384": "sha2-384",
    "sha512": "sha2-512",
    "sha1": "sha1",
    "md5": "md5",
}
_CIPHER, _HASH = "|".join(CIPHERS), "|".join(HASHES)
_INTERFACE = r"[a-z0-9]+[0-9](\.[0-9]+)*"

# What may follow `set`, and the value's pattern; None: it has no value. NAME and N stand for what the owner chose.
IKE = "vpn ipsec ike-group NAME"
ESP = "vpn ipsec esp-group NAME"
PSK = "vpn ipsec authentication psk NAME"
PEER = "vpn ipsec site-to-site peer NAME"
LEAVES: Mapping[str, str | None] = {
    f"{IKE} key-exchange": "ikev1|ikev2",
    f"{IKE} mode": "main|aggressive",
    f"{IKE} disable-mobike": None,
    f"{IKE} lifetime": "[0-9]+",
    f"{IKE} close-action": "none|start",
    f"{IKE} dead-peer-detection action": "clear|restart",
    f"{IKE} dead-peer-detection interval": "[0-9]+",
    f"{IKE} dead-peer-detection timeout": "[0-9]+",
    f"{IKE} proposal N encryption": _CIPHER,
    f"{IKE} proposal N hash": _HASH,
    f"{IKE} proposal N prf": "prfsha(256|384|512)",
    f"{IKE} proposal N dh-group": _GROUPS,
    f"{ESP} mode": "tunnel",
    f"{ESP} lifetime": "[0-9]+",
    f"{ESP} life-bytes": "[0-9]+",
    f"{ESP} pfs": f"disable|dh-group({_GROUPS})",
    f"{ESP} proposal N encryption": _CIPHER,
    f"{ESP} proposal N hash": _HASH,
    f"{PSK} id": "[A-Za-z0-9.:-]+",
    f"{PSK} secret": r'[^"\\?]+',
    f"{PEER} authentication mode": "pre-shared-secret",
    f"{PEER} authentication local-id": "[A-Za-z0-9.:-]+",
    f"{PEER} authentication remote-id": "[A-Za-z0-9.:-]+",
    f"{PEER} connection-type": "initiate|none",
    f"{PEER} default-esp-group": "[A-Za-z0-9_-]+",
    f"{PEER} ike-group": "[A-Za-z0-9_-]+",
    f"{PEER} local-address": "[0-9a-f.:]+",
    f"{PEER} remote-address": "[0-9a-f.:]+",
    f"{PEER} tunnel N local prefix": "[0-9a-f.:/]+",
    f"{PEER} tunnel N remote prefix": "[0-9a-f.:/]+",
    "nat source rule N outbound-interface name": _INTERFACE,
    "nat source rule N source address": "[0-9./]+",
    "nat source rule N destination address": "[0-9./]+",
    "nat source rule N exclude": None,
    **{
        f"firewall {family} {chain} filter rule N {leaf}": value
        for family in ("ipv4", "ipv6")
        for chain in ("input", "forward")
        for leaf, value in {
            "action": "accept",
            "protocol": "udp|esp|icmp|ipv6-icmp",
            "source address": "[0-9a-f.:/]+",
            "destination address": "[0-9a-f.:/]+",
            "destination port": "500,4500",
            "ipsec match-ipsec": None,
            "ipsec match-ipsec-in": None,
        }.items()
    },
    **{
        f"policy {policy} NAME {leaf}": value
        for policy in ("route", "route6")
        for leaf, value in {
            "interface": _INTERFACE,
            "rule N protocol": "tcp",
            "rule N tcp flags syn": None,
            "rule N source address": "[0-9a-f.:/]+",
            "rule N destination address": "[0-9a-f.:/]+",
            "rule N set tcp-mss": "[0-9]+",
        }.items()
    },
    "interfaces dummy NAME address": "[0-9a-f.:/]+",
}  # fmt: skip
# These may be said several times.
_MANY = {f"{PSK} id", "policy route NAME interface", "policy route6 NAME interface"}

Rule = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Commands:
    """What a file sets: (pattern, what stands for NAME and N) → its values."""

    found: Mapping[tuple[str, tuple[str, ...]], list[str]]

    def below(self, pattern: str) -> dict[str, dict[tuple[str, ...], list[str]]]:
        """Rest of the pattern → chosen words → values, for all commands that begin so."""
        grouped: dict[str, dict[tuple[str, ...], list[str]]] = defaultdict(dict)
        for (known, words), values in self.found.items():
            if known.startswith(f"{pattern} "):
                grouped[known.removeprefix(f"{pattern} ")][words] = values
        return grouped

    def one(self, pattern: str, name: str) -> dict[str, str]:
        """Leaf → value below the only object of this pattern, which must have this name; "" where there is no value."""
        leaves = {}
        for leaf, values in self.below(pattern).items():
            [(words, value)] = values.items()
            if words[0] != name or words[1:] not in {(), ("1",)} or len(value) != 1:
                raise BadFileError(f"{pattern} {leaf} of {words}")
            leaves[leaf] = value[0]
        return leaves

    def rules(self, pattern: str) -> list[Rule]:
        """The rules below the pattern, each as the set of what it says."""
        rules: dict[tuple[str, ...], set[tuple[str, str]]] = defaultdict(set)
        for leaf, values in self.below(pattern).items():
            for words, [value] in values.items():
                rules[words].add((leaf, value))
        if len({frozenset(rule) for rule in rules.values()}) != len(rules):
            raise BadFileError(f"the same rule twice: {pattern}")
        return [frozenset(rule) for rule in rules.values()]


def commands_of(text: str) -> Commands:
    """All commands of the file. Raises BadFileError for a line that is none of ours, and for what is said twice."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for line in settings_of(text):
        pattern, words, value = _command(line)
        values = found.setdefault((pattern, words), [])
        if value in values or (values and pattern not in _MANY):
            raise BadFileError(f"twice: {line}")
        values.append(value)
    return Commands(found)


def _command(line: str) -> tuple[str, tuple[str, ...], str]:
    match = _LINE.fullmatch(line)
    if not match:
        raise BadFileError(f"no command: {line!r}")
    path, value = match[1].split(" "), match[2]
    for pattern, wanted in LEAVES.items():
        words = _chosen(pattern.split(" "), path)
        if words is not None:
            if (value is None) != (wanted is None) or (wanted and not re.fullmatch(wanted, value)):
                raise BadFileError(f"no value for {pattern}: {line!r}")
            return pattern, words, value or ""
    raise BadFileError(f"unknown: {line!r}")


def _chosen(pattern: list[str], path: list[str]) -> tuple[str, ...] | None:
    """What the path has in the places of NAME and N; None when it is not of this pattern."""
    if len(pattern) != len(path):
        return None
    words = []
    for known, word in zip(pattern, path, strict=True):
        if known in {"NAME", "N"}:
            if not (_NAME if known == "NAME" else _NUMBER).fullmatch(word):
                return None
            words.append(word)
        elif known != word:
            return None
    return tuple(words)
