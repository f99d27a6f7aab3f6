from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES, HOSTILE_PSK, render_case
from tests.devices.juniper_srx.grammar import read
from tests.devices.understood import BadFileError, Understood, expected
from tunnels.devices.base import Rendering
from tunnels.devices.juniper_srx.platform import PLATFORM
from tunnels.devices.juniper_srx.words import PRF_BESIDE
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings, Mode, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

NEWEST, _, WITHOUT_KB, MIDDLE, OLDEST = PLATFORM.versions
CBC = IkeSettings(encryption="aes-256", dh_group="dh14")


def written(
    spec: TunnelSpec, *, version: str = NEWEST, given: Mapping[str, str] | None = None
) -> Rendering:
    return render_case(PLATFORM, spec, version=version, given=given)


def understood(text: str) -> Understood:
    return read("juniper-srx", {"file": text})


def refusal(spec: TunnelSpec, version: str = NEWEST) -> list[Finding]:
    with pytest.raises(RuleError) as caught:
        written(spec, version=version)
    return list(caught.value.findings)


def body(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("set ")]


GOOD = render_case(PLATFORM, CASES["common-ikev1-main"]).text
HEALTH = render_case(PLATFORM, CASES["common-health-check"]).text
P = "policy vpnx-7k2m9q4z-1"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("aes-256-cbc", "aes-257-cbc"),
        ("dh-group group14", "dh-group 14"),
        ("authentication-algorithm sha1", "authentication-algorithm hmac-sha1-96"),
        ("authentication-algorithm hmac-sha1-96", "authentication-algorithm sha1"),
        ("lifetime-seconds 86400", "lifetime-seconds 86401"),
        ("lifetime-kilobytes 4608000", "lifetime-megabytes 4608"),
        ("mode main\n", ""),
        ("version v1-only", "version v2-only"),
        ("version v1-only", "version v1"),
        ("local-identity inet 198", "local-identity hostname-inet 198"),
        ("remote-identity inet 203.0.113.10", "remote-identity inet6 203.0.113.10"),
        ('ascii-text "Golden-Key_73519"', "ascii-text Golden-Key_73519"),
        ('ascii-text "Golden-Key_73519"', 'ascii-text "Golden-Key_73519'),
        ('ascii-text "Golden-Key_73519"', 'ascii-text "Golden"Key_73519"'),
        ('ascii-text "Golden-Key_73519"', 'ascii-text "$9$olden-Key_73519"'),
        ('ascii-text "Golden-Key_73519"', "hexadecimal 4g"),
        ("dead-peer-detection interval 15", "dead-peer-detection interval 9"),
        ("dead-peer-detection always-send\n", "dead-peer-detection\n"),
        ("ike-policy vpnx-7k2m9q4z", "ike-policy vpnx-7k2m9q4y"),
        ("bind-interface st0.10", "bind-interface st0.11"),
        ("-2 remote-ip 10.0.1.0/26", "-2 remote-ip 10.0.1.0/27"),
        ("traffic-selector vpnx-7k2m9q4z-1 local-ip", "traffic-selector vpnx-7k2m9q4z-3 local-ip"),
        ("establish-tunnels on-traffic", "establish-tunnels traffic"),
        ("family inet\n", "family inet6\n"),
        ("system-services ike", "system-services ikev2"),
        ("security-zone vpn interfaces st0.10\n", ""),
        (f"to-zone vpn {P}-out then permit\n", f"to-zone vpn {P}-out then deny\n"),
        (f"to-zone vpn {P}-out match application any\n", ""),
        (f"from-zone vpn to-zone trust {P}-in then permit", f"from-zone trust to-zone vpn {P}-in then permit"),
        ("source-address vpnx-7k2m9q4z-1-local", "source-address vpnx-7k2m9q4z-1-remote"),
        ("source-nat off", "source-nat interface"),
        ("rule-set vpnx-7k2m9q4z to zone vpn", "rule-set vpnx-7k2m9q4z to zone untrust"),
        ("-1 match source-address 192.168.0.0/24", "-1 match source-address 192.168.0.0/16"),
        ("\n# IKE\n", "\n# IKE\nset system services telnet\n"),
        ("\n# IKE\n", "\n# IKE\nset security ike proposal vpnx-7k2m9q4z dh-group group14\n"),
        ("\n# IKE\n", "\n# IKE\ncommit\n"),
        ("set security flow tcp-mss ipsec-vpn mss 1300", "set security flow tcp-mss ipsec-vpn mss 1500"),
    ],
)  # fmt: skip
def test_its_reader_notices(old: str, new: str) -> None:
    understood(GOOD)
    lines = GOOD.splitlines()
    start = lines.index("# IKE") - 1
    commands = "\n".join(lines[start:]) + "\n"
    assert old in commands
    with pytest.raises(BadFileError):
        understood(commands.replace(old, new, 1))


