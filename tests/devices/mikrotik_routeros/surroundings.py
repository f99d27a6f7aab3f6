"""What a tunnel needs on RouterOS besides `/ip ipsec`: the firewall's rules, and the health check's address.

Written from MikroTik's manual, "IPsec" (NAT and FastTrack bypass), "Filter", "NAT", "Mangle". The first rule that
matches counts: what is accepted must therefore be moved to the top of its chain, all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.devices.mikrotik_routeros.parameters import Parameters, is_address, network
from tests.devices.mikrotik_routeros.script import Command, ToTheTop
from tests.devices.understood import BadFileError

Pair = tuple[str, str]
MSS = 1_300
# What a rule does besides matching, in each table.
ACTIONS = {
    "filter": {"action": "accept"},
    "nat": {"action": "accept"},
    "mangle": {
        "action": "change-mss", "new-mss": str(MSS), "passthrough": "yes",
        "protocol": "tcp", "tcp-flags": "syn", "tcp-mss": f"{MSS + 1}-65535",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """What one rule matches; `way` is the direction of IPsec, empty for either or none."""

    menu: str
    chain: str
    protocol: str = ""
    source: str = ""
    target: str = ""
    way: str = ""


def check_surroundings(
    commands: Sequence[Command], name: str, gateway: str, pairs: Sequence[Pair]
) -> None:
    """Raises BadFileError unless each pair passes both ways, first of all and untranslated, and nothing else does."""
    rules: list[Rule] = []
    moved: set[tuple[str, str]] = set()
    others: list[Parameters] = []
    for command in commands:
        if isinstance(command, ToTheTop):
            _moves(command, name, rules, moved)
        elif " firewall " in command.path:
            rules.append(_rule(Parameters(command), name))
            if (rules[-1].menu, rules[-1].chain) in moved:
                raise BadFileError(f"a rule behind the others: {command}")
        else:
            others.append(Parameters(command))
    accepting = {(rule.menu, rule.chain) for rule in rules if "mangle" not in rule.menu}
    if moved != accepting:
        raise BadFileError(f"not at the top: {accepting - moved}")
    _check_rules(rules, gateway, pairs, _own(others, name))


def _moves(command: ToTheTop, name: str, rules: list[Rule], moved: set[tuple[str, str]]) -> None:
    """The rules of its chain, none of which was moved before, and none of another tunnel."""
    chain = (command.menu, command.chain)
    count = Counter((rule.menu, rule.chain) for rule in rules)[chain]
    if command.comment != name or command.count != count or chain in moved:
        raise BadFileError(f"{command}, but there are {count} rules")
    moved.add(chain)


def _rule(one: Parameters, name: str) -> Rule:
    family, _, table = one.path.rpartition(" firewall ")
    if family not in {"/ip", "/ipv6"} or table not in ACTIONS:
        raise BadFileError(f"unknown: {one.path}")
    one.expect({"comment": name, **ACTIONS[table]})
    chain = one.text("chain")
    protocol = one.left.pop("protocol", "")
    if protocol == "udp":
        one.expect({"dst-port": "500,4500"})
    way = one.left.pop("ipsec-policy", ",ipsec").removesuffix(",ipsec")
    source, target = one.left.pop("src-address", ""), one.left.pop("dst-address", "")
    one.done()
    return Rule(one.path, chain, protocol, source, target, way)


def _own(commands: list[Parameters], name: str) -> str:
    """The address that the device is given, or none."""
    if not commands:
        return ""
    if [one.path for one in commands] not in (
        ["/interface bridge", "/ip address"],
        ["/interface bridge", "/ipv6 address"],
    ):
        raise BadFileError(f"unknown: {[one.path for one in commands]}")
    bridge, address = commands
    bridge.expect({"name": name, "protocol-mode": "none", "comment": name})
    bridge.done()
    address.expect({"interface": name, "comment": name})
    if address.path == "/ipv6 address":
        address.expect({"advertise": "no"})
    own = network(address.text("address"))
    address.done()
    if own.prefixlen != own.max_prefixlen or _menu(str(own)) != address.path.split(" ")[0]:
        raise BadFileError(f"no address of a host: {own}")
    return str(own.network_address)


def _check_rules(rules: list[Rule], gateway: str, pairs: Sequence[Pair], own: str) -> None:
    probes = [rule for rule in rules if rule.protocol.startswith("icmp")]
    if len(probes) > 1 or (own and [rule.target for rule in probes] != [own]):
        raise BadFileError(f"pings to {own or 'nowhere'} are not let in: {probes}")
    wanted = {*_input(gateway), *_probed(probes, pairs)}
    alone: set[Rule] = set()
    for local, remote in pairs:
        wanted.add(Rule(f"{_menu(local)} firewall nat", "srcnat", "", local, remote))
        through = set(_through(local, remote))
        wanted |= through
        if own and _is_host(local, own):
            alone |= through
    found = set(rules)
    if len(found) != len(rules) or found not in (wanted, wanted - alone):
        raise BadFileError(f"missing {sorted(wanted - found)}, too many {sorted(found - wanted)}")


def _input(gateway: str) -> Iterator[Rule]:
    for protocol in ("udp", "ipsec-esp"):
        yield Rule(f"{_menu(gateway)} firewall filter", "input", protocol, gateway)


def _probed(probes: list[Rule], pairs: Sequence[Pair]) -> Iterator[Rule]:
    """Those rules as they must be, if a pair covers them."""
    for rule in probes:
        if not is_address(rule.source) or not is_address(rule.target):
            raise BadFileError(f"no two addresses: {rule}")
        if not any(
            _holds(local, rule.target) and _holds(remote, rule.source) for local, remote in pairs
        ):
            raise BadFileError(f"no pair covers {rule}")
        icmp = "icmp" if is_address(rule.target, 4) else "icmpv6"
        yield Rule(
            f"{_menu(rule.target)} firewall filter", "input", icmp, rule.source, rule.target, "in"
        )


def _through(local: str, remote: str) -> Iterator[Rule]:
    for table in ("filter", "mangle"):
        menu = f"{_menu(local)} firewall {table}"
        yield Rule(menu, "forward", "", local, remote, "out")
        yield Rule(menu, "forward", "", remote, local, "in")


def _menu(address: str) -> str:
    return "/ipv6" if ":" in address else "/ip"


def _holds(outer: str, address: str) -> bool:
    block, host = network(outer), network(address + ("/128" if ":" in address else "/32"))
    return block.version == host.version and host.network_address in block


def _is_host(block: str, address: str) -> bool:
    return network(block).num_addresses == 1 and _holds(block, address)
