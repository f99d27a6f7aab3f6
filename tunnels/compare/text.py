"""The pasted text itself: how much of it is read, what is no text at all, and what of it may be shown again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tunnels.domain.findings import RuleError, refuse

LIMIT: Final = 1_048_576
LINES_MAX: Final = 100_000
# More than any device has; a text with more was not written by one.
PEERS_MAX: Final = 5_000
HIDDEN: Final = "(not shown)"

# A text of this length is not shown either when it is a part of a secret.
_PART: Final = 4
_BINARY: Final = re.compile("[\x01-\x07\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_QUOTABLE: Final = re.compile(r"[A-Za-z0-9 ._:@/%*=+,()\[\]-]{1,80}")


def cleaned(text: str) -> str:
    """The pasted text with plain line ends; of a line that a pager printed over, what is left to see.

    Raises RuleError when there is nothing, too much, or what is no text.
    """
    text = text.replace("\r\n", "\n")
    if not text.strip():
        raise refuse("compare-empty", "Paste the configuration of the device first.")
    if len(text) > LIMIT or len(text.encode(errors="replace")) > LIMIT:
        raise too_much("1 MB")
    if text.count("\n") > LINES_MAX:
        raise too_much(f"{LINES_MAX:,} lines")
    zero = text.find("\0")
    if zero >= 0:
        raise no_text(text.count("\n", 0, zero) + 1)
    strange = _BINARY.findall(text)
    if len(strange) * 20 > len(text):
        raise no_text(text.count("\n", 0, text.find(strange[0])) + 1)
    return "\n".join([_visible(line) for line in text.split("\n")])


def too_much(limit: str) -> RuleError:
    """The refusal of a text that is longer than the limit."""
    return refuse(
        "compare-too-much",
        f"This is more than {limit}. Paste only the part of the configuration that concerns the VPN.",
    )


def no_text(line: int) -> RuleError:
    """The refusal of a file that is no text."""
    return refuse(
        "compare-binary",
        f"Line {line:,} holds characters that no configuration has: this is not a text file. "
        "Paste what the device prints.",
    )


def unreadable(line: int, expected: str) -> RuleError:
    """The refusal of a file at its first puzzling line, whose content is not told: it may be a secret."""
    return refuse("compare-unreadable", f"Line {line:,} cannot be read: {expected}")


class Quoter:
    """Shows a text of the file again only when it is short, plain, and shares nothing with the file's secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secret.lower() for secret in secrets if secret)
        self._all = "\n".join(self._secrets)

    def __call__(self, text: str) -> str:
        """The text, or `(not shown)`."""
        low = text.lower()
        if not _QUOTABLE.fullmatch(text) or any(secret in low for secret in self._secrets):
            return HIDDEN
        return HIDDEN if len(low) >= _PART and low in self._all else text


def _visible(line: str) -> str:
    line = line.rstrip("\r")
    # `--More--`, then backspaces or a return, then the line.
    cut = max(line.rfind("\r"), line.rfind("\b"))
    return line[cut + 1 :]
