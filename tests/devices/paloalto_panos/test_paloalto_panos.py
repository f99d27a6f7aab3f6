from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES, render_case
from tests.devices.paloalto_panos.grammar import SILENT, read
from tests.devices.understood import Understood, expected
from tunnels.devices.base import Rendering
from tunnels.devices.paloalto_panos import units
from tunnels.devices.paloalto_panos.platform import PLATFORM
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings, Mode, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

NEWEST, _, OLDEST = PLATFORM.versions
CBC = IkeSettings(encryption="aes-256", dh_group="dh14")
ID = "vpnx-7k2m9q4z"
GOOD = render_case(PLATFORM, CASES["common-ikev1-main"]).text
HEALTH = render_case(PLATFORM, CASES["common-health-check"]).text
IPV6 = render_case(PLATFORM, CASES["common-ipv6"]).text


def written(
    spec: TunnelSpec, *, version: str = NEWEST, given: Mapping[str, str] | None = None
) -> Rendering:
    return render_case(PLATFORM, spec, version=version, given=given)


def understood(text: str) -> Understood:
    return read("paloalto-panos", {"file": text})


def refusal(spec: TunnelSpec, version: str = NEWEST) -> list[Finding]:
    with pytest.raises(RuleError) as caught:
        written(spec, version=version)
    return list(caught.value.findings)


def lasting(seconds: int) -> TunnelSpec:
    """A tunnel with this lifetime in both phases."""
    return a_tunnel_spec(
        ike=replace(CBC, lifetime_seconds=seconds),
        ipsec=IpsecSettings(encryption="aes-256", pfs="dh14", lifetime_seconds=seconds),
    )


def commands(text: str) -> str:
    """What is to be pasted."""
    return text[text.index("\nset cli scripting-mode on\n") + 1 :]


def test_it_swaps_the_sides() -> None:
    text = written(CASES["common-ikev1-aggressive-fqdn"]).text
    for part in (
        "peer-address ip 203.0.113.10\n",
        "local-id type fqdn\n",
        "local-id id router.example.com\n",
        "peer-id id gateway.example.net\n",
        "exchange-mode aggressive\n",
        f"proxy-id {ID}-1 local 192.168.0.0/24\n",
        f"proxy-id {ID}-1 remote 10.0.0.0/24\n",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (180, "minutes 3"),
        (3_600, "hours 1"),
        (3_601, "seconds 3601"),
        (28_800, "hours 8"),
        (65_535, "seconds 65535"),
        (65_580, "minutes 1093"),
        (86_400, "days 1"),
        (90_000, "hours 25"),
        (604_800, "days 7"),
    ],
)
def test_it_counts_time_in_the_largest_unit_that_fits_exactly(seconds: int, said: str) -> None:
    assert units.in_units(seconds, units.TIME) == said
    assert written(lasting(seconds)).text.count(f" lifetime {said}\n") == 2


@pytest.mark.parametrize(("seconds", "nearest"), [(65_541, 65_535), (70_001, 69_960)])
def test_it_refuses_a_time_that_no_unit_holds_exactly(seconds: int, nearest: int) -> None:
    assert units.in_units(seconds, units.TIME) is None
    findings = refusal(lasting(seconds))
    fields = [finding.field for finding in findings]
    assert fields == ["ike.lifetime_seconds", "ipsec.lifetime_seconds"]
    assert all(f"nearest below is {nearest} s" in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("kb", "said", "nearest"),
    [
        (2_560, "kb 2560", 0),
        (65_535, "kb 65535", 0),
        (65_536, "mb 64", 0),
        (1_843_200, "mb 1800", 0),
        (4_194_304, "gb 4", 0),
        (65_537, None, 65_536),
        (4_608_001, None, 4_608_000),
        (4_294_967_295, None, 4_293_918_720),
    ],
)
def test_it_counts_volume_in_the_largest_unit_that_fits_exactly(
    kb: int, said: str | None, nearest: int
) -> None:
    spec = a_tunnel_spec(
        ike=CBC, ipsec=IpsecSettings(encryption="aes-256", pfs="dh14", lifetime_kb=kb)
    )
    if said:
        assert f" lifesize {said}\n" in written(spec).text
        assert understood(written(spec).text).esp_kb == kb
    else:
        [finding] = refusal(spec)
        assert finding.field == "ipsec.lifetime_kb"
        assert f"nearest below is {nearest} KB" in finding.message


