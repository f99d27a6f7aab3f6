"""A small reader of strongSwan's settings grammar, written from its lexer's rules and not from our writer.

It knows what swanctl.conf needs of it: sections, `key = value`, quoted strings, comments. It does not know
includes, references and inheritance: their characters are an error, so that nothing slips by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Section = dict[str, "str | Section"]

ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
FORBIDDEN_IN_NAMES = set(':,."')


class BadSettingsError(Exception):
    """The text is no settings file that we would write."""


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is one of { } = newline word string end."""

    kind: str
    text: str = ""


def read_settings(text: str) -> Section:
    """The sections of the file as nested dicts. Raises BadSettingsError, also on anything said twice."""
    tokens = [*_tokens(text), Token("end")]
    section, rest = _section(tokens, 0, nested=False)
    if tokens[rest].kind != "end":
        raise BadSettingsError(f"left over: {tokens[rest]}")
    return section


def _section(tokens: list[Token], at: int, *, nested: bool) -> tuple[Section, int]:
    found: Section = {}
    while True:
        token = tokens[at]
        if token.kind == "newline":
            at += 1
            continue
        if token.kind == ("}" if nested else "end"):
            return found, at + 1 if nested else at
        if token.kind != "word" or FORBIDDEN_IN_NAMES & set(token.text) or token.text in found:
            raise BadSettingsError(f"no name: {token}")
        at += 1
        if tokens[at].kind == "{":
            found[token.text], at = _section(tokens, at + 1, nested=True)
        elif tokens[at].kind == "=":
            found[token.text], at = _value(tokens, at + 1)
        else:
            raise BadSettingsError(f"{token} is followed by {tokens[at]}")


def _value(tokens: list[Token], at: int) -> tuple[str, int]:
    start = at
    while tokens[at].kind in {"word", "string"}:
        at += 1
    parts = tokens[start:at]
    strings = [part for part in parts if part.kind == "string"]
    if not parts or tokens[at].kind != "newline" or (strings and len(parts) > 1):
        raise BadSettingsError(f"no value: {parts}, then {tokens[at]}")
    return " ".join(part.text for part in parts), at


def _tokens(text: str) -> Iterator[Token]:
    at, in_value = 0, False
    while at < len(text):
        char = text[at]
        if char == "\n":
            in_value = False
            yield Token("newline")
            at += 1
        elif char in " \t\r":
            at += 1
        elif char == "#":
            # A comment ends at either character that may end a line.
            at = min(_find(text, "\n", at), _find(text, "\r", at))
        elif char == '"':
            if not in_value:
                raise BadSettingsError("a string where none may be")
            string, at = _string(text, at + 1)
            yield Token("string", string)
        elif char == "}" or (char in "{=" and not in_value):
            in_value = char == "="
            yield Token(char)
            at += 1
        else:
            end = at
            stop = '#}"\r\n\t ' if in_value else '#{}="\r\n\t '
            while end < len(text) and text[end] not in stop:
                end += 1
            yield Token("word", text[at:end])
            at = end


def _string(text: str, at: int) -> tuple[str, int]:
    parts: list[str] = []
    while at < len(text):
        char = text[at]
        if char == '"':
            return "".join(parts), at + 1
        if char == "\\":
            following = text[at + 1 : at + 2]
            if following in {"", "\n", "\r"}:
                raise BadSettingsError("a string that goes on in the next line")
            parts.append(ESCAPES.get(following, following))
            at += 2
            continue
        if char != "\r":
            parts.append(char)
        at += 1
    raise BadSettingsError("a string without an end")


def _find(text: str, what: str, at: int) -> int:
    found = text.find(what, at)
    return len(text) if found < 0 else found
