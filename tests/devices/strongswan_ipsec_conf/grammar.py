"""A reader of ipsec.conf and ipsec.secrets, written from ipsec.conf(5) and ipsec.secrets(5) of strongSwan.

It knows what a tunnel needs of them: `conn` sections, `also`, comments on lines of their own, one PSK. No includes, no
quoted values in ipsec.conf, no value with blanks: those are errors, so that nothing slips by.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from tests.devices import charon
from tests.devices.understood import BadFileError, Understood

SILENT: frozenset[str] = frozenset()

_HEAD = re.compile(r"conn ([A-Za-z0-9-]+)", re.ASCII)
_SETTING = re.compile(r"[ \t]+([a-z0-9_]+)[ \t]*=[ \t]*([A-Za-z0-9.:/@!%_-]+)[ \t]*", re.ASCII)
# IDs with blanks between them, " : ", the kind, the secret (ipsec.secrets(5); "whitespace at the end is ignored").
_SECRET = re.compile(r"(\S+) (\S+) : PSK (?:\"([^\"\n]*)\"|0s([A-Za-z0-9+/]+={0,2}))", re.ASCII)
_PERCENT = re.compile(r"([0-9]+)%", re.ASCII)

Section = dict[str, str]

# Settings of the shared section: which values each may have, where that is all there is to know.
_WORDS = {
    "keyexchange": {"ikev1", "ikev2"},
    "aggressive": {"yes", "no"},
    "mobike": {"no"},
    "reauth": {"no"},
    "type": {"tunnel"},
    "leftauth": {"psk"},
    "rightauth": {"psk"},
    "dpdaction": {"none", "clear", "restart"},
    "closeaction": {"none", "restart"},
    "fragmentation": {"yes"},
    "keyingtries": {"%forever"},
}
_VALUES = {
    "left", "leftid", "right", "rightid", "ike", "esp", "ikelifetime", "lifetime", "margintime", "lifebytes",
    "marginbytes", "rekeyfuzz", "dpddelay", "dpdtimeout",
}  # fmt: skip


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What charon would understand of both files. Raises BadFileError."""
    assert platform_id == "strongswan-ipsec-conf"
    texts = {name.rpartition(".")[2]: text for name, text in files.items()}
    if len(files) != 2 or set(texts) != {"conf", "secrets"}:
        raise BadFileError(f"not one file of connections and one of secrets: {list(files)}")
    return _understood(_sections(texts["conf"]), _secret(texts["secrets"]))


def _understood(sections: dict[str, Section], secret: tuple[tuple[str, str], str]) -> Understood:
    shared, pairs, auto = _split(sections)
    owners, key = secret
    identities = (shared["leftid"], shared["rightid"])
    if owners != identities:
        raise BadFileError(f"the key belongs to {owners}, the connection to {identities}")
    version = int(shared["keyexchange"][-1])
    _check_version(shared, version)
    _check_margins(shared)
    return Understood(
        version=version,
        mode=_mode(shared) if version == 1 else None,
        **charon.ike_proposal(_strict(shared["ike"])),
        **charon.esp_proposal(_strict(shared["esp"])),
        ike_seconds=charon.seconds(shared["ikelifetime"]),
        esp_seconds=charon.seconds(shared["lifetime"]),
        esp_kb=charon.kilobytes(charon.number(shared["lifebytes"])),
        local_address=charon.address(shared["left"]),
        remote_address=charon.address(shared["right"]),
        local_identity=charon.identity(shared["leftid"], name="@"),
        remote_identity=charon.identity(shared["rightid"], name="@"),
        psk=key,
        pairs=tuple(sorted(pairs)),
        dpd=_dpd(shared, version),
        starts=auto == "start",
    )


def _sections(text: str) -> dict[str, Section]:
    """Name → settings. A section goes on until the next one; its lines begin with a blank."""
    sections: dict[str, Section] = {}
    section: Section | None = None
    for line in _lines(text):
        if head := _HEAD.fullmatch(line):
            if head[1] in sections:
                raise BadFileError(f"two sections {head[1]}")
            section = sections[head[1]] = {}
        elif (setting := _SETTING.fullmatch(line)) and section is not None:
            key, value = setting.groups()
            if key in section:
                raise BadFileError(f"{key} twice")
            section[key] = value
        else:
            raise BadFileError(f"no line of ipsec.conf: {line!r}")
    return sections


