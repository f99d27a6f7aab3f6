"""Junos `set` commands judged by Juniper's YANG models.

The models are public and not ours to ship. With a copy of them, below a folder,

    python -m tests.vendors.junos_yang FOLDER

checks every golden file of Juniper SRX: each word of each line, each value by its type, range, length and pattern, and
Junos' own conditions (`junos:must`), such as that a policy that is named must be there. Then it breaks the files in
many ways; only when every one of those is noticed is the record written that stands beside the tests. It needs the
models with extensions (`conf-with-extensions`) of release 23.2 or later: older ones do not say which words are typed.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.vendors.checked import keep, texts_of
from tests.vendors.junos_must import Place, UnknownConditionError, holds
from tests.vendors.yang import BadModelError, Models, Node

PLATFORM: Final = "juniper-srx"
RECORD: Final = Path(__file__).parents[1] / "devices" / "juniper_srx" / "checked.json"
MODULES: Final = (
    "junos-es-conf-root@*.yang",
    "junos-es-conf-security@*.yang",
    "junos-es-conf-interfaces@*.yang",
)
# What the models call otherwise than the command line does: path in the model → the words that are typed.
SPELLED: Final = {
    ("security", "policies", "policy"): ("from-zone", "to-zone"),
    ("security", "nat", "source", "rule-set", "rule", "src-nat-rule-match"): ("match",),
}
# What stands on the device before our file is loaded: the interfaces and the inside zone.
BEFORE: Final = (
    "set interfaces ge-0/0/0 unit 0 family inet address 198.51.100.2/24",
    "set interfaces ge-0/0/0 unit 0 family inet6 address 2001:db8:b::2/64",
    "set interfaces ge-0/0/1 unit 0 family inet address 192.168.0.1/24",
    "set security zones security-zone untrust interfaces ge-0/0/0.0",
    "set security zones security-zone trust interfaces ge-0/0/1.0",
)
# Lines that Junos' conditions forbid beside ours.
CONTRADICTIONS: Final = (
    "set security ipsec vpn {name} vpn-monitor",
    "set security ipsec vpn {name} ike proxy-identity local 192.168.0.0/24",
    "set security ike gateway {name} dynamic hostname peer.example.net",
    "set security ike gateway {name} general-ikeid",
    "set security ike policy {name} certificate local-certificate own",
    "set security ipsec proposal {name} lifetime-kilobytes 63999",
)
NOT_COVERED: Final = (
    "from-zone, to-zone and the match of a NAT rule have other names in the models: they were translated",
    "addresses and applications of policies are free text there: that they exist is read back by our grammar only",
    "whether a model of SRX, its licence or the package junos-ike has an algorithm",
)


class BadLineError(Exception):
    """The models do not allow the line."""


@dataclass(slots=True)
class Configuration:
    """What the lines have built, and the conditions that it must meet."""

    models: Models
    tree: dict[str, Any] = field(default_factory=dict)
    conditions: list[tuple[str, str, Place]] = field(default_factory=list)
    free: set[tuple[str, int]] = field(default_factory=set)
    lines: int = 0

    def load(self, lines: Iterable[str]) -> None:
        """Take the `set` lines; comments and empty lines are passed over. Raises BadLineError."""
        for line in lines:
            if line and not line.startswith("#"):
                self._set(line)
                self.lines += 1

    def _set(self, line: str) -> None:
        words = shlex.split(line, comments=False, posix=True)
        if len(words) < 3 or words[0] != "set":
            raise BadLineError(f"no set command: {line}")
        if words[1] not in self.models.roots:
            raise BadLineError(f"nothing is called {words[1]}: {line}")
        try:
            _Walk(self, words, line).enter(
                self.models.roots[words[1]], 2, (words[1],), (self.tree,)
            )
        except IndexError:
            raise BadLineError(f"it is not finished: {line}") from None

    def problems(self) -> Iterator[str]:
        """Each condition that is not met, in Juniper's words."""
        for line, condition, place in self.conditions:
            expression, _, message = condition.partition("\n")
            try:
                if not holds(expression, place):
                    yield f"{message}: {line}"
            except UnknownConditionError:
                yield f"unknown condition {expression}: {line}"


