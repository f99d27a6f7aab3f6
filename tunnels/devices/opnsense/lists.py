"""The fixed lists from which OPNsense lets one choose a proposal (IPsecProposalField.php)."""

from __future__ import annotations

from tunnels.devices.abilities import Abilities, Phase, PskGrammar, cannot, esp_phases, ike_phases
from tunnels.domain import crypto
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings
from tunnels.domain.spec import TunnelSpec

# The largest number that the forms take for a time.
LONGEST = 500_000
_CHACHA = "chacha20-poly1305"
_CIPHERS = {
    "aes-256-gcm": "aes256gcm16", "aes-128-gcm": "aes128gcm16", _CHACHA: "chacha20poly1305",
    "aes-256": "aes256", "aes-192": "aes192", "aes-128": "aes128",
}  # fmt: skip
_SHA2 = {"sha2-256": "sha256", "sha2-384": "sha384", "sha2-512": "sha512"}
_HASHES = {**_SHA2, "sha1": "sha1"}
_GROUPS = {
    "dh14": "modp2048", "dh15": "modp3072", "dh16": "modp4096", "dh17": "modp6144", "dh18": "modp8192",
    "dh19": "ecp256", "dh20": "ecp384", "dh21": "ecp521", "dh31": "x25519", "dh5": "modp1536", "dh2": "modp1024",
}  # fmt: skip
_WEAK_GROUPS = frozenset({"dh2", "dh5"})
# What the list has beside all combinations of AES, SHA2 and the groups from DH14 on; in both phases.
_SINGLE = frozenset({
    "aes256-sha1-modp2048", "aes192-sha1-modp2048", "aes128-sha1-modp2048", "aes256-sha1-modp4096",
    "aes256-sha1-ecp521", "aes256-sha256-modp1024", "aes256-sha512-modp1024", "aes256-sha256-modp1536",
    "aes128-sha256-modp1536", "aes256gcm16-sha256-modp1536",
})  # fmt: skip
_SINGLE_ESP = _SINGLE | {
    "aes256gcm16", "chacha20poly1305", "chacha20poly1305-x25519", "aes256-sha1", "aes256-sha256",
}  # fmt: skip


def proposal(ike: IkeSettings) -> str:
    """The entry of the list of IKE proposals; beside an AEAD the hash stands for the PRF."""
    words = ABILITIES.ike[ike.version]
    hashed = (
        words.prf[ike.prf] if crypto.is_aead(ike.encryption) else words.integrity[ike.integrity]
    )
    return f"{words.encryption[ike.encryption]}-{hashed}-{words.dh[ike.dh_group]}"


def esp_proposal(ipsec: IpsecSettings, version: IkeVersion) -> str:
    """The entry of the list of ESP proposals."""
    words = ABILITIES.esp[version]
    parts = [words.encryption[ipsec.encryption]]
    if not crypto.is_aead(ipsec.encryption):
        parts.append(words.integrity[ipsec.integrity])
    if ipsec.pfs:
        parts.append(words.dh[ipsec.pfs])
    return "-".join(parts)


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """Combinations that the fixed lists lack."""
    ike, ipsec, findings = spec.ike, spec.ipsec, []
    entry = proposal(ike)
    if not _listed(entry, ike.encryption, ike.dh_group, _SINGLE):
        if ike.encryption == _CHACHA:
            findings.append(_finding(entry, "IKE", "ike.dh_group", "DH31"))
        else:
            nearest = "AES-256 with SHA2-256 and DH14"
            findings.append(_finding(entry, "IKE", "ike.encryption", nearest))
    entry = esp_proposal(ipsec, ike.version)
    if not _listed(entry, ipsec.encryption, ipsec.pfs, _SINGLE_ESP):
        if ipsec.encryption == _CHACHA:
            findings.append(_finding(entry, "ESP", "ipsec.pfs", "PFS group DH31, or none"))
        else:
            nearest = "AES-256 with SHA2-256 and PFS group DH14"
            findings.append(_finding(entry, "ESP", "ipsec.encryption", nearest))
    return findings


def _listed(entry: str, encryption: str, group: str, single: frozenset[str]) -> bool:
    if entry in single:
        return True
    if encryption == _CHACHA:
        return single is _SINGLE and group == "dh31"
    return group not in _WEAK_GROUPS and group != "" and "-sha1" not in entry


def _finding(entry: str, phase: str, field: str, nearest: str) -> Finding:
    return cannot(
        f"OPNsense offers {phase} proposals from a fixed list, and {entry} is not in it; choose {nearest}.",
        field,
    )


_IKE = Phase(
    encryption=_CIPHERS, integrity=_HASHES, prf=_SHA2, dh=_GROUPS, lifetime_seconds=(60, LONGEST)
)
_ESP = Phase(encryption=_CIPHERS, integrity=_HASHES, dh=_GROUPS, lifetime_seconds=(60, LONGEST))


ABILITIES = Abilities(
    ike=ike_phases(_IKE),
    esp=esp_phases(_ESP),
    lifetime_kb=None,
    # Stored as text and handed on in base64; only what ends an entry of this sheet would matter.
    psk=PskGrammar(),
    main_mode_names=True,
)
