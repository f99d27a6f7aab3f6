"""VyOS's interface definitions as a tree, and `set` commands judged by it.

The definitions are the XML from which VyOS makes its command line (vyos-1x, folder interface-definitions; its schema is
schema/interface_definition.rng). They are not ours to ship. Whoever has them runs

    python -m tests.vendors.vyos_xml PATH COMMIT

which judges each line of VyOS's golden files and, when all are right, keeps the digests of what was judged in
tests/devices/vyos/checked.json. The test beside that file holds the goldens to it.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.vendors.checked import keep, texts_of

PLATFORM = "vyos"
RECORD = Path(__file__).parents[1] / "devices" / "vyos" / "checked.json"
NOT_COVERED = (
    "commit and save: commands of the shell, not of the tree",
    "whether values fit together: VyOS's conf_mode scripts look at that",
    "comments",
    "the files for 1.5: one word of theirs is another (match-ipsec-in)",
)
SHELL = {"commit", "save"}
_INCLUDE = re.compile(r"^\s*#include\s+<(?P<path>[^>]+)>\s*$", re.MULTILINE)
_NUMBERS = re.compile(r"u32:(\d+)-(\d+)", re.ASCII)


class BadDefinitionsError(Exception):
    """The folder holds no definitions that this reader understands."""


@dataclass(slots=True)
class Node:
    """A node of the tree. `kind` is node, tagNode or leafNode; a tagNode's name is followed by a value of its own.

    `patterns` and `validators` are alternatives: a value must satisfy one of them, when there is any.
    """

    name: str
    kind: str
    children: dict[str, Node] = field(default_factory=dict)
    patterns: list[str] = field(default_factory=list)
    validators: list[tuple[str, str]] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    valueless: bool = False

    def problem(self, value: str) -> str:
        """Why the value is none for this node, or ""."""
        if self.patterns or self.validators:
            matches = any(re.fullmatch(pattern, value) for pattern in self.patterns)
            if matches or any(_valid(name, argument, value) for name, argument in self.validators):
                return ""
            return f"{self.name} does not take {value!r}"
        # Where no constraint is written, the help's own ranges are all that is said.
        if self.ranges and not any(_within(value, low, high) for low, high in self.ranges):
            return f"{self.name} does not take {value!r}"
        return ""


def load(folder: Path) -> Node:
    """The tree of all definitions in the folder. Raises BadDefinitionsError."""
    root = Node("", "node")
    paths = sorted(folder.glob("*.xml.in"))
    if not paths:
        raise BadDefinitionsError(f"no *.xml.in in {folder}")
    for path in paths:
        try:
            document = ET.fromstring(_included(path.read_text(encoding="utf-8"), folder))  # noqa: S314 - the developer's own copy
        except (ET.ParseError, OSError) as reason:
            raise BadDefinitionsError(f"{path.name}: {reason}") from reason
        _grow(root, document)
    return root


def problems(text: str, root: Node) -> Iterator[str]:
    """What is wrong with each line of a file of commands; nothing when all are right."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line or line.startswith("#") or line in SHELL:
            continue
        found = problem(line, root)
        if found:
            yield f"line {number}: {found}: {line}"


def problem(command: str, root: Node) -> str:
    """What is wrong with one `set` command, or ""."""
    try:
        verb, *words = shlex.split(command)
    except ValueError as reason:
        return str(reason)
    if verb != "set":
        return f"unknown command {verb}"
    return _walk(root, words)


def _walk(node: Node, words: list[str]) -> str:
    while words:
        name, *words = words
        child = node.children.get(name)
        if child is None:
            return f"{node.name or 'the top'} has no {name}"
        if child.kind == "leafNode":
            return _leaf(child, words)
        if child.kind == "tagNode":
            if not words:
                return f"{name} needs a value"
            value, *words = words
            wrong = child.problem(value)
            if wrong:
                return wrong
        node = child
    return f"{node.name} is not the end" if node.kind == "node" else ""


def _leaf(leaf: Node, words: list[str]) -> str:
    if leaf.valueless:
        return f"{leaf.name} takes no value" if words else ""
    if len(words) != 1:
        return f"{leaf.name} takes one value"
    return leaf.problem(words[0])