def test_it_never_writes_an_amount_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="65541"):
        units.exactly(65_541, units.TIME)


@pytest.mark.parametrize(
    ("group", "prf"),
    [("dh14", "sha2-256"), ("dh16", "sha2-256"), ("dh19", "sha2-256"), ("dh20", "sha2-384")],
)
def test_it_takes_the_prf_that_the_group_implies_beside_gcm(group: str, prf: str) -> None:
    spec = a_tunnel_spec(ike=IkeSettings(dh_group=group, prf=prf))
    text = written(spec).text
    assert f"ike-crypto-profiles {ID} hash non-auth\n" in text
    assert f"ipsec-crypto-profiles {ID} esp authentication none\n" in text
    assert understood(text) == expected(spec, silent=SILENT)
    other = {"sha2-256": "sha2-384", "sha2-384": "sha2-256"}[prf]
    [finding] = refusal(a_tunnel_spec(ike=IkeSettings(dh_group=group, prf=other)))
    assert finding.field == "ike.prf"
    assert f"that is PRF {prf.upper()}" in finding.message


def test_it_refuses_gcm_with_a_group_whose_prf_nobody_tells() -> None:
    [finding] = refusal(a_tunnel_spec(ike=IkeSettings(dh_group="dh21")))
    assert finding.field == "ike.prf"
    assert "not documented" in finding.message
    assert written(a_tunnel_spec(ike=replace(CBC, dh_group="dh21")))


def test_it_tells_how_long_an_ikev2_peer_may_be_silent() -> None:
    [warning] = written(a_tunnel_spec(ike=CBC)).warnings
    assert "30 s was agreed" in warning
    for ike in (replace(CBC, version=IkeVersion.V1), replace(CBC, dpd_enabled=False)):
        assert written(a_tunnel_spec(ike=ike)).warnings == ()


@pytest.mark.parametrize(("timeout", "interval"), [(30, 10), (45, 15), (60, 20)])
def test_it_asks_three_times_within_the_agreed_time(timeout: int, interval: int) -> None:
    one = replace(CBC, version=IkeVersion.V1, dpd_timeout=timeout)
    text = written(a_tunnel_spec(ike=one)).text
    assert f"protocol ikev1 dpd interval {interval}\n" in text
    assert "protocol ikev1 dpd retry 3\n" in text
    two = written(a_tunnel_spec(ike=replace(one, version=IkeVersion.V2))).text
    assert f"protocol ikev2 dpd interval {interval}\n" in two
    assert "retry" not in commands(two)


def test_it_switches_dpd_and_pfs_off() -> None:
    spec = a_tunnel_spec(
        ike=replace(CBC, dpd_enabled=False), ipsec=IpsecSettings(encryption="aes-128", pfs="")
    )
    text = written(spec).text
    assert "dpd enable no\n" in text
    assert "dpd interval" not in text
    assert "dh-group no-pfs\n" in text


def test_it_begins_by_itself_only_with_a_monitor() -> None:
    waiting = replace(CBC, negotiation=Negotiation.PASSIVE, dpd_enabled=False)
    rendering = written(a_tunnel_spec(ike=waiting))
    assert "keep some traffic going" in rendering.warnings[0]
    assert "tunnel-monitor" not in rendering.text
    assert render_case(PLATFORM, CASES["common-health-check"]).warnings == ()
    rendering = written(a_tunnel_spec(ike=waiting, health=a_health_check()))
    [warning] = rendering.warnings
    assert "with the pair of the health check only" in warning
    # The pair of the health check is the last one: no rule covers it.
    assert f"tunnel-monitor proxy-id {ID}-4\n" in rendering.text
    assert "tunnel-monitor destination-ip 169.254.128.2\n" in rendering.text
    active = written(a_tunnel_spec(ike=CBC, health=a_health_check()))
    assert "tunnel-monitor" not in active.text
    assert "ip 169.254.128.3/32\n" in active.text


