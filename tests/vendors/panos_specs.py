"""PAN-OS `set` commands judged by the specifications of Palo Alto Networks' own provider (pan-os-codegen).

They describe the configuration tree: names, values, ranges, lengths. They are public and not ours to ship. With a copy,

    python -m tests.vendors.panos_specs FOLDER COMMIT

checks every golden file of PAN-OS, misspells each word of each line to see that it is noticed, and writes the record
that stands beside the tests; COMMIT says which copy it was. What the specifications do not hold is in NOT_COVERED.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tests.vendors.checked import keep, texts_of

PLATFORM: Final = "paloalto-panos"
RECORD: Final = Path(__file__).parents[1] / "devices" / "paloalto_panos" / "checked.json"
SPECIFICATIONS: Final = (
    "network/ike-gateway.yaml",
    "network/interface/tunnel.yaml",
    "network/logical-router.yaml",
    "network/profiles/interface-management-profile.yaml",
    "network/tunnels/ipsec.yaml",
    "network/virtual-router-static-route-ipv4.yaml",
    "network/virtual-router-static-route-ipv6.yaml",
    "network/virtual-router.yaml",
    "network/zone.yaml",
    "objects/profiles/ike-crypto-profile.yaml",
    "objects/profiles/ipsec-crypto-profile.yaml",
    "policies/network-address-translation.yaml",
    "policies/security-policy-rule.yaml",
)
# Commands that are no part of the configuration tree, and the one place of it that has no specification.
PASSED_OVER: Final = ("set cli ", "configure", "move ", "set import network interface ")
# Lines that the specifications forbid.
FORBIDDEN: Final = (
    "set network ike crypto-profiles ike-crypto-profiles {name} lifetime seconds 86400",
    "set network ike crypto-profiles ike-crypto-profiles {name} dh-group group31",
    "set network ike crypto-profiles ike-crypto-profiles {name} encryption aes256",
    "set network ike crypto-profiles ipsec-crypto-profiles {name} lifesize kb 4608000",
    "set network ike crypto-profiles ipsec-crypto-profiles {name} esp hash sha256",
    "set network ike gateway {name} protocol ikev2 dpd retry 3",
    "set network ike gateway {name} protocol ikev1 exchange-mode quick",
    "set network tunnel ipsec {name} auto-key proxy-id {name}-1 protocol all",
)
NOT_COVERED: Final = (
    "set cli, configure, move, and set import network interface are not in the specifications",
    "ids' types, interfaces, zones, addresses and applications are free text there",
    "one release is described; the words of older ones follow the Administrator's Guides",
)


class BadLineError(Exception):
    """The specifications do not allow the line."""


@dataclass(frozen=True)
class Node:
    """A place of the configuration tree; `raw` is the parameter, variant or list item of the specification."""

    raw: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """The words that lead here from the parent, without the `entry` of a list; () for what is no place."""
        return tuple(word for word in self.raw["profiles"][0].get("xpath") or () if word != "entry")

    def children(self) -> Iterator[Node]:
        """The parameters and variants below."""
        spec = self.raw.get("spec") or {}
        if self.raw["type"] == "list":
            spec = spec["items"].get("spec") or {}
        for raw in (*spec.get("params", ()), *spec.get("variants", ())):
            yield Node(raw)

    def child(self, words: Sequence[str]) -> Node | None:
        """The child to which the next words lead."""
        for child in self.children():
            names = child.names
            if names and tuple(words[: len(names)]) == names:
                return child
        return None

    @property
    def is_named(self) -> bool:
        """Whether this is a list whose items have names and places below."""
        return bool(self.raw["profiles"][0].get("type") == "entry")

    @property
    def is_free(self) -> bool:
        """Whether any text is taken."""
        return self.raw["type"] == "string" or (self.raw["type"] == "list" and not self._choices())

    def problem(self, value: str) -> str:
        """What is wrong with the value, or ""."""
        kind = self.raw["type"]
        if kind == "bool" and value not in {"yes", "no"}:
            return f"{value} is not yes or no"
        choices = self._choices()
        if choices and value not in choices:
            return f"{value} is none of {' '.join(choices)}"
        for validator in self.raw.get("validators", ()):
            limits = validator["spec"]
            if validator["type"] == "length":
                number = _number(value) if kind == "int64" else len(value)
                if not limits.get("min", 0) <= number <= limits.get("max", 2**32):
                    return f"{value} is outside {limits}"
        return f"{value} is no number" if kind == "int64" and _number(value) < 0 else ""

    def _choices(self) -> tuple[str, ...]:
        spec = self.raw.get("spec") or {}
        if self.raw["type"] == "list":
            spec = spec["items"].get("spec") or {}
        return tuple(str(one["value"]) for one in spec.get("values", ()))


@dataclass(frozen=True)
class Specification:
    """One object: the path of words to it (`$…` stands for a name) and the tree below it."""

    path: tuple[str, ...]
    top: Node

    @classmethod
    def read(cls, text: str) -> Specification:
        """The specification of a file of pan-os-codegen."""
        raw = yaml.safe_load(text)
        paths = {one["name"]: one["xpath"]["path"] for one in raw["locations"]}
        place = paths.get("ngfw") or paths["vsys"]
        # In front of it all stand the device and, for a rule or a zone, the virtual system.
        while place and (place[0] in {"config", "devices", "vsys"} or place[0].startswith("$")):
            place = place[1:]
        path = (*place, *raw["panos_xpath"]["path"])
        if not path[-1].startswith("$"):
            path = (*path, "$name")
        return cls(path=path, top=Node({"type": "object", "profiles": [{}], "spec": raw["spec"]}))

    def leads(self, words: Sequence[str]) -> bool:
        """Whether the words go this way."""
        return len(words) >= len(self.path) and all(
            step in {word, "$name", "$parent"} for step, word in zip(self.path, words, strict=False)
        )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1


@dataclass(slots=True)
class Line:
    """One `set` line on its way through the tree; `free` are the places of words that may be anything."""

    words: list[str]
    at: int
    free: set[int] = field(default_factory=set)

    def walk(self, specification: Specification) -> None:
        """Follow the line to its end. Raises BadLineError."""
        self.free |= {
            place + 1 for place, step in enumerate(specification.path) if step.startswith("$")
        }
        stack = [specification.top]
        if self.at == len(self.words):
            raise BadLineError("it names an object and says nothing of it")
        while self.at < len(self.words):
            while stack and stack[-1].child(self.words[self.at :]) is None:
                stack.pop()
            if not stack:
                raise BadLineError(f"{self.words[self.at]} is unknown here")
            child = stack[-1].child(self.words[self.at :])
            assert child is not None
            self.at += len(child.names)
            if self._enter(child):
                stack.append(child)

    def _enter(self, node: Node) -> bool:
        """Take the node's value or name; whether the line may go on below it."""
        if node.is_named:
            self._value(node, free=True)
            return True
        if node.raw["type"] == "object":
            if self.at == len(self.words) and any(node.children()):
                raise BadLineError("it ends too early")
            return True
        if node.raw["type"] == "list" and self.words[self.at : self.at + 1] == ["["]:
            self.at += 1
            while self.words[self.at : self.at + 1] != ["]"]:
                self._value(node, free=node.is_free)
            self.at += 1
        else:
            self._value(node, free=node.is_free)
        return False

    def _value(self, node: Node, *, free: bool) -> None:
        if self.at == len(self.words):
            raise BadLineError("it ends too early")
        value = self.words[self.at]
        problem = "" if node.is_named else node.problem(value)
        if problem or value in {"[", "]"}:
            raise BadLineError(problem or f"{value} does not belong here")
        if free:
            self.free.add(self.at)
        self.at += 1