def _included(text: str, folder: Path) -> str:
    def content(match: re.Match[str]) -> str:
        return _included((folder / match["path"]).read_text(encoding="utf-8"), folder)

    return _INCLUDE.sub(content, text)


def _grow(node: Node, element: ET.Element) -> None:
    """Add what is below the element; several files describe the same nodes, each a part of them."""
    for one in element:
        if one.tag == "children":
            _grow(node, one)
        elif one.tag in {"node", "tagNode", "leafNode"}:
            name = one.attrib["name"]
            child = node.children.setdefault(name, Node(name, one.tag))
            _describe(child, one)
            _grow(child, one)


def _describe(node: Node, element: ET.Element) -> None:
    properties = element.find("properties")
    if properties is None:
        return
    node.valueless |= properties.find("valueless") is not None
    for constraint in (*properties.findall("constraint"), *properties.findall("constraintGroup")):
        node.patterns += [one.text or "" for one in constraint.findall("regex")]
        node.validators += [
            (one.attrib["name"], one.attrib.get("argument", ""))
            for one in constraint.findall("validator")
        ]
    for format_ in properties.findall("valueHelp/format"):
        numbers = _NUMBERS.fullmatch((format_.text or "").strip())
        if numbers:
            node.ranges.append((int(numbers[1]), int(numbers[2])))


def _within(value: str, low: int, high: int) -> bool:
    return re.fullmatch("[0-9]{1,20}", value, re.ASCII) is not None and low <= int(value) <= high


def _valid(name: str, argument: str, value: str) -> bool:
    """As VyOS's validator of that name; one that is not known here lets nothing pass."""
    if name == "numeric":
        numbers = re.search(r"--range (\d+)-(\d+)", argument)
        return numbers is not None and _within(value, int(numbers[1]), int(numbers[2]))
    check = _VALIDATORS.get(name)
    return check is not None and check(value)


def _parses(parse: Callable[[str], object], *, prefix: bool = False) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        if prefix and "/" not in value:
            return False
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return check


def _ports(value: str) -> bool:
    return all(_within(port, 1, 65_535) for port in value.split(","))


_VALIDATORS: Mapping[str, Callable[[str], bool]] = {
    "ip-address": _parses(ipaddress.ip_address),
    "ip-host": _parses(ipaddress.ip_interface, prefix=True),
    "ipv4-address": _parses(ipaddress.IPv4Address),
    "ipv4-host": _parses(ipaddress.IPv4Interface, prefix=True),
    "ipv4-prefix": _parses(ipaddress.IPv4Network, prefix=True),
    "ipv6": _parses(ipaddress.IPv6Network),
    "ipv6-address": _parses(ipaddress.IPv6Address),
    "ipv6-host": _parses(ipaddress.IPv6Interface, prefix=True),
    "ipv6-prefix": _parses(ipaddress.IPv6Network, prefix=True),
    "ip-protocol": lambda value: value in {"udp", "tcp", "esp", "icmp", "ipv6-icmp", "icmpv6"},
    "port-multi": _ports,
    "fqdn": lambda value: re.fullmatch("[A-Za-z0-9][-.A-Za-z0-9]*", value, re.ASCII) is not None,
}


def main(arguments: list[str]) -> int:
    """Judge the goldens by the definitions in the folder given, keep the record. Returns the exit code."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m tests.vendors.vyos_xml PATH COMMIT\n")
        return 2
    root = load(Path(arguments[0]))
    texts = texts_of(PLATFORM)
    wrong = [f"{name}: {found}" for name, text in texts.items() for found in problems(text, root)]
    if wrong:
        sys.stdout.write("\n".join([*wrong, "The record stays as it is.", ""]))
        return 1
    lines = sum(line.startswith("set ") for text in texts.values() for line in text.splitlines())
    by = f"vyos-1x interface definitions {arguments[1]}"
    keep(RECORD, by=by, texts=texts, lines=lines, not_covered=NOT_COVERED)
    sys.stdout.write(f"{lines} lines of {len(texts)} files are right.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
