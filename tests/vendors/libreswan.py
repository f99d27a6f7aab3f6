"""Libreswan's own checks of an ipsec.conf, and what it reads from one.

`addconn --checkconfig` ends well although it has printed errors, and knows no algorithms; `algparse` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Self

from tests.devices.understood import Understood
from tests.vendors.packages import VERSION, program
from tests.vendors.private import run
from tunnels.domain import crypto

PROGRAMS = Path("usr/libexec/ipsec")

# The names that algparse prints → ours.
ENCRYPTION: Mapping[str, str] = MappingProxyType(
    {
        "3DES_CBC": "3des",
        "AES_CBC_128": "aes-128",
        "AES_CBC_192": "aes-192",
        "AES_CBC_256": "aes-256",
        "AES_GCM_16_128": "aes-128-gcm",
        "AES_GCM_16_256": "aes-256-gcm",
        "CHACHA20_POLY1305": "chacha20-poly1305",
    }
)
HASH: Mapping[str, str] = MappingProxyType(
    {
        "HMAC_MD5": "md5",
        "HMAC_MD5_96": "md5",
        "HMAC_SHA1": "sha1",
        "HMAC_SHA1_96": "sha1",
        "HMAC_SHA2_256": "sha2-256",
        "HMAC_SHA2_256_128": "sha2-256",
        "HMAC_SHA2_384": "sha2-384",
        "HMAC_SHA2_384_192": "sha2-384",
        "HMAC_SHA2_512": "sha2-512",
        "HMAC_SHA2_512_256": "sha2-512",
    }
)
GROUP: Mapping[str, str] = MappingProxyType(
    {
        "MODP1536": "dh5",
        "MODP2048": "dh14",
        "MODP3072": "dh15",
        "MODP4096": "dh16",
        "MODP6144": "dh17",
        "MODP8192": "dh18",
        "DH19": "dh19",
        "DH20": "dh20",
        "DH21": "dh21",
        "DH31": "dh31",
    }
)

_PARAMETER = re.compile(r"^\s+(?P<key>ike|esp)\s*=\s*(?P<value>\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Libreswan:
    """The unpacked programs."""

    folder: Path

    @classmethod
    def find(cls) -> Self:
        """The programs. Raises Unavailable when one of them cannot run here."""
        found = [
            program("libreswan", str(PROGRAMS / name))
            for name in ("addconn", "algparse", "readwriteconf", "whack", "pluto")
        ]
        return cls(folder=found[0].parent)

    @property
    def tree(self) -> Path:
        """What would be `/` if the package were installed."""
        return self.folder.parents[2]

    @property
    def name(self) -> str:
        """`Libreswan 4.10`, as its package says."""
        version = (self.tree / VERSION).read_text(encoding="utf-8")
        return f"Libreswan {version.partition('-')[0]}"

    def complaints(self, config: Path, *, version: int) -> list[str]:
        """What Libreswan has against this ipsec.conf, for IKE of this version; nothing when it is right."""
        return [*self.checkconfig(config), *self._algorithms(config, version)]

    def checkconfig(self, config: Path) -> list[str]:
        """What addconn has against its lines; whatever it prints is a complaint."""
        done = run(self.folder / "addconn", "--config", config, "--checkconfig")
        said = done.stdout.splitlines()
        return [*said, f"addconn ended with {done.returncode}"] if done.returncode else said

    def algparse(self, proposal: str, *, version: int, pfs: bool) -> list[str]:
        """What it has against a proposal such as `esp=aes256-sha2_256;dh14`."""
        done = run(
            self.folder / "algparse", f"-v{version}", f"-pfs={'yes' if pfs else 'no'}", proposal
        )
        said = [line.strip() for line in done.stdout.splitlines()]
        wrong = [line for line in said if "ERROR" in line or "ignoring" in line]
        return wrong if wrong or not done.returncode else [f"algparse: {done.stdout}"]

    def _algorithms(self, config: Path, version: int) -> list[str]:
        text = config.read_text(encoding="utf-8")
        proposals = [f"{found['key']}={found['value']}" for found in _PARAMETER.finditer(text)]
        wrong = [
            line
            for proposal in proposals
            for line in self.algparse(proposal, version=version, pfs=";" in proposal)
        ]
        return wrong if proposals else ["no ike= and no esp="]

    def values(self, config: Path) -> Mapping[str, Mapping[str, str]]:
        """Connection → keyword → value as Libreswan's parser has understood it; durations in ms, volumes in bytes."""
        done = run(self.folder / "readwriteconf", "--config", config)
        found: dict[str, dict[str, str]] = {}
        for line in done.stdout.splitlines():
            if line.startswith("conn "):
                found[line.removeprefix("conn ")] = {}
            elif found and "=" in line and not line.lstrip().startswith("#"):
                key, _, value = line.strip().partition("=")
                # Keywords with a fixed choice come twice, first without their value.
                found[next(reversed(found))][key] = value.strip('"')
        return found

    def understood(self, config: Path) -> Understood:
        """The tunnel of this ipsec.conf: all connections that have ranges, which must agree in everything else."""
        tunnels, pairs = [], []
        for values in self.values(config).values():
            if "leftsubnet" in values:
                pairs.append((values["leftsubnet"], values["rightsubnet"]))
                tunnels.append(self._tunnel(values))
        first, *others = tunnels
        assert all(other == first for other in others)
        return replace(first, pairs=tuple(sorted(pairs)))

    def _tunnel(self, values: Mapping[str, str]) -> Understood:
        version = {"yes": 2, "no": 1}[values["ikev2"]]
        pfs = values["pfs"] == "yes"
        encryption, integrity, group = self._canonical("ike", values["ike"], version, pfs=False)
        esp = self._canonical("esp", values["esp"], version, pfs=pfs)
        aead = crypto.is_aead(ENCRYPTION[encryption])
        mode = "aggressive" if values.get("aggressive") == "yes" else "main"
        assert (values["authby"], values["type"], values["phase2"]) == ("PSK", "tunnel", "esp")
        return Understood(
            version=version,
            mode=mode if version == 1 else None,
            ike_encryption=ENCRYPTION[encryption],
            ike_integrity=None if aead else HASH[integrity],
            ike_prf=HASH[integrity] if aead else None,
            ike_dh=GROUP[group],
            ike_seconds=_seconds(values["ikelifetime"]),
            esp_encryption=ENCRYPTION[esp[0]],
            esp_integrity=None if esp[1] == "NONE" else HASH[esp[1]],
            pfs=GROUP[esp[2]] if len(esp) > 2 else "",
            esp_seconds=_seconds(values["salifetime"]),
            esp_kb=_kilobytes(values["ipsec-max-bytes"]),
            local_address=values["left"],
            remote_address=values["right"],
            local_identity=values["leftid"].removeprefix("@"),
            remote_identity=values["rightid"].removeprefix("@"),
            dpd="dpddelay" in values,
            starts=values["auto"] == "start",
        )

    def _canonical(self, protocol: str, proposal: str, version: int, *, pfs: bool) -> list[str]:
        """The transforms of one proposal in Libreswan's own names."""
        option = f"-pfs={'yes' if pfs else 'no'}"
        done = run(self.folder / "algparse", f"-v{version}", option, f"{protocol}={proposal}")
        _, canonical = done.stdout.splitlines()
        return canonical.strip().split("-")


def _seconds(milliseconds: str) -> int:
    seconds, rest = divmod(int(milliseconds), 1000)
    assert rest == 0
    return seconds


def _kilobytes(volume: str) -> int:
    kilobytes, rest = divmod(int(volume), 1024)
    assert rest == 0
    return kilobytes
