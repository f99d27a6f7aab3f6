"""What is typed into EdgeOS and into VyOS alike: both descend from Vyatta."""

from __future__ import annotations

import re

from tests.devices.understood import BadFileError


def settings_of(text: str) -> list[str]:
    """The lines before `commit` and `save`, without comments and empty ones. Raises BadFileError."""
    if (
        not text.endswith("\n")
        or not text.isascii()
        or re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    ):
        raise BadFileError("characters that nobody types, or an unfinished line")
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    if lines[-2:] != ["commit", "save"]:
        raise BadFileError("it does not end with commit and save")
    return lines[:-2]