def judge(specifications: Sequence[Specification], line: str) -> set[int]:
    """The places of the line's words that may be anything. Raises BadLineError."""
    words = shlex.split(line, comments=False, posix=True)
    if words[:1] != ["set"]:
        raise BadLineError(f"no set command: {line}")
    problems = []
    for specification in specifications:
        if specification.leads(words[1:]):
            one = Line(words, len(specification.path) + 1)
            try:
                one.walk(specification)
            except BadLineError as error:
                problems.append(str(error))
            else:
                return one.free
    raise BadLineError(f"{'; '.join(problems) or 'no object'}: {line}")


def commands(text: str) -> list[str]:
    """The lines of a file that the specifications can judge."""
    return [
        line
        for line in text.splitlines()
        if line and not line.startswith("#") and not line.startswith(PASSED_OVER)
    ]


def broken(lines: Sequence[str], free: Mapping[str, set[int]]) -> Iterator[str]:
    """Each line with each word misspelt that is not free, and lines that are forbidden."""
    for line in lines:
        words = line.split(" ")
        for place in range(1, len(words)):
            if place not in free[line]:
                yield " ".join([*words[:place], f"{words[place]}q", *words[place + 1 :]])
    name = next(line.split(" ")[5] for line in lines if " ike-crypto-profiles " in line)
    yield from (line.format(name=name) for line in FORBIDDEN)


def check(specifications: Sequence[Specification], texts: Mapping[str, str]) -> tuple[int, int]:
    """(Lines judged, mistakes planted). Raises BadLineError when a line is wrong or a mistake goes unnoticed."""
    judged = planted = 0
    for name, text in texts.items():
        lines = commands(text)
        free = {line: judge(specifications, line) for line in lines}
        judged += len(lines)
        for mistake in broken(lines, free):
            planted += 1
            try:
                judge(specifications, mistake)
            except BadLineError:
                continue
            raise BadLineError(f"{name}: this mistake went unnoticed: {mistake}")
    return judged, planted


def main(arguments: list[str]) -> int:
    """Check the goldens and write the record. Returns the exit code."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m tests.vendors.panos_specs FOLDER-OF-SPECS COMMIT\n")
        return 2
    folder, commit = Path(arguments[0]), arguments[1]
    texts = texts_of(PLATFORM)
    try:
        read = [
            Specification.read((folder / name).read_text(encoding="utf-8"))
            for name in SPECIFICATIONS
        ]
        lines, planted = check(read, texts)
    except (BadLineError, OSError) as error:
        sys.stderr.write(f"panos_specs: {error}\n")
        return 1
    keep(
        RECORD,
        by=f"Palo Alto Networks' specifications ({commit})",
        texts=texts,
        lines=lines,
        planted=planted,
        not_covered=NOT_COVERED,
    )
    sys.stdout.write(
        f"{len(texts)} files, {lines} lines: nothing wrong; all of {planted} planted mistakes noticed.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