@dataclass(frozen=True, slots=True)
class _Walk:
    """One line on its way down; `path` are names of the model, `trees` what is configured on each level."""

    into: Configuration
    words: list[str]
    line: str

    def enter(self, node: Node, at: int, path: tuple[str, ...], trees: tuple[Any, ...]) -> None:
        typed = SPELLED.get(path, (node.name,))[0]
        tree = (
            trees[-1]
            if "nokeyword" in node.texts("cli-feature")
            else trees[-1].setdefault(typed, {})
        )
        if node.kind == "list":
            at, tree = self._keys(node, at, path, tree, trees)
        self._note(node.substatements(), "", trees)
        if at == len(self.words):
            if node.kind != "list" and not node.statement.text("presence"):
                raise BadLineError(f"it ends too early: {self.line}")
            return
        child, at = self._child(node, at, path)
        below = (*path, child.name)
        if child.kind in {"leaf", "leaf-list"}:
            self._value(child, at, tree, (*trees, tree))
        else:
            self.enter(child, at, below, (*trees, tree))

    def _keys(
        self, node: Node, at: int, path: tuple[str, ...], tree: Any, trees: tuple[Any, ...]
    ) -> tuple[int, Any]:
        children, typed = node.children(), SPELLED.get(path, ())
        for place, key in enumerate(node.statement.text("key").split()):
            leaf = children[key]
            if "nokeyword" not in leaf.texts("cli-feature"):
                word = typed[place] if place < len(typed) else key
                if self.words[at] != word:
                    raise BadLineError(f"{self.words[at]} stands where {word} belongs: {self.line}")
                tree, at = tree.setdefault(word, {}), at + 1
            value = self._judged(leaf, at)
            tree, at = tree.setdefault(value, {}), at + 1
            self._note(leaf.substatements(), value, (*trees, tree))
        return at, tree

    def _child(self, node: Node, at: int, path: tuple[str, ...]) -> tuple[Node, int]:
        word, children = self.words[at], node.children()
        keys = node.statement.text("key").split()
        for name, child in children.items():
            spelled = SPELLED.get((*path, name), (name,))[0]
            if (
                name not in keys
                and spelled == word
                and "nokeyword" not in child.texts("cli-feature")
            ):
                return child, at + 1
        silent = [
            child
            for name, child in children.items()
            if name not in keys and "nokeyword" in child.texts("cli-feature")
        ]
        if len(silent) != 1:
            raise BadLineError(f"{word} is unknown below {' '.join(path)}: {self.line}")
        return silent[0], at

    def _value(self, leaf: Node, at: int, tree: Any, trees: tuple[Any, ...]) -> None:
        if leaf.statement.inner and leaf.statement.all("type")[0].argument == "empty":
            tree[leaf.name], value = {}, ""
        else:
            value, at = self._judged(leaf, at), at + 1
            values = tree.setdefault(leaf.name, {})
            if leaf.kind == "leaf" and values and value not in values:
                raise BadLineError(f"{leaf.name} is set twice: {self.line}")
            values[value] = {}
            if leaf.kind == "leaf-list":
                trees = (*trees, values)
            chosen = leaf.chosen(value)
            if chosen:
                self._note(iter(chosen.inner), value, trees)
        self._note(leaf.substatements(), value, trees)
        if at != len(self.words):
            raise BadLineError(f"{self.words[at]} is too much: {self.line}")

    def _judged(self, leaf: Node, at: int) -> str:
        problem = leaf.problem(self.words[at])
        if problem:
            raise BadLineError(f"{leaf.name}: {problem}: {self.line}")
        if leaf.is_free:
            self.into.free.add((self.line, at))
        return self.words[at]

    def _note(self, statements: Iterator[Any], value: str, trees: tuple[Any, ...]) -> None:
        found = [one for one in statements if one.keyword in {"junos:must", "junos:must-message"}]
        for must, message in zip(found[::2], found[1::2], strict=True):
            condition = f"{must.argument}\n{message.argument}"
            self.into.conditions.append((self.line, condition, Place(trees, value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the models say of a file: its lines, the words in which they take any text, and what is wrong."""

    lines: int
    free: frozenset[tuple[str, int]]
    problems: tuple[str, ...]


def judge(models: Models, text: str) -> Judgement:
    """The file judged as if it were loaded into a device with the lines of BEFORE."""
    configuration = Configuration(models)
    try:
        configuration.load(BEFORE)
        before = configuration.lines
        configuration.load(text.splitlines())
    except BadLineError as error:
        return Judgement(lines=0, free=frozenset(), problems=(str(error),))
    return Judgement(
        lines=configuration.lines - before,
        free=frozenset(configuration.free),
        problems=tuple(configuration.problems()),
    )


def broken(text: str, free: frozenset[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    """(The mistake, the text with it): each word misspelt that is not free, and lines that contradict ours."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("set "):
            words = line.split(" ")
            for place in range(1, len(words)):
                if (line, place) not in free:
                    wrong = " ".join([*words[:place], f"{words[place]}q", *words[place + 1 :]])
                    yield wrong, "\n".join([*lines[:number], wrong, *lines[number + 1 :]])
    [name] = {line.split(" ")[4] for line in lines if line.startswith("set security ipsec vpn ")}
    for contradiction in CONTRADICTIONS:
        wrong = contradiction.format(name=name)
        yield wrong, f"{text}{wrong}\n"


def check(models: Models, texts: Mapping[str, str]) -> tuple[int, int]:
    """(Lines judged, mistakes planted). Raises BadLineError when a file is wrong or a mistake goes unnoticed."""
    lines = planted = 0
    for name, text in texts.items():
        found = judge(models, text)
        for problem in found.problems:
            raise BadLineError(f"{name}: {problem}")
        lines += found.lines
        for mistake, wrong in broken(text, found.free):
            planted += 1
            if not judge(models, wrong).problems:
                raise BadLineError(f"{name}: this mistake went unnoticed: {mistake}")
    return lines, planted


def main(arguments: list[str]) -> int:
    """Check the goldens and write the record. Returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.vendors.junos_yang FOLDER-OF-JUNIPERS-YANG\n")
        return 2
    texts = texts_of(PLATFORM)
    try:
        models = Models.load(Path(arguments[0]), MODULES)
        lines, planted = check(models, texts)
    except (BadLineError, BadModelError, OSError) as error:
        sys.stderr.write(f"junos_yang: {error}\n")
        return 1
    keep(
        RECORD,
        by=f"Juniper's YANG models of {models.release.replace(':', '')}",
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
