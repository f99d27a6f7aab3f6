"""A reader of swanctl.conf, written from swanctl.conf(5): which sections and settings there are, and what they mean.

The lexer's rules are in `settings.py`. Settings that a tunnel does not need are errors, so that nothing slips by.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.devices import charon
from tests.devices.strongswan_swanctl.settings import BadSettingsError, Section, read_settings
from tests.devices.understood import BadFileError, Understood

SILENT: frozenset[str] = frozenset()

Words = dict[str, str]

_CONNECTION = {
    "version", "local_addrs", "remote_addrs", "proposals", "rekey_time", "over_time", "fragmentation", "keyingtries",
}  # fmt: skip
_CONNECTION_OPTIONAL = {"aggressive", "mobike", "dpd_delay", "dpd_timeout"}
_CHILD = {
    "local_ts", "remote_ts", "mode", "esp_proposals", "life_time", "rekey_time", "life_bytes", "rekey_bytes",
    "start_action",
}  # fmt: skip
_CHILD_OPTIONAL = {"close_action", "dpd_action"}
# Which values a setting may have, where that is all there is to know.
_ALLOWED = {
    "version": {"1", "2"},
    "aggressive": {"yes", "no"},
    "mobike": {"no"},
    "fragmentation": {"yes"},
    "keyingtries": {"0"},
    "mode": {"tunnel"},
    "start_action": {"start", "trap"},
    "close_action": {"start"},
    "dpd_action": {"restart", "clear"},
    "auth": {"psk"},
}


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What charon would understand of the file. Raises BadFileError."""
    assert platform_id == "strongswan-swanctl"
    if len(files) != 1:
        raise BadFileError(f"not one file: {list(files)}")
    try:
        tree = read_settings(next(iter(files.values())))
    except BadSettingsError as error:
        raise BadFileError(str(error)) from error
    connections, secrets = _sections(tree, "connections", "secrets")
    name, connection = _only(connections)
    secret_name, secret = _only(secrets)
    if secret_name != f"ike-{name}":
        raise BadFileError(f"the secret {secret_name} is none of IKE, or of another connection")
    local, remote, children = _sections(connection, "local", "remote", "children")
    return _understood(
        _settings(connection, _CONNECTION, _CONNECTION_OPTIONAL),
        _settings(local, {"auth", "id"}),
        _settings(remote, {"auth", "id"}),
        [_settings(_nested(children, child), _CHILD, _CHILD_OPTIONAL) for child in children],
        _settings(secret, {"id-local", "id-remote", "secret"}),
    )


def _understood(
    connection: Words, local: Words, remote: Words, children: list[Words], secret: Words
) -> Understood:
    if (secret["id-local"], secret["id-remote"]) != (local["id"], remote["id"]):
        raise BadFileError("the key belongs to other identities than the connection")
    version = int(connection["version"])
    if ("aggressive" in connection, "mobike" in connection) != (version == 1, version == 2):
        raise BadFileError("a setting of another version")
    child, pairs = _children(children)
    return Understood(
        version=version,
        mode={"yes": "aggressive", "no": "main"}[connection["aggressive"]]
        if version == 1
        else None,
        **charon.ike_proposal(connection["proposals"]),
        **charon.esp_proposal(child["esp_proposals"]),
        # charon gives up when the time for renewal is over as well.
        ike_seconds=charon.seconds(connection["rekey_time"])
        + charon.seconds(connection["over_time"]),
        esp_seconds=_renewed(child, "time", charon.seconds),
        esp_kb=charon.kilobytes(_renewed(child, "bytes", charon.number)),
        local_address=charon.address(connection["local_addrs"]),
        remote_address=charon.address(connection["remote_addrs"]),
        local_identity=charon.identity(local["id"], name="fqdn:"),
        remote_identity=charon.identity(remote["id"], name="fqdn:"),
        psk=_key(secret["secret"]),
        pairs=pairs,
        dpd=_dpd(connection, child, version),
        starts=child["start_action"] == "start",
    )


def _sections(tree: Section, *names: str) -> list[Section]:
    """The subsections of these names; there are no others."""
    if {name for name, value in tree.items() if isinstance(value, dict)} != set(names):
        raise BadFileError(f"sections are not {names}: {list(tree)}")
    return [_nested(tree, name) for name in names]


def _nested(tree: Section, name: str) -> Section:
    value = tree[name]
    if isinstance(value, str):
        raise BadFileError(f"{name} is no section")
    return value


def _only(tree: Section) -> tuple[str, Section]:
    if len(tree) != 1:
        raise BadFileError(f"not one section: {list(tree)}")
    [name] = tree
    return name, _nested(tree, name)


def _settings(
    section: Section, wanted: set[str], optional: frozenset[str] | set[str] = frozenset()
) -> Words:
    """The settings of the section: all that are wanted, none that are unknown."""
    found = {name: value for name, value in section.items() if isinstance(value, str)}
    if not wanted <= found.keys() <= wanted | optional:
        raise BadFileError(f"settings missing or unknown: {sorted(found.keys() ^ wanted)}")
    for name, values in _ALLOWED.items():
        if name in found and found[name] not in values:
            raise BadFileError(f"{name} = {found[name]}")
    return found


def _children(children: list[Words]) -> tuple[Words, tuple[tuple[str, str], ...]]:
    """(What all CHILD_SAs share, their pairs)."""
    pairs = [
        (charon.network(child.pop("local_ts")), charon.network(child.pop("remote_ts")))
        for child in children
    ]
    if not children or any(child != children[0] for child in children):
        raise BadFileError("pairs that differ in more than their ranges")
    if len(set(pairs)) != len(pairs):
        raise BadFileError("a pair twice")
    return children[0], tuple(sorted(pairs))


def _renewed(child: Words, unit: str, value: charon.Value) -> int:
    """The lifetime in this unit; it is renewed before it ends."""
    life, rekey = value(child[f"life_{unit}"]), value(child[f"rekey_{unit}"])
    if not life // 2 < rekey < life:
        raise BadFileError(f"renewed at {rekey} of {life}")
    return life


def _dpd(connection: Words, child: Words, version: int) -> bool:
    """`dpd_delay` turns DPD on; without it there is no timeout and no action."""
    on = "dpd_delay" in connection
    if ("dpd_timeout" in connection) != (on and version == 1) or ("dpd_action" in child) != on:
        raise BadFileError("settings of DPD missing, or too many")
    delay = charon.seconds(connection["dpd_delay"]) if on else 0
    if "dpd_timeout" in connection and delay >= charon.seconds(connection["dpd_timeout"]):
        raise BadFileError("DPD would give up before it has asked")
    return on


def _key(value: str) -> str:
    """swanctl decodes what begins with 0x or 0s, in either case and even between quotes."""
    if value[:2].lower() == "0s":
        raise BadFileError("a key in base64")
    if value[:2].lower() != "0x":
        return value
    try:
        return bytes.fromhex(value[2:]).decode("ascii")
    except ValueError as error:
        raise BadFileError("no key in hex") from error