def test_its_reader_needs_the_address_and_the_ping_together() -> None:
    understood(HEALTH)
    for ending in (" address 169.254.129.2/32", " host-inbound-traffic system-services ping"):
        lines = [line for line in HEALTH.splitlines() if not line.endswith(ending)]
        assert len(lines) == len(HEALTH.splitlines()) - 1
        with pytest.raises(BadFileError):
            understood("\n".join(lines))


def test_it_swaps_the_sides() -> None:
    spec = CASES["common-ikev1-aggressive-fqdn"]
    text = written(spec).text
    assert "gateway vpnx-7k2m9q4z address 203.0.113.10\n" in text
    assert "local-identity hostname router.example.com\n" in text
    assert "remote-identity hostname gateway.example.net\n" in text
    assert "traffic-selector vpnx-7k2m9q4z-1 local-ip 192.168.0.0/24\n" in text
    assert "traffic-selector vpnx-7k2m9q4z-1 remote-ip 10.0.0.0/24\n" in text


def test_it_begins_by_itself_only_when_the_gateway_waits() -> None:
    waiting = a_tunnel_spec(ike=replace(CBC, negotiation=Negotiation.PASSIVE))
    assert "establish-tunnels immediately\n" in written(waiting).text
    for negotiation in (Negotiation.ACTIVE, Negotiation.ON_TRAFFIC):
        text = written(a_tunnel_spec(ike=replace(CBC, negotiation=negotiation))).text
        assert "establish-tunnels on-traffic\n" in text
        assert "immediately" not in text


@pytest.mark.parametrize(("timeout", "interval"), [(30, 10), (45, 15), (60, 20), (50, 16)])
def test_it_asks_three_times_within_the_agreed_time(timeout: int, interval: int) -> None:
    text = written(a_tunnel_spec(ike=replace(CBC, dpd_timeout=timeout))).text
    assert f"dead-peer-detection interval {interval}\n" in text
    assert "dead-peer-detection threshold 3\n" in text


def test_it_is_silent_about_dpd_and_pfs_when_they_are_off() -> None:
    spec = a_tunnel_spec(
        ike=replace(CBC, dpd_enabled=False), ipsec=IpsecSettings(encryption="aes-128", pfs="")
    )
    commands = "\n".join(body(written(spec).text))
    assert "dead-peer-detection" not in commands
    assert "perfect-forward-secrecy" not in commands


def test_it_owns_the_address_of_the_health_check_and_answers_on_it_alone() -> None:
    text = written(CASES["common-health-check"]).text
    assert "set interfaces st0 unit 10 family inet address 169.254.129.2/32\n" in text
    inbound = [line for line in body(text) if "host-inbound-traffic" in line]
    assert inbound == [
        "set security zones security-zone untrust host-inbound-traffic system-services ike",
        "set security zones security-zone vpn interfaces st0.10 host-inbound-traffic system-services ping",
    ]
    spec = a_tunnel_spec(
        ike=CBC,
        rules=(a_rule("fd00:1::/64", "fd00:2::/64"),),
        health=a_health_check("fd00:1::1", "fd00:2::1"),
    )
    assert "st0 unit 10 family inet6 address fd00:2::1/128\n" in written(spec).text


def test_it_carries_ipv6_inside_ipv4_and_the_other_way_round() -> None:
    spec = a_tunnel_spec(ike=CBC, rules=(a_rule("fd00:1::/64", "fd00:2::/64"),))
    text = written(spec).text
    assert "family inet6\n" in text
    assert "family inet\n" not in text
    assert "family inet6 mode flow-based" in text
    assert understood(text) == expected(spec, silent=frozenset())
    assert "flow-based" not in written(a_tunnel_spec(ike=CBC)).text


@pytest.mark.parametrize(
    "key",
    [HOSTILE_PSK, "$9$abcdefgh", 'a"b-12345', "back\\slash", "hash#hash", "what?what", "pipe|pipe",
     "/*comment*/", "[list] {block}", "semi;colon", "'quotes'", "$8$abcdefgh", "a b"],
)  # fmt: skip
def test_it_writes_a_key_that_could_be_read_otherwise_in_hex(key: str) -> None:
    key = key.replace(" ", "_") if key != "a b" else "a`b`c`d`e"
    text = written(a_tunnel_spec(ike=CBC, psk=Secret(key))).text
    assert f"pre-shared-key hexadecimal {key.encode().hex()}\n" in text
    assert key not in "\n".join(body(text))
    assert understood(text).psk == key


