"""The kinds of configuration that are compared, and which of them a text is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tunnels.compare.fortios import reader as fortios
from tunnels.compare.ios import reader as ios
from tunnels.compare.reading import Reading
from tunnels.compare.strongswan import ipsec_conf, swanctl
from tunnels.domain.findings import refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """One kind: its id, what people call it, how it is read, and lines that only it has."""

    id: str
    label: str
    read: Callable[[str], Reading]
    mark: re.Pattern[str]


def _lines(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*+(?:{pattern})", re.MULTILINE)


GRAMMARS: Mapping[str, Grammar] = MappingProxyType({
    grammar.id: grammar
    for grammar in (
        Grammar(
            id="swanctl", label="strongSwan swanctl.conf", read=swanctl.read,
            mark=_lines(
                r"(?:connections|secrets|children|local|remote)[ \t\n]*+\{|(?:local|remote)_(?:ts|addrs)[ \t]*+="
            ),
        ),
        Grammar(
            id="ipsec-conf", label="strongSwan ipsec.conf with ipsec.secrets", read=ipsec_conf.read,
            mark=_lines(r"conn[ \t]++[^ \t\n]|config setup|(?:left|right)(?:id|subnet)?+[ \t]*+="),
        ),
        Grammar(
            id="cisco-ios", label="Cisco IOS and IOS-XE running configuration", read=ios.read,
            mark=_lines(r"(?:[^ \t\n#>]{1,80}+[#>][ ]?+)?+crypto (?:isakmp|ikev2|ikev1|map|ipsec|keyring)[ \t]"),
        ),
        Grammar(
            id="fortios", label="FortiOS show or show full-configuration", read=fortios.read,
            mark=_lines(
                r"(?:[^ \t\n]{1,63}+(?: \([^()\n]{1,63}+\))?+ [#$] )?+"
                r"(?:config (?:vpn|firewall|system|router)[ \t]|edit [\"0-9]|next[ \t]*+$)"
            ),
        ),
    )
})  # fmt: skip


def recognise(text: str) -> Grammar | None:
    """The kind of which the text has most marks; None when it has none of any."""
    counted = [(len(grammar.mark.findall(text)), grammar) for grammar in GRAMMARS.values()]
    most = max(count for count, _ in counted)
    return next((grammar for count, grammar in counted if most and count == most), None)


def find_grammar(grammar_id: str, text: str) -> Grammar:
    """The kind of this id, or of the text when the id is "". Raises RuleError."""
    found = GRAMMARS.get(grammar_id) if grammar_id else recognise(text)
    if found is None:
        names = "; ".join(grammar.label for grammar in GRAMMARS.values())
        sentence = f"Choose one of: {names}."
        if not grammar_id:
            sentence = (
                f"This looks like none of the kinds that are compared ({names}). {_first(text)}"
            )
        raise refuse("compare-unknown-kind", sentence, field="grammar")
    return found


def _first(text: str) -> str:
    lines = text.split("\n")
    number = next((number for number, line in enumerate(lines, start=1) if line.strip()), 1)
    return f"Already line {number:,} is nothing that one of them begins with."
