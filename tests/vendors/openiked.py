"""OpenIKED's own check of an iked.conf, and what it reads from one.

`iked -nvv` prints every policy as it has understood it, defaults and key included. Debian's iked, which is built for
Linux, takes an AEAD for ESP and then leaves it out, with the rest of `childsa` (parse.y, HAVE_LINUX_PFKEY_H).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Self

from tests.devices.understood import Understood
from tests.vendors.packages import VERSION, program
from tests.vendors.private import run

# iked wants to run as this user, whom only the installed package makes.
USER = "_iked:x:0:0::/nonexistent:/usr/sbin/nologin\n"

ENCRYPTION: Mapping[str, str] = MappingProxyType(
    {
        "3des": "3des",
        "aes-128": "aes-128",
        "aes-192": "aes-192",
        "aes-256": "aes-256",
        "aes-128-gcm": "aes-128-gcm",
        "aes-256-gcm": "aes-256-gcm",
        "chacha20-poly1305": "chacha20-poly1305",
    }
)
HASH: Mapping[str, str] = MappingProxyType(
    {
        "hmac-md5": "md5",
        "hmac-sha1": "sha1",
        "hmac-sha2-256": "sha2-256",
        "hmac-sha2-384": "sha2-384",
        "hmac-sha2-512": "sha2-512",
    }
)
GROUP: Mapping[str, str] = MappingProxyType(
    {
        "none": "",
        "modp768": "dh1",
        "modp1024": "dh2",
        "modp1536": "dh5",
        "modp2048": "dh14",
        "modp3072": "dh15",
        "modp4096": "dh16",
        "modp6144": "dh17",
        "modp8192": "dh18",
        "ecp256": "dh19",
        "ecp384": "dh20",
        "ecp521": "dh21",
        "curve25519": "dh31",
    }
)

_NOTES = re.compile(
    r"create_ike: using \S+ for peer .*|.*: loaded \d+ configuration rules|configuration OK"
)
_POLICY = re.compile(
    r'ikev2 "(?P<name>[^"]*)" (?P<mode>active|passive) tunnel esp inet6?'
    r"(?P<flows>(?: from \S+ to \S+)+) local (?P<local>\S+) peer (?P<peer>\S+)"
    r" ikesa(?P<ikesa>.*?)(?: childsa(?P<childsa>.*))? srcid (?P<srcid>\S+) dstid (?P<dstid>\S+)"
    r" ikelifetime (?P<ikelifetime>\d+) lifetime (?P<lifetime>\d+) bytes (?P<bytes>\d+)"
    r" psk 0x(?P<psk>[0-9a-f]+)"
)
_FLOW = re.compile(r" from (\S+) to (\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIked:
    """The unpacked daemon."""

    iked: Path

    @classmethod
    def find(cls) -> Self:
        """The daemon. Raises Unavailable when it cannot run here."""
        return cls(iked=program("openiked", "usr/sbin/iked"))

    @property
    def name(self) -> str:
        """`OpenIKED 7.2`, as its package says."""
        version = (self.iked.parents[2] / VERSION).read_text(encoding="utf-8")
        return f"OpenIKED {version.partition('-')[0]}"

    def complaints(self, config: Path) -> list[str]:
        """What iked has against this iked.conf, which only its owner may read; nothing when it is right."""
        code, said = self.start("-n", config)
        wrong = [line for line in said if line != "configuration OK"]
        return [*wrong, f"iked ended with {code}"] if code else wrong

    def understood(self, config: Path) -> Understood:
        """The tunnel of this iked.conf: all its policies, which must agree in everything but their ranges."""
        tunnels, pairs = [], []
        for policy in self.policies(config):
            matched = _POLICY.fullmatch(policy)
            assert matched, (
                f"iked prints a policy that we cannot read: {policy.partition(' psk ')[0]}"
            )
            tunnels.append(_tunnel(matched))
            pairs += _FLOW.findall(matched["flows"])
        first, *others = tunnels
        assert all(other == first for other in others)
        return replace(first, pairs=tuple(sorted(pairs)))

    def policies(self, config: Path) -> list[str]:
        """Every policy as iked prints it."""
        code, said = self.start("-nvv", config)
        assert code == 0, said
        return [line for line in said if not _NOTES.fullmatch(line)]

    def start(self, option: str, config: Path) -> tuple[int, list[str]]:
        """Run iked with this option, in private; its exit code, and the lines that it prints."""
        with tempfile.NamedTemporaryFile("w", prefix="passwd-") as passwd:
            passwd.write(Path("/etc/passwd").read_text(encoding="utf-8") + USER)
            passwd.flush()
            Path(passwd.name).chmod(0o644)
            done = run(
                self.iked, option, "-f", config, binds={Path("/etc/passwd"): Path(passwd.name)}
            )
        return done.returncode, done.stdout.splitlines()


def _tunnel(policy: re.Match[str]) -> Understood:
    ike, esp = _words(policy["ikesa"]), _words(policy["childsa"] or "")
    assert ike.keys() <= {"enc", "prf", "auth", "group"}
    assert esp.keys() <= {"enc", "auth", "group", "noesn", "esn"}
    kilobytes, rest = divmod(int(policy["bytes"]), 1024)
    assert rest == 0
    return Understood(
        version=2,
        ike_encryption=ENCRYPTION[ike["enc"]],
        ike_integrity=HASH[ike["auth"]] if "auth" in ike else None,
        ike_prf=None if "auth" in ike else HASH[ike["prf"]],
        ike_dh=GROUP[ike["group"]],
        ike_seconds=int(policy["ikelifetime"]),
        esp_encryption=ENCRYPTION[esp["enc"]] if esp else None,
        esp_integrity=HASH[esp["auth"]] if "auth" in esp else None,
        pfs=GROUP[esp.get("group", "none")] if esp else None,
        esp_seconds=int(policy["lifetime"]),
        esp_kb=kilobytes,
        local_address=policy["local"],
        remote_address=policy["peer"],
        local_identity=policy["srcid"],
        remote_identity=policy["dstid"],
        psk=bytes.fromhex(policy["psk"]).decode("ascii"),
        starts=policy["mode"] == "active",
    )


def _words(text: str) -> dict[str, str]:
    """`enc aes-256 group modp2048 noesn` as keyword → value; a switch has none."""
    words = text.split()
    found: dict[str, str] = {}
    while words:
        keyword = words.pop(0)
        found[keyword] = "" if keyword in {"esn", "noesn"} else words.pop(0)
    return found