def test_it_writes_a_plain_key_as_text() -> None:
    key = "Aa0._~+=@^:,/()!&%-zz"
    text = written(a_tunnel_spec(ike=CBC, psk=Secret(key))).text
    assert f'pre-shared-key ascii-text "{key}"\n' in text
    assert understood(text).psk == key
    longest = "x" * 128
    assert understood(written(a_tunnel_spec(ike=CBC, psk=Secret(longest))).text).psk == longest


def test_it_refuses_a_key_that_does_not_fit_in_hex() -> None:
    assert understood(written(a_tunnel_spec(ike=CBC, psk=Secret("#" * 127))).text).psk == "#" * 127
    [finding] = refusal(a_tunnel_spec(ike=CBC, psk=Secret("#" * 128)))
    assert finding.field == "basic.psk"
    assert "at most 127" in finding.message
    assert "###" not in finding.message


@pytest.mark.parametrize(
    ("ike", "field", "advice"),
    [
        (IkeSettings(prf="sha2-256"), "ike.prf", "PRF SHA2-384"),
        (IkeSettings(encryption="aes-128-gcm", prf="sha2-384"), "ike.prf", "PRF SHA2-256"),
        (IkeSettings(prf="sha2-512"), "ike.prf", "PRF SHA2-384"),
        (replace(CBC, dh_group="dh31"), "ike.dh_group", "DH19"),
        (replace(CBC, dh_group="dh18"), "ike.dh_group", "DH16"),
        (replace(CBC, lifetime_seconds=179), "ike.lifetime_seconds", "180"),
        (replace(CBC, lifetime_seconds=86_401), "ike.lifetime_seconds", "86400"),
    ],
)
def test_it_refuses_what_junos_does_not_have(ike: IkeSettings, field: str, advice: str) -> None:
    findings = refusal(a_tunnel_spec(ike=ike))
    assert {finding.field for finding in findings} == {field}
    assert any(advice in finding.message for finding in findings)


def test_it_says_which_prf_comes_with_gcm() -> None:
    for cipher, prf in PRF_BESIDE.items():
        rendering = written(a_tunnel_spec(ike=IkeSettings(encryption=cipher, prf=prf)))
        [warning] = rendering.warnings
        assert f"prf-hmac-sha{prf.removeprefix('sha2-')}" in warning
        assert understood(rendering.text).ike_prf == prf
    assert written(a_tunnel_spec(ike=CBC)).warnings == ()


def test_it_refuses_a_selector_to_everywhere() -> None:
    [finding] = refusal(a_tunnel_spec(ike=CBC, rules=(a_rule("0.0.0.0/0", "192.168.0.0/24"),)))
    assert finding.field == "spd.rules"
    assert "0.0.0.0/0" in finding.message
    # From everywhere is another matter: the route is made of the other side's range.
    assert written(a_tunnel_spec(ike=CBC, rules=(a_rule("10.0.0.0/24", "0.0.0.0/0"),)))


def test_it_warns_when_a_range_holds_the_gateway_itself() -> None:
    spec = a_tunnel_spec(ike=CBC, rules=(a_rule("203.0.113.0/24", "192.168.0.0/24"),))
    assert "first give 203.0.113.10 a route of its own" in written(spec).text
    assert "route of its own" not in written(a_tunnel_spec(ike=CBC)).text


def test_it_refuses_names_in_main_mode() -> None:
    ike = replace(CBC, version=IkeVersion.V1)
    local = an_endpoint("gateway-beijing", "203.0.113.10", "gateway.example.net")
    [finding] = refusal(a_tunnel_spec(ike=ike, local=local))
    assert finding.field == "ike.local_fqdn"
    assert written(a_tunnel_spec(ike=replace(ike, mode=Mode.AGGRESSIVE), local=local))


