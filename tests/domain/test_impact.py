from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tunnels.domain.impact import Interruption, edit_impact
from tunnels.domain.proposals import DpdAction, IkeSettings, IkeVersion, IpsecSettings, Mode
from tunnels.domain.secret import Secret

TUNNEL, MAPPINGS, NONE = Interruption.TUNNEL, Interruption.MAPPINGS, Interruption.NONE


@pytest.mark.parametrize(
    ("over", "interruption", "beginning"),
    [
        ({"ike": IkeSettings(dh_group="dh20")}, TUNNEL, "Saving renegotiates the whole tunnel"),
        ({"ike": IkeSettings(version=IkeVersion.V1, encryption="aes-256")}, TUNNEL, "Saving renegotiates the whole"),
        ({"ike": IkeSettings(dpd_action=DpdAction.CLEAR)}, TUNNEL, "Saving renegotiates the whole tunnel"),
        ({"remote": an_endpoint("router", "198.51.100.3")}, TUNNEL, "Saving renegotiates the whole tunnel"),
        (
            {"local": an_endpoint("gateway-beijing", "203.0.113.10", "a.example")},
            TUNNEL,
            "Saving renegotiates the whole tunnel",
        ),
        ({"psk": Secret("another-key-1")}, TUNNEL, "Saving replaces the pre-shared key"),
        ({"ipsec": IpsecSettings(pfs="")}, TUNNEL, "Saving renegotiates every mapping"),
        (
            {"rules": (a_rule("10.0.0.0/24", "192.168.0.0/24", "192.168.7.0/24"),)},
            MAPPINGS,
            "Saving takes down 2 mappings and adds 1; the others keep running.",
        ),
        (
            {"rules": (a_rule("10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/25"),)},
            MAPPINGS,
            "Saving takes down 1 mapping and adds 0; the others keep running.",
        ),
        (
            {"rules": (a_rule("10.0.7.0/24", "192.168.7.0/24"),)},
            MAPPINGS,
            "Saving takes down 3 mappings and adds 1; none keeps running.",
        ),
        (
            {"health": a_health_check()},
            NONE,
            "Saving adds 1 mapping; running traffic is not interrupted.",
        ),
        ({"name": "other", "tags": {}}, NONE, "Saving does not interrupt traffic."),
    ],
)  # fmt: skip
def test_it_tells_what_an_edit_interrupts(
    over: dict[str, Any], interruption: Interruption, beginning: str
) -> None:
    before = a_tunnel_spec()
    impact = edit_impact(before, replace(before, **over))
    assert impact.interruption is interruption
    assert impact.sentence.startswith(beginning)


def test_it_tells_the_heaviest_consequence() -> None:
    before = a_tunnel_spec()
    after = replace(
        before,
        ike=IkeSettings(lifetime_seconds=3_600),
        psk=Secret("another-key-1"),
        rules=before.rules[:1],
    )
    assert edit_impact(before, after).sentence.startswith("Saving renegotiates the whole tunnel")


@pytest.mark.parametrize(
    "over",
    [
        {"ike": IkeSettings(integrity="md5")},
        {"ike": IkeSettings(mode=Mode.AGGRESSIVE)},
        {"ipsec": IpsecSettings(integrity="md5")},
        {"local": an_endpoint("renamed", "203.0.113.10")},
    ],
)
def test_it_is_calm_about_what_is_not_negotiated(over: dict[str, Any]) -> None:
    before = a_tunnel_spec()
    assert edit_impact(before, replace(before, **over)).interruption is NONE


def test_it_is_calm_about_a_prf_beside_an_integrity_and_a_timeout_without_dpd() -> None:
    plain = IkeSettings(encryption="aes-256", dpd_enabled=False)
    before = a_tunnel_spec(ike=plain)
    touched = replace(plain, prf="sha2-512", dpd_timeout=60, dpd_action=DpdAction.CLEAR)
    assert edit_impact(before, replace(before, ike=touched)).interruption is NONE


def test_it_is_calm_about_another_order_of_the_same_rules() -> None:
    before = a_tunnel_spec()
    after = replace(before, rules=before.rules[::-1])
    assert edit_impact(before, after).interruption is NONE
