"""A reader of strongSwan's ipsec.conf and ipsec.secrets, written from ipsec.conf(5) and ipsec.secrets(5)."""

from __future__ import annotations

from collections.abc import Mapping

from tests.devices import charon, freeswan
from tests.devices.freeswan import Section
from tests.devices.understood import BadFileError, Understood

SILENT: frozenset[str] = frozenset()

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
_OPTIONAL = {"aggressive", "mobike", "reauth", "dpddelay", "dpdtimeout"}


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What charon would understand of both files. Raises BadFileError."""
    assert platform_id == "strongswan-ipsec-conf"
    conf, secrets = freeswan.texts(files)
    found, (owners, key) = freeswan.connections(conf), freeswan.secret(secrets)
    shared = found.shared
    freeswan.check_settings(shared, _WORDS, _VALUES, _OPTIONAL)
    if found.setup or found.auto not in {"start", "route"}:
        raise BadFileError(f"auto={found.auto}, and settings of the daemon: {found.setup}")
    if owners != (shared["leftid"], shared["rightid"]):
        raise BadFileError(f"the key belongs to {owners}")
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
        pairs=found.pairs,
        dpd=_dpd(shared, version),
        starts=found.auto == "start",
    )


def _check_version(shared: Section, version: int) -> None:
    """`aggressive` is IKEv1's, `mobike` and `reauth` are IKEv2's."""
    own = {1: {"aggressive"}, 2: {"mobike", "reauth"}}[version]
    if shared.keys() & {"aggressive", "mobike", "reauth"} != own:
        raise BadFileError(f"settings of another version than IKEv{version}")


def _check_margins(shared: Section) -> None:
    """Whatever ends is renewed before ("SA expiry/rekey")."""
    margin, fuzz = charon.seconds(shared["margintime"]), shared["rekeyfuzz"]
    for life in (shared["ikelifetime"], shared["lifetime"]):
        freeswan.check_margin(margin, fuzz, charon.seconds(life))
    octets = charon.number(shared["marginbytes"])
    freeswan.check_margin(octets, fuzz, charon.number(shared["lifebytes"]))


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
