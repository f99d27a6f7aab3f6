"""Junos' own conditions (`junos:must`): a boolean expression over quoted paths of the configuration.

`("security ike policy $$")` holds when that path is configured, `$$` being the value that the condition stands at; a
path that begins with `..` goes up from there. `$$-IFL` is a logical interface: `ge-0/0/0.0` is unit 0 of ge-0/0/0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Tree = Mapping[str, Any]
_TOKEN = re.compile(r'\s*(?:(?P<path>"[^"]*")|(?P<mark>&&|\|\||[!()])|(?P<word>\w+))')


class UnknownConditionError(Exception):
    """The condition uses what this reader does not know."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a condition stands: the trees from the root down to the parent, and the value `$$`."""

    trees: tuple[Tree, ...]
    value: str


def holds(condition: str, place: Place) -> bool:
    """Whether the condition holds. Raises UnknownConditionError."""
    tokens = []
    at = 0
    while condition[at:].strip():
        match = _TOKEN.match(condition, at)
        if match is None:
            raise UnknownConditionError(condition)
        tokens.append(match[0].strip())
        at = match.end()
    result, rest = _either(tokens, 0, place)
    if rest != len(tokens):
        raise UnknownConditionError(condition)
    return result


def _either(tokens: list[str], at: int, place: Place) -> tuple[bool, int]:
    result, at = _both(tokens, at, place)
    while tokens[at : at + 1] == ["||"]:
        other, at = _both(tokens, at + 1, place)
        result = result or other
    return result, at


def _both(tokens: list[str], at: int, place: Place) -> tuple[bool, int]:
    result, at = _one(tokens, at, place)
    while tokens[at : at + 1] == ["&&"]:
        other, at = _one(tokens, at + 1, place)
        result = result and other
    return result, at


def _one(tokens: list[str], at: int, place: Place) -> tuple[bool, int]:
    token = tokens[at] if at < len(tokens) else ""
    if token == "!":
        result, at = _one(tokens, at + 1, place)
        return not result, at
    if token == "(":
        result, at = _either(tokens, at + 1, place)
        if tokens[at : at + 1] != [")"]:
            raise UnknownConditionError(" ".join(tokens))
        return result, at + 1
    if token == "any":
        return _one(tokens, at + 1, place)
    if token.startswith('"'):
        return _configured(token.strip('"').split(), place), at + 1
    raise UnknownConditionError(" ".join(tokens))


def _configured(path: list[str], place: Place) -> bool:
    trees = list(place.trees)
    while path[:1] == [".."]:
        path = path[1:]
        if len(trees) == 1 and path[:1] == [".."]:
            return False
        tree = trees.pop()
        if path[:1] != [".."]:
            return _below(tree, _filled(path, place.value))
    return _below(place.trees[0], _filled(path, place.value))


def _filled(path: list[str], value: str) -> list[str]:
    words: list[str] = []
    for word in path:
        if word == "$$-IFL":
            device, _, unit = value.rpartition(".")
            words += [device, "unit", unit]
        elif word == "$$":
            words.append(value)
        elif "$" in word or "{" in word:
            raise UnknownConditionError(" ".join(path))
        else:
            words.append(word)
    return words


def _below(tree: Tree, words: list[str]) -> bool:
    if not words:
        return True
    if words[0] == "<*>":
        return any(_below(inner, words[1:]) for inner in tree.values())
    return words[0] in tree and _below(tree[words[0]], words[1:])
