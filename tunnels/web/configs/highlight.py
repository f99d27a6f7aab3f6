"""Colours for a device file of any grammar: comments, names of settings, and the place where the key goes."""

from __future__ import annotations

import re
from typing import Final

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from tunnels.devices.base import PSK_PLACEHOLDER

# Where a device means something else by it, only a colour is odd.
_COMMENT: Final = re.compile(r"\s*(#|!|;|//)")
# `name = value`, `name: value` and `"name": value`; `set name value`.
_SETTINGS: Final = (
    re.compile(r'(\s*"?)([A-Za-z][\w.-]*)("?\s*[=:].*)', re.DOTALL),
    re.compile(r"(\s*set\s+)([A-Za-z][\w.-]*)(\s.*)", re.DOTALL),
)


def highlight(text: str) -> SafeString:
    """The text as HTML whose plain text is the same, byte for byte; everything in it is escaped."""
    return format_html_join("", "{}", ((_line(line),) for line in text.splitlines(keepends=True)))


def _line(line: str) -> SafeString:
    if _COMMENT.match(line):
        return format_html('<span class="code-comment">{}</span>', _marked(line))
    for pattern in _SETTINGS:
        setting = pattern.fullmatch(line)
        if setting:
            before, name, rest = setting.groups()
            return format_html('{}<span class="code-name">{}</span>{}', before, name, _marked(rest))
    return _marked(line)


def _marked(text: str) -> SafeString:
    before, placeholder, after = text.partition(PSK_PLACEHOLDER)
    if not placeholder:
        return conditional_escape(text)
    return format_html('{}<mark class="code-secret">{}</mark>{}', before, placeholder, after)