@pytest.mark.parametrize(
    ("version", "ike", "esp", "fields"),
    [
        (OLDEST, {"dh_group": "dh15"}, {"pfs": "dh16"}, {"ike.dh_group", "ipsec.pfs"}),
        (MIDDLE, {"dh_group": "dh21"}, {"pfs": "dh21"}, {"ike.dh_group", "ipsec.pfs"}),
        (MIDDLE, {"integrity": "sha2-512"}, {"integrity": "sha2-384"}, {"ike.integrity", "ipsec.integrity"}),
        ("23.4", {}, {"encryption": "chacha20-poly1305"}, {"ipsec.encryption"}),
        (NEWEST, {}, {"lifetime_kb": 63_999}, {"ipsec.lifetime_kb"}),
    ],
)  # fmt: skip
def test_it_knows_what_each_release_lacks(
    version: str, ike: dict[str, Any], esp: dict[str, Any], fields: set[str]
) -> None:
    ipsec = IpsecSettings(**{"encryption": "aes-256", "pfs": "dh14", **esp})
    spec = a_tunnel_spec(ike=replace(CBC, **ike), ipsec=ipsec)
    assert {finding.field for finding in refusal(spec, version)} == fields
    other = NEWEST if version != NEWEST else OLDEST
    assert understood(written(spec, version=other).text) == expected(spec, silent=frozenset())


def test_it_says_that_a_release_has_no_lifetime_by_volume() -> None:
    spec = a_tunnel_spec(ike=CBC)
    rendering = written(spec, version=WITHOUT_KB)
    assert any("1843200 KB" in warning for warning in rendering.warnings)
    assert "lifetime-kilobytes" not in rendering.text
    assert understood(rendering.text) == expected(spec, silent=frozenset({"esp_kb"}))


def test_it_tells_of_the_package_that_newer_algorithms_need() -> None:
    needing = a_tunnel_spec(ike=replace(CBC, integrity="sha2-512"))
    assert "junos-ike" in written(needing).text
    assert "junos-ike" not in written(a_tunnel_spec(ike=CBC)).text


GIVEN = {
    "outside_interface": "reth0.100",
    "outside_zone": "internet",
    "inside_zone": "LAN_1",
    "vpn_zone": "to-cloud",
    "tunnel_unit": "16385",
}


def test_it_takes_the_answers() -> None:
    text = written(CASES["common-health-check"], given=GIVEN).text
    assert understood(text) == expected(CASES["common-health-check"], silent=frozenset())
    for part in (
        "external-interface reth0.100\n",
        "security-zone internet host-inbound-traffic system-services ike\n",
        "from-zone LAN_1 to-zone to-cloud policy vpnx-7k2m9q4z-1-out match application any\n",
        "from-zone to-cloud to-zone LAN_1 policy vpnx-7k2m9q4z-1-in match application any\n",
        "rule-set vpnx-7k2m9q4z to zone to-cloud\n",
        "interfaces st0 unit 16385 family inet address 169.254.129.2/32\n",
        "delete interfaces st0 unit 16385\n",
    ):
        assert part in text
    assert "trust" not in "\n".join(body(text))


@pytest.mark.parametrize(
    "interface", ["ge-0/0/0.0", "xe-1/0/11:3.4094", "ae1.0", "irb.7", "pp0.0", "fe-0/0/7.1"]
)
def test_it_takes_interfaces_as_junos_names_them(interface: str) -> None:
    text = written(a_tunnel_spec(ike=CBC), given={"outside_interface": interface}).text
    assert f"external-interface {interface}\n" in text
    understood(text)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("outside_interface", "ge-0/0/0"),
        ("outside_interface", "ge-0/0/0.0; delete"),
        ("outside_interface", "ge-0/0/0.0\nset system services telnet"),
        ("outside_zone", "un trust"),
        ("outside_zone", "untrust host-inbound-traffic system-services all"),
        ("inside_zone", "-trust"),
        ("inside_zone", "trust\ncommit"),
        ("vpn_zone", '"vpn"'),
        ("vpn_zone", "<*>"),
        ("vpn_zone", "v" * 64),
        ("vpn_zone", "zoné"),
        ("tunnel_unit", "16386"),
        ("tunnel_unit", "-1"),
        ("tunnel_unit", "1 0"),
    ],
)
def test_it_refuses_answers_that_junos_would_not_take(question: str, answer: str) -> None:
    with pytest.raises(RuleError) as caught:
        written(a_tunnel_spec(ike=CBC), given={question: answer})
    [finding] = caught.value.findings
    assert (finding.rule, finding.field) == ("device-answer", question)


def test_it_removes_each_object_that_it_makes() -> None:
    removed = [line.partition(" delete ")[2] for line in GOOD.splitlines() if " delete " in line]
    assert removed
    left = [
        line
        for line in body(GOOD)
        if not any(line.removeprefix("set ").startswith(gone) for gone in removed)
    ]
    assert left == []
