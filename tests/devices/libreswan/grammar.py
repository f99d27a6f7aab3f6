"""A reader of Libreswan's ipsec.conf and ipsec.secrets.

Written from ipsec.conf(5) and ipsec.secrets(5) of 4.10 and 5.4. The words of a file tell its version: 5.0 renamed two
settings and dropped two; 4.8 brought `ipsec-max-bytes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.devices import charon, freeswan
from tests.devices.freeswan import Connections, Section
from tests.devices.understood import BadFileError, Understood

SILENT: frozenset[str] = frozenset()

# PROPOSAL = ENCRYPT[-INTEG_OR_PRF][;DH] ("ike", "esp").
_PROPOSAL = re.compile(r"([a-z0-9_]+)(?:-([a-z0-9_]+))?(?:;([a-z0-9]+))?", re.ASCII)
_BYTES = re.compile(r"([1-9][0-9]*)KiB", re.ASCII)
_ENCRYPTION = {
    "aes128": "aes-128",
    "aes192": "aes-192",
    "aes256": "aes-256",
    "3des": "3des",
}
_AEAD = {
    "aes_gcm128": "aes-128-gcm",
    "aes_gcm256": "aes-256-gcm",
    "chacha20_poly1305": "chacha20-poly1305",
}
_HASH = {
    "md5": "md5",
    "sha1": "sha1",
    "sha2_256": "sha2-256",
    "sha2_384": "sha2-384",
    "sha2_512": "sha2-512",
}
_GROUPS = {
    word: word
    for word in ("dh5", "dh14", "dh15", "dh16", "dh17", "dh18", "dh19", "dh20", "dh21", "dh31")
}
_DAY = 86_400

_WORDS = {
    "type": {"tunnel"},
    "authby": {"secret"},
    "pfs": {"yes", "no"},
    "fragmentation": {"yes"},
}
_WORDS_OF_IKE = {1: {"aggressive": {"yes", "no"}}, 2: {"mobike": {"no"}}}
_WORDS_OF_4 = {
    "ikev2": {"yes", "no"},
    "keyingtries": {"%forever"},
    "dpdaction": {"restart", "clear", "hold"},
}
_WORDS_OF_5 = {"keyexchange": {"ikev1", "ikev2"}}
_VALUES = {
    "left", "leftid", "right", "rightid", "ike", "esp", "ikelifetime", "rekeymargin", "rekeyfuzz",
}  # fmt: skip
_DPD = {"dpddelay", "dpdtimeout", "retransmit-timeout", "dpdaction"}


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What pluto would understand of both files. Raises BadFileError."""
    assert platform_id == "libreswan"
    conf, secrets = freeswan.texts(files)
    found, (owners, key) = freeswan.connections(conf), freeswan.secret(secrets)
    shared = found.shared
    five = "keyexchange" in shared
    version = _version(shared, five=five)
    words = _WORDS | _WORDS_OF_IKE[version] | (_WORDS_OF_5 if five else _WORDS_OF_4)
    values = _VALUES | _DPD - words.keys() - (set() if not five else {"dpdaction"})
    life = "ipsec-lifetime" if five else "salifetime"
    freeswan.check_settings(
        shared, words, values | {life, "ipsec-max-bytes"}, _DPD | {"ipsec-max-bytes"}
    )
    _check_daemon(found, version)
    if owners != (_owner(shared["leftid"]), _owner(shared["rightid"])):
        raise BadFileError(f"the key belongs to {owners}")
    ike, esp = _lifetime(shared["ikelifetime"]), _lifetime(shared[life])
    freeswan.check_margin(charon.seconds(shared["rekeymargin"]), shared["rekeyfuzz"], min(ike, esp))
    return Understood(
        version=version,
        mode={"yes": "aggressive", "no": "main"}[shared["aggressive"]] if version == 1 else None,
        **_ike(shared["ike"]),
        **_esp(shared["esp"], pfs=shared["pfs"] == "yes"),
        ike_seconds=ike,
        esp_seconds=esp,
        esp_kb=_kilobytes(shared.get("ipsec-max-bytes")),
        local_address=charon.address(shared["left"]),
        remote_address=charon.address(shared["right"]),
        local_identity=charon.identity(shared["leftid"], name="@"),
        remote_identity=charon.identity(shared["rightid"], name="@"),
        psk=key,
        pairs=found.pairs,
        dpd=_dpd(shared, version, five=five),
        starts=found.auto == "start",
    )


