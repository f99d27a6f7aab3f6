"""A small reader of YANG modules (RFC 7950): statements, groupings resolved, values judged by their types.

Only what Juniper's configuration models need: container, list, leaf, leaf-list, choice, uses, augment, and the types
string, enumeration, union, empty and the integers. Juniper's extensions are defined in junos-common-ddl-extensions.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/|(?P<double>"(?:[^"\\]|\\.)*")|(?P<single>'[^']*')|(?P<mark>[{};])|(?P<word>[^\s{};"']+)""",
    re.DOTALL,
)
_ESCAPES = {r"\n": "\n", r"\t": "\t", r"\"": '"', r"\\": "\\"}
_INTEGERS = {"uint8": 2**8, "uint16": 2**16, "uint32": 2**32, "uint64": 2**64}
_DATA = {"container", "list", "leaf", "leaf-list"}
# Posix classes, as Juniper's patterns use them.
_CLASSES = {"alnum": "A-Za-z0-9", "alpha": "A-Za-z", "digit": "0-9", "xdigit": "A-Fa-f0-9"}


class BadModelError(Exception):
    """The text is no YANG module that this reader understands."""


@dataclass(slots=True)
class Statement:
    """One statement; `argument` is "" where there is none."""

    keyword: str
    argument: str
    inner: list[Statement] = field(default_factory=list)

    def all(self, keyword: str) -> list[Statement]:
        """The substatements of this keyword, in order."""
        return [one for one in self.inner if one.keyword == keyword]

    def text(self, keyword: str) -> str:
        """The argument of the first substatement of this keyword, or ""."""
        return next((one.argument for one in self.inner if one.keyword == keyword), "")


def read_module(text: str) -> Statement:
    """The module statement of the text. Raises BadModelError."""
    tokens = list(_tokens(text))
    try:
        statement, rest = _statement(tokens, 0)
    except IndexError:
        raise BadModelError("it ends too early") from None
    if rest != len(tokens) or statement.keyword != "module":
        raise BadModelError("not one module")
    return statement


class Models:
    """Several modules as one tree; groupings are looked up in the module that uses them."""

    def __init__(self, modules: list[Statement]) -> None:
        self._groupings = {
            (module.argument, grouping.argument): grouping
            for module in modules
            for grouping in module.all("grouping")
        }
        self.release = ", ".join(
            sorted(
                {one.text("description") for module in modules for one in module.all("revision")}
            )
        )
        self.roots: dict[str, Node] = {}
        for module in modules:
            for augment in module.all("augment"):
                # The same groups again below "groups" are not what a configuration is made of.
                if augment.argument.count("/") == 1:
                    top = Node(self, module.argument, augment)
                    self.roots.update(top.children())

    @classmethod
    def load(cls, folder: Path, patterns: tuple[str, ...]) -> Models:
        """The modules below the folder whose file names match. Raises BadModelError when one pattern finds nothing."""
        modules = []
        for pattern in patterns:
            paths = sorted(folder.rglob(pattern))
            if not paths:
                raise BadModelError(f"no {pattern} below {folder}")
            modules.append(read_module(paths[-1].read_text(encoding="utf-8")))
        return cls(modules)

    def grouping(self, module: str, name: str) -> Statement:
        """The grouping of this name. Raises BadModelError."""
        found = self._groupings.get((module, name))
        if found is None:
            raise BadModelError(f"no grouping {name} in {module}")
        return found


@dataclass(frozen=True)
class Node:
    """A node of the tree: its statement and the module that its groupings come from."""

    models: Models
    module: str
    statement: Statement

    @property
    def kind(self) -> str:
        """container, list, leaf or leaf-list."""
        return self.statement.keyword

    @property
    def name(self) -> str:
        """The node's name in the model."""
        return self.statement.argument

    def substatements(self) -> Iterator[Statement]:
        """The substatements with all `uses` resolved."""
        yield from self._resolved(self.statement.inner)

    def _resolved(self, statements: list[Statement]) -> Iterator[Statement]:
        for one in statements:
            if one.keyword == "uses":
                yield from self._resolved(self.models.grouping(self.module, one.argument).inner)
            else:
                yield one

    def children(self) -> Mapping[str, Node]:
        """Name → data node below this one; choices and cases are seen through."""
        return {
            one.argument: Node(self.models, self.module, one) for one in self._data(self.statement)
        }

    def _data(self, statement: Statement) -> Iterator[Statement]:
        for one in self._resolved(statement.inner):
            if one.keyword in _DATA:
                yield one
            elif one.keyword in {"choice", "case"}:
                yield from self._data(one)

    def texts(self, extension: str) -> list[str]:
        """The arguments of an extension such as `cli-feature`, whatever its prefix."""
        return [
            one.argument
            for one in self.substatements()
            if one.keyword.partition(":")[2] == extension
        ]

    def problem(self, value: str) -> str:
        """What is wrong with the value of this leaf, or ""."""
        [kind] = self.statement.all("type")
        return _problem(kind, value)

    @property
    def is_free(self) -> bool:
        """Whether the model takes any text of the right length as this leaf's value."""
        return any(_is_free(kind) for kind in self.statement.all("type"))

    def chosen(self, value: str) -> Statement | None:
        """The `enum` statement of the value, when the leaf is an enumeration."""
        for kind in self.statement.all("type"):
            for one in kind.all("enum"):
                if one.argument == value:
                    return one
        return None


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadModelError(f"unreadable: {text[at : at + 40]!r}")
        at = match.end()
        if match["double"] is not None:
            yield '"' + re.sub(
                r"\\.", lambda one: _ESCAPES.get(one[0], one[0]), match["double"][1:-1]
            )
        elif match["single"] is not None:
            yield '"' + match["single"][1:-1]
        elif match["mark"] or match["word"]:
            yield match[0]


