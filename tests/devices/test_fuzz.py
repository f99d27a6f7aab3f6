"""Hostile names, keys and identifiers through every platform: refused, or understood exactly as they are.

Each platform's own reader (`tests/devices/<folder>/grammar.py`) refuses whatever line it does not know: a name that
ends its string, adds a line, opens a block or starts a comment is an unknown line, or a value that is not the tunnel's.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.devices.cases import CASES, render_case
from tests.devices.goldens import carried
from tests.devices.understood import expected, reader_of, understood
from tests.proofs import Proves
from tunnels.devices.base import Platform, Rendering
from tunnels.devices.proofs import Kind
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import RuleError
from tunnels.domain.secret import PSK_MAX, PSK_MIN, Secret
from tunnels.domain.spec import TunnelSpec

# `make devices` asks for 2,000 a platform; every run of the suite for fewer.
EXAMPLES = int(os.environ.get("DEVICE_FUZZ", "150"))

VISIBLE = "".join(map(chr, range(ord("!"), ord("~") + 1)))
# What ends a string, a line, a block or a comment somewhere, or is decoded there.
FRAGMENTS = [
    *("\"", "'", "\\", "#", "!", "{", "}", "$", "`", "?", ";", "//", "/*", "*/", "<#", "#>", "--", "|", "$(id)", "%"),
    *("\n", "\r\n", "\x00", "\x1b[2J", "\u2028", "\u202e", "\t", "\\\n", " \\", "\n!", "\nend\n", "exit", "&"),
    *("0x41", "0s", "0t", "$9$", "$8$", "-AQ==", "%^%#", "%$%$", "6 ", "7 ", "ENC ", "\ncommit\n", "@", "fqdn:"),
    *("{{7*7}}", "{%x%}", "${x}"),
]  # fmt: skip

hostile = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=6), st.text(VISIBLE, max_size=6)),
    min_size=1,
    max_size=6,
).map("".join)
keys = st.one_of(
    st.text(VISIBLE, min_size=PSK_MIN, max_size=PSK_MAX),
    # Mostly plain, so that the key is carried and not refused by most devices.
    st.text(
        VISIBLE.translate({ord(char): None for char in "\"'\\?$#!%`"}), min_size=8, max_size=64
    ),
    hostile.map(lambda text: (text + "Key_12345")[:PSK_MAX]),
)
label = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
domain_names = st.one_of(
    st.lists(label, min_size=2, max_size=4).map(".".join),
    hostile,
    label.map(lambda text: f"{text}.example"),
)


@st.composite
def tunnels(draw: st.DrawFn, cases: tuple[str, ...]) -> TunnelSpec:
    """One of the cases, with names, key and identifiers of the enemy's."""
    spec = CASES[draw(st.sampled_from(cases))]
    local, remote = spec.local, spec.remote
    local = replace(local, name=draw(hostile))
    remote = replace(remote, name=draw(hostile))
    if draw(st.booleans()):
        local = replace(local, identity=draw(domain_names))
    if draw(st.booleans()):
        remote = replace(remote, identity=draw(domain_names))
    return replace(
        spec,
        name=draw(hostile),
        psk=Secret(draw(keys)),
        local=local,
        remote=remote,
        tags={draw(hostile): draw(hostile)},
    )


def render_or_refuse(platform: Platform, spec: TunnelSpec) -> Rendering | None:
    """The files, or None when the device cannot carry the tunnel; each refusal is one line and holds no key."""
    try:
        return render_case(platform, spec)
    except RuleError as error:
        for finding in error.findings:
            assert finding.message.isprintable()
            assert spec.psk.reveal() not in finding.message
        return None


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=lambda platform: platform.id)
def test_nothing_hostile_leaves_its_field(platform: Platform, proves: Proves) -> None:
    proves(platform.id, Kind.FUZZED, count=EXAMPLES)
    silent = reader_of(platform).SILENT
    understood_ones = 0

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    @given(tunnels(carried(platform)))
    def check(spec: TunnelSpec) -> None:
        nonlocal understood_ones
        rendering = render_or_refuse(platform, spec)
        if rendering is None:
            return
        understood_ones += 1
        files = {file.filename: file.text for file in rendering.files}
        assert understood(platform, files) == expected(spec, silent=silent)

    check()
    # A device that refuses everything would pass too.
    assert understood_ones > EXAMPLES // 50
