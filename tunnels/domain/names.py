"""Names and tags: what people may call things."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from tunnels.domain.findings import Finding, refuse

NAME_MAX = 60
CODE_MAX = 40
TAGS_MAX = 50
TAG_KEY_MAX = 127
TAG_VALUE_MAX = 255
TAG_SPECIALS = "+-=._:/@()[],;>< "
RESERVED_KEYS = ("qcs:", "project")


def clean_name(text: str) -> str:
    """The name without surrounding white space, in Unicode normal form C.

    1–60 characters of any script. Raises RuleError when it is empty, too long, or has control, format,
    surrogate or private-use characters: those cannot be seen and would travel into device files.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise refuse("name-empty", "Give it a name of 1 to 60 characters.")
    if len(name) > NAME_MAX:
        raise refuse(
            "name-too-long", f"The name has {len(name)} characters; at most {NAME_MAX} are allowed."
        )
    if has_invisible(name):
        raise refuse(
            "name-control-character", "The name has an invisible control character; type it again."
        )
    return name


def clean_code(text: str) -> str:
    """The code of a region, such as `eu-central`: 1–40 of a–z, 0–9 and inner hyphens. Raises RuleError."""
    code = text.strip().lower()
    if len(code) <= CODE_MAX and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code):
        return code
    raise refuse(
        "code-malformed",
        f"Write the code like eu-central: at most {CODE_MAX} letters a–z, digits and single hyphens between them.",
    )


def has_invisible(text: str) -> bool:
    """Whether the text has a control, format, surrogate, private-use or line-separator character."""
    return any(
        unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in text
    )


def check_tags(pairs: Iterable[tuple[str, str]]) -> list[Finding]:
    """Findings for key:value tags, `row` being the position of the pair.

    At most 50; key 1–127 and value 1–255 characters; letters and digits of any script, spaces inside, and
    `+ - = . _ : / @ ( ) [ ] , ; > <`; case-sensitive; one value per key; keys may not begin with a
    reserved word (reference console, tag limits).
    """
    findings: list[Finding] = []
    seen: set[str] = set()
    for row, (key, value) in enumerate(pairs):
        message = _tag_problem(key, value, seen)
        if message:
            findings.append(Finding(rule="tag-invalid", message=message, field="tags", row=row))
        seen.add(key)
    if len(seen) > TAGS_MAX:
        message = f"{len(seen)} tags are too many; at most {TAGS_MAX} are allowed."
        findings.append(Finding(rule="tags-too-many", message=message, field="tags"))
    return findings


def format_tags(tags: Mapping[str, str]) -> str:
    """Tags as people write them: `env=prod, team=net`, sorted by key."""
    return ", ".join(f"{key}={value}" for key, value in sorted(tags.items()))


def _tag_problem(key: str, value: str, seen: set[str]) -> str:
    if not key:
        return "A tag needs a key."
    if not value:
        return f"Give the tag “{key[:40]}” a value."
    if len(key) > TAG_KEY_MAX or len(value) > TAG_VALUE_MAX:
        return f"A tag key has at most {TAG_KEY_MAX} characters and a value {TAG_VALUE_MAX}."
    reserved = next((word for word in RESERVED_KEYS if key.startswith(word)), "")
    if reserved:
        return f"Keys beginning with “{reserved}” are reserved; choose another."
    if key in seen:
        return f"The tag “{key}” is there twice; a key has one value."
    for part in (key, value):
        if part != part.strip():
            return f"“{part}” begins or ends with a space; remove it."
        bad = next((char for char in part if not _allowed_in_tag(char)), None)
        if bad is not None:
            allowed = f"letters, digits, spaces and {TAG_SPECIALS.strip()} are allowed"
            return f"A tag may not contain {_show(bad)}; {allowed}."
    return ""


def _allowed_in_tag(char: str) -> bool:
    # Marks belong to letters: without them many scripts of Asia cannot be written.
    return char in TAG_SPECIALS or unicodedata.category(char)[0] in "LMN"


def _show(char: str) -> str:
    return f"“{char}”" if char.isprintable() else f"the character U+{ord(char):04X}"
