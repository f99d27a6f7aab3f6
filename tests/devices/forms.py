"""Reads a click path as a person would: the numbered forms, each with its fields, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.devices.understood import BadFileError

STEP = re.compile(r"Step ([0-9]+): (\S.*)")
FIELD = re.compile(r"    (\S.{32}[ ])(\S.*?)(?: {3}\(.*\))?")
BUTTON = re.compile(r"    => (Save|Apply|Apply Changes|Save, then Apply( Changes)?)")
# What may stand in the value of a field: the key is visible ASCII without blanks.
VISIBLE = re.compile(r"[ -~]*")


@dataclass(frozen=True, slots=True)
class Form:
    """One form: where it is, and its fields by label."""

    place: str
    fields: Mapping[str, str]

    def only(self, *labels: str) -> Mapping[str, str]:
        """The fields. Raises BadFileError when there is one that is not among the labels."""
        strangers = set(self.fields) - set(labels)
        if strangers:
            raise BadFileError(f"no such field in {self.place}: {sorted(strangers)}")
        return self.fields


def forms_of(text: str) -> list[Form]:
    """All forms in order.

    Raises BadFileError on any line that is not a comment at the top, a step, a field or a button.
    """
    lines = text.split("\n")
    if lines.pop() != "" or not all(VISIBLE.fullmatch(line) for line in lines):
        raise BadFileError("not plain lines")
    at = 0
    while at < len(lines) and lines[at].startswith("#"):
        at += 1
    blocks = "\n".join(lines[at:]).strip("\n").split("\n\n")
    return [_form(number, block.split("\n")) for number, block in enumerate(blocks, start=1)]


def _form(number: int, lines: list[str]) -> Form:
    head = STEP.fullmatch(lines[0])
    if not head or head[1] != str(number) or not BUTTON.fullmatch(lines[-1]):
        raise BadFileError(f"step {number} does not begin or end as a step")
    fields: dict[str, str] = {}
    for line in lines[1:-1]:
        # The reason behind a value is set off by three blanks, and no value has so many.
        found = FIELD.fullmatch(line)
        if not found or "   " in found[2]:
            raise BadFileError("a line that is no field")
        label = found[1].rstrip()
        if label in fields:
            raise BadFileError(f"a field twice: {label}")
        fields[label] = found[2]
    return Form(place=head[2], fields=fields)
