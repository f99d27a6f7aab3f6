"""A reader of ASA configuration for one policy-based tunnel, written from Cisco's manuals (cited in firewall.py)."""

from __future__ import annotations

from collections.abc import Mapping

from tests.devices.cisco import alone, commands, obey
from tests.devices.cisco_asa.firewall import COMMANDS, Firewall
from tests.devices.understood import BadFileError, Understood

# The ASA takes the address of its interface, also as its identity, and begins only when there is traffic.
SILENT: frozenset[str] = frozenset({"local_address", "local_identity", "starts"})

_NEEDED = frozenset(
    {"ike_encryption", "ike_dh", "ike_seconds", "esp_encryption", "esp_seconds", "esp_kb", "dpd", "matched"}
)  # fmt: skip


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What the ASA would understand of the file. Raises BadFileError."""
    assert platform_id == "cisco-asa"
    if len(files) != 1:
        raise BadFileError(f"not one file: {list(files)}")
    firewall = Firewall()
    for command in commands(*files.values()):
        obey(firewall, command, COMMANDS)
    return _understood(firewall)


def _understood(firewall: Firewall) -> Understood:
    missing = _NEEDED - firewall.said.keys()
    if missing:
        raise BadFileError(f"nothing said about {sorted(missing)}")
    version = int(alone(firewall.versions, "IKE version"))
    peer = alone(firewall.peers, "peer")
    alone(firewall.interfaces, "outside interface")
    entry = alone(firewall.entries, "entry of a crypto map")
    for kind, name in (("sysopt", "tcpmss"), ("bound", entry.partition(" ")[0])):
        firewall.use(kind, name)
    said = dict(firewall.said)
    pairs = _pairs(firewall, str(said.pop("matched")))
    mode = str(said.pop("mode", "main"))
    said.setdefault("pfs", "")
    return Understood(
        **said,  # type: ignore[arg-type]
        version=version,
        mode=mode if version == 1 else None,
        remote_address=peer,
        remote_identity=peer,
        psk=alone(firewall.keys, "key"),
        pairs=pairs,
    )


def _pairs(firewall: Firewall, matched: str) -> tuple[tuple[str, str], ...]:
    """The pairs of the access list; NAT exemptions and routes must be for them, and nothing else is there."""
    entries = firewall.matched[matched]
    if list(firewall.matched) != [matched] or len(set(entries)) != len(entries):
        raise BadFileError("another access list, or an entry twice")
    if firewall.exempted != entries:
        raise BadFileError("NAT is not exempted for these pairs")
    if {name for entry in entries for name in entry} != firewall.ranges.keys():
        raise BadFileError("an object is used nowhere")
    pairs = [(firewall.ranges[local], firewall.ranges[remote]) for local, remote in entries]
    remotes = {remote for _, remote in pairs}
    if len(set(firewall.routes)) != len(firewall.routes) or not remotes.issuperset(firewall.routes):
        raise BadFileError("a route twice, or to somewhere else")
    if len(set(pairs)) != len(pairs):
        raise BadFileError("a pair twice")
    return tuple(sorted(pairs))