def test_it_answers_the_health_check_over_ipv6() -> None:
    spec = a_tunnel_spec(
        ike=replace(CBC, negotiation=Negotiation.PASSIVE),
        rules=(a_rule("fd00:1::/64", "fd00:2::/64"),),
        health=a_health_check("fd00:1::1", "fd00:2::1"),
    )
    text = written(spec).text
    assert "tunnel.10 ipv6 address fd00:2::1/128 enable-on-interface yes\n" in text
    assert "permitted-ip fd00:1::1\n" in text
    assert understood(text) == expected(spec, silent=SILENT)


def test_it_exempts_only_ipv4_from_nat_and_routes_each_range_once() -> None:
    spec = a_tunnel_spec(
        ike=CBC,
        rules=(
            a_rule("fd00:1::/64", "fd00:2::/64"),
            a_rule("10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/24"),
        ),
    )
    text = commands(written(spec).text)
    assert text.count("set rulebase nat rules") == 2
    assert f"nat rules {ID}-1 " not in text
    assert text.count(" static-route ") == 2
    assert understood(text) == expected(spec, silent=SILENT)


def test_it_warns_when_a_range_holds_the_gateway_itself() -> None:
    spec = a_tunnel_spec(ike=CBC, rules=(a_rule("0.0.0.0/0", "192.168.0.0/24"),))
    warned, plain = written(spec).text, written(a_tunnel_spec(ike=CBC)).text
    for words in ("first give 203.0.113.10 a route of its own", "has the metric 10"):
        assert words in warned
        assert words not in plain


@pytest.mark.parametrize("char", list("\"'\\`?|<>"))
def test_it_refuses_a_key_with_what_has_no_documented_escape(char: str) -> None:
    [finding] = refusal(a_tunnel_spec(ike=CBC, psk=Secret(f"Key{char}12345")))
    assert finding.field == "basic.psk"
    assert f"holds {char}, which" in finding.message


def test_it_refuses_a_key_that_looks_encrypted() -> None:
    [finding] = refusal(a_tunnel_spec(ike=CBC, psk=Secret("-AQ==abcdef")))
    assert "-AQ==" in finding.message
    assert written(a_tunnel_spec(ike=CBC, psk=Secret("AQ==-abcdef")))


@pytest.mark.parametrize("key", ["a#b$c&d;e(f)g", "[list]{x}!*=", "plain-Key_1.~+=@^:,/%"])
def test_it_quotes_a_key_when_it_must(key: str) -> None:
    spec = a_tunnel_spec(ike=CBC, psk=Secret(key))
    text = written(spec).text
    said = key if key.startswith("plain") else f'"{key}"'
    assert f"pre-shared-key key {said}\n" in text
    assert understood(text).psk == key


@pytest.mark.parametrize(
    ("version", "ike", "esp", "fields"),
    [
        (OLDEST, {"dh_group": "dh15"}, {"pfs": "dh21"}, {"ike.dh_group", "ipsec.pfs"}),
        (NEWEST, {"encryption": "des"}, {}, {"ike.encryption"}),
    ],
)
def test_it_knows_what_each_release_lacks(
    version: str, ike: dict[str, Any], esp: dict[str, Any], fields: set[str]
) -> None:
    ipsec = IpsecSettings(**{"encryption": "aes-256", "pfs": "dh14", **esp})
    spec = a_tunnel_spec(ike=replace(CBC, **ike), ipsec=ipsec)
    assert {finding.field for finding in refusal(spec, version)} == fields
    other = NEWEST if version == OLDEST else OLDEST
    assert understood(written(spec, version=other).text) == expected(spec, silent=SILENT)


@pytest.mark.parametrize(
    ("ike", "field", "advice"),
    [
        (replace(CBC, dh_group="dh24"), "ike.dh_group", "DH14"),
        (replace(CBC, dh_group="dh31"), "ike.dh_group", "DH19"),
        (replace(CBC, lifetime_seconds=60), "ike.lifetime_seconds", "180"),
    ],
)
def test_it_refuses_what_it_does_not_have(ike: IkeSettings, field: str, advice: str) -> None:
    [finding] = refusal(a_tunnel_spec(ike=ike, ipsec=IpsecSettings(pfs="dh14")))
    assert finding.field == field
    assert advice in finding.message


