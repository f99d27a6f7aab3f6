"""A reader of VyOS's `set` commands, written from its documentation and its interface definitions (see commands.py).

The rules around the tunnel must be those of its pairs: a range that is not exempt from NAT, or one too many, is an
error.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from tests.devices.understood import BadFileError, Understood
from tests.devices.vyos.commands import (
    AEADS,
    CIPHERS,
    ESP,
    HASHES,
    IKE,
    LEAVES,
    PEER,
    PSK,
    Commands,
    Rule,
    commands_of,
)

SILENT: frozenset[str] = frozenset()


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What VyOS would understand of the file. Raises BadFileError."""
    assert platform_id == "vyos"
    if len(files) != 1:
        raise BadFileError(f"not one file: {list(files)}")
    [text] = files.values()
    try:
        return _understood(commands_of(text))
    except (KeyError, ValueError) as missing:
        raise BadFileError(f"something is missing: {missing}") from missing


def _understood(commands: Commands) -> Understood:
    names = {
        words[0] for (pattern, words) in commands.found if pattern.startswith(("vpn ", "policy "))
    }
    if len(names) != 1:
        raise BadFileError(f"objects of several names: {sorted(names)}")
    [name] = names
    peer, pairs = _peer(commands, name)
    ike, esp = commands.one(IKE, name), commands.one(ESP, name)
    _around(commands, pairs, _address(peer["remote-address"]))
    version = int(ike["key-exchange"][-1])
    return Understood(
        version=version,
        mode=_mode(ike, version),
        **_ike_proposal(ike),
        ike_seconds=_number(ike["lifetime"], 1, 86_400),
        **_esp_proposal(esp),
        esp_seconds=_number(esp["lifetime"], 30, 86_400),
        esp_kb=_kilobytes(_number(esp["life-bytes"], 1_024, 26_843_545_600_000)),
        local_address=_address(peer["local-address"]),
        remote_address=_address(peer["remote-address"]),
        local_identity=peer["authentication local-id"],
        remote_identity=peer["authentication remote-id"],
        psk=_secret(
            commands, name, {peer["authentication local-id"], peer["authentication remote-id"]}
        ),
        pairs=tuple(sorted(pairs)),
        dpd=_dpd(ike),
        starts=_starts(peer, ike),
    )