def _lines(text: str) -> list[str]:
    """The lines that are neither empty nor comments; a file must end with a line break."""
    if (
        not text.endswith("\n")
        or not text.isascii()
        or re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)
    ):
        raise BadFileError("characters that a text file does not have, or an unfinished line")
    return [line for line in text.split("\n") if line and not line.startswith("#")]


def _split(sections: dict[str, Section]) -> tuple[Section, list[tuple[str, str]], str]:
    """(The shared section, the pairs, when they begin)."""
    pairs, autos, bases = [], set(), set()
    named = {name: section for name, section in sections.items() if "also" in section}
    for section in named.values():
        if set(section) != {"also", "leftsubnet", "rightsubnet", "auto"}:
            raise BadFileError(f"a pair with {sorted(section)}")
        pairs.append(
            (charon.network(section["leftsubnet"]), charon.network(section["rightsubnet"]))
        )
        autos.add(section["auto"])
        bases.add(section["also"])
    if len(autos) != 1 or not autos <= {"start", "route"}:
        raise BadFileError(f"auto={sorted(autos)}")
    if len(bases) != 1 or len(set(pairs)) != len(pairs):
        raise BadFileError("pairs of several connections, or one pair twice")
    if sections.keys() - named.keys() != bases:
        raise BadFileError("sections that belong to nothing")
    shared = sections[bases.pop()]
    _check_settings(shared)
    return shared, pairs, autos.pop()


def _check_settings(shared: Section) -> None:
    optional = {"aggressive", "mobike", "reauth", "dpddelay", "dpdtimeout"}
    known = _WORDS.keys() | _VALUES
    if not known - optional <= shared.keys() <= known:
        raise BadFileError(f"settings missing or unknown: {shared.keys() ^ known}")
    for key, words in _WORDS.items():
        if key in shared and shared[key] not in words:
            raise BadFileError(f"{key}={shared[key]}")


def _check_version(shared: Section, version: int) -> None:
    """`aggressive` is IKEv1's, `mobike` and `reauth` are IKEv2's."""
    own = {1: {"aggressive"}, 2: {"mobike", "reauth"}}[version]
    if shared.keys() & {"aggressive", "mobike", "reauth"} != own:
        raise BadFileError(f"settings of another version than IKEv{version}")


def _check_margins(shared: Section) -> None:
    """margin + margin * fuzz must not exceed the limit, or nothing is ever renewed ("SA expiry/rekey")."""
    fuzz = _PERCENT.fullmatch(shared["rekeyfuzz"])
    if not fuzz:
        raise BadFileError(f"rekeyfuzz={shared['rekeyfuzz']}")
    numbers: tuple[tuple[str, str, charon.Value], ...] = (
        ("ikelifetime", "margintime", charon.seconds),
        ("lifetime", "margintime", charon.seconds),
        ("lifebytes", "marginbytes", charon.number),
    )
    for life, margin, value in numbers:
        if not value(shared[margin]) * (100 + int(fuzz[1])) // 100 < value(shared[life]):
            raise BadFileError(f"{margin} leaves nothing of {life}")


def _strict(proposal: str) -> str:
    """The proposal without the mark that keeps charon from adding its own ones."""
    if not proposal.endswith("!"):
        raise BadFileError(f"charon would offer more than {proposal}")
    return proposal[:-1]


def _mode(shared: Section) -> str:
    return {"yes": "aggressive", "no": "main"}[shared["aggressive"]]


def _dpd(shared: Section, version: int) -> bool:
    """Any action but `none` turns DPD on; a timeout is IKEv1's."""
    on = shared["dpdaction"] != "none"
    wanted = {"dpddelay"} | ({"dpdtimeout"} if version == 1 else set())
    if shared.keys() & {"dpddelay", "dpdtimeout"} != (wanted if on else set()):
        raise BadFileError("settings of DPD missing, or too many")
    delay = charon.seconds(shared["dpddelay"]) if on else 0
    if on and version == 1 and delay >= charon.seconds(shared["dpdtimeout"]):
        raise BadFileError("DPD would give up before it has asked")
    return on


def _secret(text: str) -> tuple[tuple[str, str], str]:
    """(The IDs, the key) of the only line."""
    lines = _lines(text)
    found = _SECRET.fullmatch(lines[0]) if len(lines) == 1 else None
    if not found:
        raise BadFileError("not exactly one key")
    first, second, quoted, encoded = found.groups()
    if encoded is None:
        return (first, second), quoted
    try:
        return (first, second), base64.b64decode(encoded, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadFileError("no base64 of a key") from error