def test_it_refuses_names_in_main_mode() -> None:
    ike = replace(CBC, version=IkeVersion.V1)
    remote = an_endpoint("shanghai-router", "198.51.100.2", "router.example.com")
    [finding] = refusal(a_tunnel_spec(ike=ike, remote=remote))
    assert finding.field == "ike.remote_fqdn"
    assert written(a_tunnel_spec(ike=replace(ike, mode=Mode.AGGRESSIVE), remote=remote))


GIVEN = {
    "outside_interface": "ae2.100",
    "outside_zone": "Internet",
    "inside_zone": "LAN_1",
    "vpn_zone": "to-cloud",
    "tunnel_number": "9999",
    "routing": "logical-router",
    "router": "LR-1",
    "virtual_system": "vsys2",
}


def test_it_takes_the_answers() -> None:
    spec = CASES["common-health-check"]
    text = written(spec, given=GIVEN).text
    assert understood(text) == expected(spec, silent=SILENT)
    for part in (
        "local-address interface ae2.100\n",
        "set vsys vsys2 import network interface tunnel.9999\n",
        "set vsys vsys2 zone to-cloud network layer3 tunnel.9999\n",
        "set network logical-router LR-1 vrf default interface tunnel.9999\n",
        f"set network logical-router LR-1 vrf default routing-table ip static-route {ID}-1 destination ",
        f"set vsys vsys2 rulebase security rules {ID}-ike from Internet to Internet source ",
        f"set vsys vsys2 rulebase nat rules {ID}-1 from LAN_1 to to-cloud source ",
        f"move vsys vsys2 rulebase nat rules {ID}-1 top\n",
        f"delete vsys vsys2 rulebase security rules {ID}-1-out\n",
    ):
        assert part in text
    assert "trust" not in commands(text)


@pytest.mark.parametrize(
    "interface", ["ethernet1/1", "ethernet1/24.3999", "ae1", "vlan.10", "loopback.2", "loopback"]
)
def test_it_takes_interfaces_as_pan_os_names_them(interface: str) -> None:
    text = written(a_tunnel_spec(ike=CBC), given={"outside_interface": interface}).text
    assert f"local-address interface {interface}\n" in text
    understood(text)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("outside_interface", "eth0"),
        ("outside_interface", "ethernet1/1 ip 1.2.3.4"),
        ("outside_interface", "ethernet1/1\ncommit"),
        ("outside_zone", "any"),
        ("outside_zone", "my zone"),
        ("inside_zone", "[ trust dmz ]"),
        ("inside_zone", "trust\ndelete rulebase"),
        ("vpn_zone", '"vpn"'),
        ("vpn_zone", "v" * 32),
        ("vpn_zone", "zoné"),
        ("tunnel_number", "0"),
        ("tunnel_number", "10000"),
        ("routing", "router"),
        ("router", "default routing-table"),
        ("virtual_system", "vsys0"),
        ("virtual_system", "shared"),
    ],
)
def test_it_refuses_answers_that_pan_os_would_not_take(question: str, answer: str) -> None:
    with pytest.raises(RuleError) as caught:
        written(a_tunnel_spec(ike=CBC), given={question: answer})
    [finding] = caught.value.findings
    assert (finding.rule, finding.field) == ("device-answer", question)


@pytest.mark.parametrize("text", [GOOD, HEALTH, IPV6], ids=["two pairs", "health check", "ipv6"])
def test_it_removes_each_object_that_it_makes(text: str) -> None:
    removed = [line.partition(" delete ")[2] for line in text.splitlines() if " delete " in line]
    assert removed
    left = [
        line
        for line in commands(text).splitlines()
        if line.startswith("set ")
        and not any(line.removeprefix("set ").startswith(gone) for gone in removed)
    ]
    assert left == ["set cli scripting-mode on"]


def test_it_removes_what_refers_before_what_is_referred_to() -> None:
    removed = [line.partition(" delete ")[2] for line in HEALTH.splitlines() if " delete " in line]

    def at(words: str) -> int:
        return next(place for place, line in enumerate(removed) if line.startswith(words))

    assert at("rulebase security") < at("zone ") < at("import ") < at("network interface tunnel")
    assert (
        at("network tunnel ipsec") < at("network ike gateway") < at("network ike crypto-profiles")
    )
    assert at("network interface tunnel") < at("network profiles")
    assert at("network virtual-router default routing-table") < at(
        "network virtual-router default interface"
    )