def _statement(tokens: list[str], at: int) -> tuple[Statement, int]:
    keyword, argument, at = tokens[at], "", at + 1
    if tokens[at] not in {"{", ";"}:
        argument, at = tokens[at].removeprefix('"'), at + 1
    while tokens[at] == "+":
        argument, at = argument + tokens[at + 1].removeprefix('"'), at + 2
    statement = Statement(keyword, argument)
    if tokens[at] == ";":
        return statement, at + 1
    at += 1
    while tokens[at] != "}":
        one, at = _statement(tokens, at)
        statement.inner.append(one)
    return statement, at + 1


def _problem(kind: Statement, value: str) -> str:
    name = kind.argument.rpartition(":")[2]
    if name == "union":
        problems = [_problem(one, value) for one in kind.all("type")]
        return "" if "" in problems else "; ".join(problems)
    if name == "enumeration":
        words = [one.argument for one in kind.all("enum")]
        return "" if value in words else f"{value} is none of {' '.join(words)}"
    if name in _INTEGERS:
        if not re.fullmatch("[0-9]{1,20}", value) or int(value) >= _INTEGERS[name]:
            return f"{value} is no {name}"
        return _in_range(kind.text("range"), int(value), "range")
    if name == "string":
        return _in_range(kind.text("length"), len(value), "length") or _unlike(kind, value)
    check = _ADDRESSES.get(name)
    return check(value) if check else ""


def _is_free(kind: Statement) -> bool:
    name = kind.argument.rpartition(":")[2]
    if name == "union":
        return any(_is_free(one) for one in kind.all("type"))
    judged = {"enumeration", "empty", *_INTEGERS, *_ADDRESSES}
    return name not in judged and not kind.all("pattern")


def _in_range(ranges: str, number: int, what: str) -> str:
    for part in filter(None, ranges.split("|")):
        low, _, high = part.partition("..")
        if int(low) <= number <= int(high or low):
            return ""
    return f"{what} {number} is outside {ranges}" if ranges else ""


def _unlike(kind: Statement, value: str) -> str:
    for one in kind.inner:
        if one.keyword == "pattern":
            # An XML schema pattern: all of the value, and $ means itself (RFC 7950 §9.4.5).
            matches = re.fullmatch(one.argument.replace("$", r"\$"), value)
        elif one.keyword.endswith(":posix-pattern"):
            posix = re.sub(r"\[:(\w+):\]", lambda found: _CLASSES[found[1]], one.argument)
            matches = re.search(posix, value)
        else:
            continue
        if not matches:
            return f"{value!r} is not like {one.argument}"
    return ""


def _parsed(parse: Callable[[str], object], what: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            parse(value)
        except ValueError:
            return f"{value!r} is no {what}"
        return ""

    return check


def _prefix(value: str) -> object:
    if "/" not in value:
        raise ValueError(value)
    return ipaddress.ip_network(value)


# Juniper's types are strings in the model; what they mean is in their names.
_ADDRESSES: Mapping[str, Callable[[str], str]] = {
    "ipaddr": _parsed(ipaddress.ip_address, "IP address"),
    "ipv4addr": _parsed(ipaddress.IPv4Address, "IPv4 address"),
    "ipv6addr": _parsed(ipaddress.IPv6Address, "IPv6 address"),
    "ipprefix": _parsed(_prefix, "prefix"),
    "ipprefix-mandatory": _parsed(_prefix, "prefix"),
    "ipv4prefix": _parsed(ipaddress.IPv4Interface, "IPv4 prefix"),
    "ipv6prefix": _parsed(ipaddress.IPv6Interface, "IPv6 prefix"),
    "interface-unit": lambda value: (
        "" if re.fullmatch(r"[a-z0-9/:-]+\.\d+", value) else f"{value!r} is no logical interface"
    ),
}