def _peer(commands: Commands, name: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """(What the peer says, its pairs)."""
    leaves, ranges = {}, {}
    for leaf, values in commands.below(PEER).items():
        if leaf.startswith("tunnel N "):
            ranges[leaf] = {words[1]: _network(value) for words, [value] in values.items()}
        else:
            [[leaves[leaf]]] = values.values()
    wanted = {leaf.removeprefix(f"{PEER} ") for leaf in LEAVES if leaf.startswith(f"{PEER} ")}
    _same("the peer", wanted, leaves.keys() | ranges.keys())
    for group in ("default-esp-group", "ike-group"):
        _same(group, name, leaves[group])
    locals_, remotes = ranges["tunnel N local prefix"], ranges["tunnel N remote prefix"]
    _same("the tunnels", locals_.keys(), remotes.keys())
    pairs = [(locals_[number], remotes[number]) for number in locals_]
    if len(set(pairs)) != len(pairs):
        raise BadFileError("one pair twice")
    return leaves, pairs


def _secret(commands: Commands, name: str, owners: set[str]) -> str:
    leaves = commands.below(PSK)
    _same("the key", {"id", "secret"}, leaves.keys())
    _same("the key's owners", owners, set(leaves["id"][name,]))
    [secret] = leaves["secret"][name,]
    # swanctl would decode these, and VyOS's own parser would skip the last.
    if secret.lower().startswith(("0x", "0s", "//")):
        raise BadFileError("a key that means something else")
    return secret


def _ike_proposal(ike: dict[str, str]) -> dict[str, str | None]:
    always = {"key-exchange", "lifetime", "close-action"}
    always |= {f"proposal N {leaf}" for leaf in ("encryption", "hash", "dh-group")}
    if not always <= ike.keys():
        raise BadFileError(f"missing: {always - ike.keys()}")
    cipher, digest, prf = (
        ike.get(f"proposal N {leaf}", "") for leaf in ("encryption", "hash", "prf")
    )
    aead = cipher in AEADS
    if (aead and prf != f"prf{digest}") or (prf and not aead):
        raise BadFileError(f"{cipher} with {digest} and {prf}")
    return {
        "ike_encryption": CIPHERS[cipher],
        "ike_integrity": None if aead else HASHES[digest],
        "ike_prf": HASHES[digest] if aead else None,
        "ike_dh": f"dh{ike['proposal N dh-group']}",
    }


def _esp_proposal(esp: dict[str, str]) -> dict[str, str | None]:
    wanted = {leaf.removeprefix(f"{ESP} ") for leaf in LEAVES if leaf.startswith(f"{ESP} ")}
    _same("the esp-group", wanted, esp.keys())
    cipher, pfs = esp["proposal N encryption"], esp["pfs"]
    return {
        "esp_encryption": CIPHERS[cipher],
        "esp_integrity": None if cipher in AEADS else HASHES[esp["proposal N hash"]],
        "pfs": "" if pfs == "disable" else pfs.replace("dh-group", "dh"),
    }


def _mode(ike: dict[str, str], version: int) -> str | None:
    _same("main mode and mobike", {1: "mode", 2: "disable-mobike"}[version],
          "".join(ike.keys() & {"mode", "disable-mobike"}))  # fmt: skip
    return ike.get("mode")


def _dpd(ike: dict[str, str]) -> bool:
    said = {leaf: value for leaf, value in ike.items() if leaf.startswith("dead-peer-detection")}
    if not said:
        return False
    if len(said) != 3 or not 2 <= int(said["dead-peer-detection interval"]) < int(
        said["dead-peer-detection timeout"]
    ):
        raise BadFileError(f"dead peers: {said}")
    return True


def _starts(peer: dict[str, str], ike: dict[str, str]) -> bool:
    starts = peer["connection-type"] == "initiate"
    _same("close-action", "start" if starts else "none", ike["close-action"])
    if not starts and ike.get("dead-peer-detection action") == "restart":
        raise BadFileError("it waits, and starts again all the same")
    return starts


def _around(commands: Commands, pairs: list[tuple[str, str]], gateway: str) -> None:
    """The rules are those of the pairs, and of the VPN gateway, and no others."""
    four = [pair for pair in pairs if ":" not in pair[0]]
    six = [pair for pair in pairs if ":" in pair[0]]
    _exempt(commands, four)
    used = {
        pattern.rpartition(" ")[2] for pattern, _ in commands.found if " ipsec match-" in pattern
    }
    if len(used) != 1:
        raise BadFileError(f"rules for several versions: {used}")
    [matched] = used
    for family, own in (("ipv4", four), ("ipv6", six)):
        wanted = []
        for local, remote in own:
            out = {"action": "accept", "source address": local, "destination address": remote}
            back = {"action": "accept", "source address": remote, "destination address": local}
            wanted += [_rule(out), _rule({**back, f"ipsec {matched}": ""})]
        _same(family, wanted, commands.rules(f"firewall {family} forward filter rule N"))
    _entering(commands, gateway, matched)
    for policy, own in (("route", four), ("route6", six)):
        _segments(commands, policy, own)


def _exempt(commands: Commands, pairs: list[tuple[str, str]]) -> None:
    """One rule excludes each pair, all on one interface."""
    rules = commands.rules("nat source rule N")
    interfaces = {
        value for rule in rules for leaf, value in rule if leaf == "outbound-interface name"
    }
    if len(interfaces) != bool(pairs):
        raise BadFileError(f"outside interfaces: {interfaces}")
    _same("nat", [
        _rule({"outbound-interface name": interface, "source address": local, "destination address": remote,
               "exclude": ""})
        for interface in interfaces for local, remote in pairs
    ], rules)  # fmt: skip


def _entering(commands: Commands, gateway: str, matched: str) -> None:
    """IKE and ESP from the VPN gateway; and pings, to the address that the dummy interface has."""
    wanted: dict[str, list[Rule]] = {"ipv4": [], "ipv6": []}
    wanted["ipv6" if ":" in gateway else "ipv4"] += [
        _rule({"action": "accept", "protocol": "udp", "source address": gateway, "destination port": "500,4500"}),
        _rule({"action": "accept", "protocol": "esp", "source address": gateway}),
    ]  # fmt: skip
    found = {family: commands.rules(f"firewall {family} input filter rule N") for family in wanted}
    for [owned] in commands.below("interfaces dummy NAME").get("address", {}).values():
        asked = ipaddress.ip_interface(owned)
        if asked.network.num_addresses != 1:
            raise BadFileError(f"more than one address: {owned}")
        family, protocol = ("ipv6", "ipv6-icmp") if asked.version == 6 else ("ipv4", "icmp")
        sources = [value for rule in found[family] if ("protocol", protocol) in rule
                   for leaf, value in rule if leaf == "source address"]  # fmt: skip
        wanted[family] += [
            _rule({"action": "accept", "protocol": protocol, "source address": _address(source),
                   "destination address": str(asked.ip), f"ipsec {matched}": ""})
            for source in sources[:1]
        ] or [frozenset()]  # fmt: skip
    for family, rules in wanted.items():
        _same(f"input {family}", rules, found[family])


def _segments(commands: Commands, policy: str, pairs: list[tuple[str, str]]) -> None:
    found = commands.below(f"policy {policy} NAME")
    interfaces = [value for values in found.get("interface", {}).values() for value in values]
    if bool(interfaces) != bool(pairs):
        raise BadFileError(f"interfaces of {policy}: {interfaces}")
    _same(policy, [
        _rule({"protocol": "tcp", "tcp flags syn": "", "source address": source, "destination address": destination,
               "set tcp-mss": "1300"})
        for local, remote in pairs for source, destination in ((local, remote), (remote, local))
    ], commands.rules(f"policy {policy} NAME rule N"))  # fmt: skip


def _rule(said: Mapping[str, str]) -> Rule:
    return frozenset(said.items())


def _same(what: str, wanted: object, found: object) -> None:
    if isinstance(wanted, list) and isinstance(found, list):
        wanted, found = _unordered(wanted), _unordered(found)
    if wanted != found:
        raise BadFileError(f"{what}: {found}, and not {wanted}")


def _unordered(rules: Iterable[object]) -> list[str]:
    return sorted(str(sorted(rule)) if isinstance(rule, frozenset) else str(rule) for rule in rules)


def _number(text: str, low: int, high: int) -> int:
    if not low <= int(text) <= high:
        raise BadFileError(f"{text} is not {low} to {high}")
    return int(text)


def _kilobytes(count: int) -> int:
    if count % 1024:
        raise BadFileError(f"{count} bytes are no whole KB")
    return count // 1024


def _address(text: str) -> str:
    try:
        canonical = str(ipaddress.ip_address(text))
    except ValueError:
        raise BadFileError(f"no address: {text}") from None
    _same("the address", canonical, text)
    return canonical


def _network(text: str) -> str:
    try:
        canonical = str(ipaddress.ip_network(text))
    except ValueError:
        raise BadFileError(f"no range: {text}") from None
    _same("the range", canonical, text)
    return canonical