def _version(shared: Section, *, five: bool) -> int:
    word = shared.get("keyexchange" if five else "ikev2", "")
    versions = {"ikev1": 1, "ikev2": 2} if five else {"no": 1, "yes": 2}
    if word not in versions:
        raise BadFileError(f"no version of IKE: {word!r}")
    return versions[word]


def _check_daemon(found: Connections, version: int) -> None:
    """An IKEv1 connection is taken only when the daemon is told so; nothing else is said to it."""
    if found.setup != ({"ikev1-policy": "accept"} if version == 1 else {}):
        raise BadFileError(f"settings of the daemon: {found.setup}")
    if found.auto not in {"start", "ondemand"}:
        raise BadFileError(f"auto={found.auto}")


def _owner(identity: str) -> str:
    """An identity in ipsec.secrets: "IPv6, wrapped in double quotes"."""
    return f'"{identity}"' if ":" in identity else identity


def _lifetime(text: str) -> int:
    seconds = charon.seconds(text)
    if seconds > _DAY:
        raise BadFileError(f"pluto shortens {text} to a day")
    return seconds


def _parts(text: str) -> tuple[str, str, str]:
    """(Encryption, what stands behind it, the group); what is not there is empty."""
    found = _PROPOSAL.fullmatch(text)
    if not found:
        raise BadFileError(f"no proposal: {text}")
    return found[1], found[2] or "", found[3] or ""


def _ike(text: str) -> dict[str, str | None]:
    encryption, second, group = _parts(text)
    aead, chosen = encryption in _AEAD, charon.word(_HASH, second)
    return {
        "ike_encryption": charon.word(_AEAD if aead else _ENCRYPTION, encryption),
        "ike_integrity": None if aead else chosen,
        "ike_prf": chosen if aead else None,
        "ike_dh": charon.word(_GROUPS, group),
    }


def _esp(text: str, *, pfs: bool) -> dict[str, str | None]:
    encryption, integrity, group = _parts(text)
    aead = encryption in _AEAD
    if aead and integrity:
        raise BadFileError(f"{encryption} must not have an integrity algorithm")
    if bool(group) != pfs:
        raise BadFileError("a group without PFS, or PFS with the group of IKE")
    return {
        "esp_encryption": charon.word(_AEAD if aead else _ENCRYPTION, encryption),
        "esp_integrity": None if aead else charon.word(_HASH, integrity),
        "pfs": charon.word(_GROUPS, group) if pfs else "",
    }


def _kilobytes(text: str | None) -> int | None:
    if text is None:
        return None
    found = _BYTES.fullmatch(text)
    if not found:
        raise BadFileError(f"ipsec-max-bytes={text}")
    return int(found[1])


def _dpd(shared: Section, version: int, *, five: bool) -> bool:
    """`dpddelay` turns DPD on; it gives up after `dpdtimeout` with IKEv1, after `retransmit-timeout` with IKEv2."""
    limit = "dpdtimeout" if version == 1 else "retransmit-timeout"
    wanted = {"dpddelay", limit} | (set() if five else {"dpdaction"})
    on = "dpddelay" in shared
    if shared.keys() & _DPD != (wanted if on else set()):
        raise BadFileError("settings of DPD missing, or too many")
    if on and charon.seconds(shared["dpddelay"]) >= charon.seconds(shared[limit]):
        raise BadFileError("DPD would give up before it has asked")
    return on
