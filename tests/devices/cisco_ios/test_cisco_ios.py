"""What is decided for IOS, what it refuses, and what it asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES
from tests.devices.cisco_files import commands_of, file_of, header_of
from tests.devices.cisco_ios.grammar import read
from tests.devices.understood import expected
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import DpdAction, IkeSettings, IkeVersion, IpsecSettings, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

PLATFORM = PLATFORMS["cisco-ios"]
NEWEST, BEFORE_SHIELD, CLASSIC = PLATFORM.versions

V1 = CASES["common-ikev1-main"]
AGGRESSIVE = CASES["common-ikev1-aggressive-fqdn"]
V2 = CASES["common-ikev2"]
MODERN = CASES["ikev2-modern"]
PROBED = CASES["common-health-check"]


def rendered(spec: TunnelSpec, *, version: str = NEWEST, **answers: str) -> str:
    """The text of the file."""
    return file_of(PLATFORM, spec, version, answers)


def refused(spec: TunnelSpec, version: str = NEWEST) -> Mapping[str, str]:
    """Field → sentence of everything that is refused."""
    with pytest.raises(RuleError) as caught:
        rendered(spec, version=version)
    return {str(finding.field): finding.message for finding in caught.value.findings}


def understood_as(text: str, spec: TunnelSpec) -> bool:
    """Whether the reader finds exactly the tunnel in the text."""
    return read("cisco-ios", {"file": text}) == expected(spec, silent=frozenset())


@pytest.mark.parametrize(
    ("encryption", "word"),
    [("aes-128", "aes 128"), ("aes-192", "aes 192"), ("aes-256", "aes 256"), ("3des", "3des")],
)
def test_it_has_ikev1_words_of_its_own(encryption: str, word: str) -> None:
    spec = replace(V1, ike=replace(V1.ike, encryption=encryption, integrity="sha2-256"))
    lines = commands_of(rendered(spec, version=BEFORE_SHIELD))
    assert f"encryption {word}" in lines
    assert "hash sha256" in lines


@pytest.mark.parametrize("version", PLATFORM.versions)
@pytest.mark.parametrize("spec", [V1, AGGRESSIVE, V2, PROBED])
def test_every_version_carries_what_is_common(version: str, spec: TunnelSpec) -> None:
    text = rendered(spec, version=version)
    assert f"For version: {version}" in text
    assert understood_as(text, spec)


def test_old_algorithms_are_for_old_releases() -> None:
    spec = CASES["ikev1-main"]
    assert understood_as(rendered(spec, version=BEFORE_SHIELD), spec)
    assert understood_as(rendered(spec, version=CLASSIC), spec)
    sentences = refused(spec)
    assert set(sentences) == {"ike.encryption", "ike.dh_group", "ipsec.integrity"}
    assert "AES-128" in sentences["ike.encryption"]
    assert "DH14" in sentences["ike.dh_group"]


def test_dh24_is_rejected_where_cisco_says_so() -> None:
    # FN72510: not for the policies of IKEv1.
    v1 = replace(V1, ike=replace(V1.ike, dh_group="dh24"))
    assert understood_as(rendered(v1), v1)
    assert "ipsec.pfs" in refused(replace(V1, ipsec=replace(V1.ipsec, pfs="dh24")))
    assert "ike.dh_group" in refused(replace(V2, ike=replace(V2.ike, dh_group="dh24")))


def test_classic_ios_has_no_gcm_for_ike() -> None:
    sentences = refused(MODERN, CLASSIC)
    assert set(sentences) == {"ike.encryption"}
    assert "AES-256" in sentences["ike.encryption"]


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("ike.encryption", replace(V2, ike=replace(V2.ike, encryption="chacha20-poly1305"))),
        ("ike.dh_group", replace(V2, ike=replace(V2.ike, dh_group="dh31"))),
        ("ipsec.encryption", replace(V1, ipsec=replace(V1.ipsec, encryption="aes-256-gcm"))),
        ("ike.lifetime_seconds", replace(V2, ike=replace(V2.ike, lifetime_seconds=86_401))),
        ("ipsec.lifetime_seconds", replace(V2, ipsec=replace(V2.ipsec, lifetime_seconds=86_401))),
        ("spd.rules", CASES["common-ipv6"]),
        ("spd.rules", replace(V2, rules=(a_rule("2001:db8:1::/64", "2001:db8:2::/64"),))),
    ],
)
def test_it_refuses_what_ios_cannot_do(field: str, spec: TunnelSpec) -> None:
    assert list(refused(spec, CLASSIC)) == [field]


@pytest.mark.parametrize("char", '?"')
def test_it_refuses_a_key_that_the_prompt_would_not_take(char: str) -> None:
    sentences = refused(replace(V2, psk=Secret(f"Golden{char}Key_73519")))
    assert sentences["basic.psk"].startswith(f"The pre-shared key holds {char},")


def test_it_carries_every_other_character_of_a_key() -> None:
    key = "".join(chr(code) for code in range(ord("!"), ord("~") + 1) if chr(code) not in '?"')
    for spec in (V1, V2):
        hostile = replace(spec, psk=Secret(key))
        assert understood_as(rendered(hostile), hostile)


def test_main_mode_takes_no_names() -> None:
    spec = replace(V1, local=an_endpoint("gateway-beijing", "203.0.113.10", "gateway.example.net"))
    assert list(refused(spec)) == ["ike.local_fqdn"]


def test_ikev1_sends_no_address_but_its_own() -> None:
    other = an_endpoint("shanghai-router", "198.51.100.2", "192.0.2.1")
    assert list(refused(replace(V1, remote=other))) == ["ike.remote_fqdn"]
    spec = replace(V2, remote=other)
    assert understood_as(rendered(spec), spec)


def test_the_key_is_found_by_name_and_by_address() -> None:
    lines = commands_of(rendered(AGGRESSIVE))
    assert "pre-shared-key address 203.0.113.10 key 0 Golden-Key_73519" in lines
    assert "pre-shared-key hostname gateway.example.net key 0 Golden-Key_73519" in lines
    assert "match identity host gateway.example.net" in lines
    assert "self-identity fqdn router.example.com" in lines
    assert "initiate mode aggressive" in lines


def test_it_tells_where_a_name_of_its_own_may_be_missing() -> None:
    assert "leave the name out" in header_of(rendered(AGGRESSIVE, version=CLASSIC))
    assert "leave the name out" not in header_of(rendered(AGGRESSIVE))
    assert "leave the name out" not in header_of(rendered(V1, version=CLASSIC))


def test_it_says_that_one_ikev2_policy_is_asked_for_proposals() -> None:
    sentence = "When one other than default matches 198.51.100.2 already (show crypto ikev2 policy)"
    assert sentence in header_of(rendered(V2))
    assert "enter proposal vpnx-7k2m9q4z in that one" in header_of(rendered(V2))
    assert "crypto ikev2" not in header_of(rendered(V1))


def test_ikev2_takes_names() -> None:
    spec = replace(V2, local=AGGRESSIVE.local, remote=AGGRESSIVE.remote)
    text = rendered(spec)
    assert understood_as(text, spec)
    assert "match identity remote fqdn gateway.example.net" in commands_of(text)
    assert "identity local fqdn router.example.com" in commands_of(text)


@pytest.mark.parametrize(
    ("timeout", "ikev1", "ikev2"),
    [(30, "keepalive 10 retry 4", "dpd 10 4 periodic"), (60, "keepalive 20 retry 8", "dpd 20 8 periodic")],
)  # fmt: skip
def test_dead_peers_are_found_within_the_agreed_time(timeout: int, ikev1: str, ikev2: str) -> None:
    for spec, line in ((V1, ikev1), (V2, ikev2)):
        slow = replace(spec, ike=replace(spec.ike, dpd_timeout=timeout))
        assert line in commands_of(rendered(slow))
        off = replace(spec, ike=replace(spec.ike, dpd_enabled=False))
        assert not any(word in ("keepalive", "dpd") for word in _first_words(rendered(off)))


def _first_words(text: str) -> list[str]:
    return [line.split()[0] for line in commands_of(text)]


def test_no_pfs_is_no_line() -> None:
    spec = replace(V2, ipsec=replace(V2.ipsec, pfs=""))
    assert not any(line.startswith("set pfs") for line in commands_of(rendered(spec)))
    assert understood_as(rendered(spec), spec)


def test_it_keeps_pairs_up_only_when_nobody_else_begins() -> None:
    waiting = replace(V2, ike=replace(V2.ike, negotiation=Negotiation.ON_TRAFFIC))
    assert "ip sla" not in rendered(waiting)
    starting = replace(V2, ike=replace(V2.ike, negotiation=Negotiation.PASSIVE))
    text = rendered(starting, ip_sla="71", inside="Vlan20")
    lines = commands_of(text)
    assert lines.count("icmp-echo 10.0.0.1 source-interface Vlan20") == 2
    assert "ip sla schedule 72 life forever start-time now" in lines
    assert "each 30 s" in header_of(text)
    assert "no ip sla 72" in header_of(text)


def test_it_pings_the_health_check_of_the_vpn_gateway() -> None:
    spec = replace(
        V2,
        ike=replace(V2.ike, negotiation=Negotiation.PASSIVE, dpd_action=DpdAction.CLEAR),
        health=a_health_check("169.254.128.2", "169.254.128.3"),
    )
    text = rendered(spec, loopback="7")
    lines = commands_of(text)
    assert understood_as(text, spec)
    assert lines[lines.index("interface Loopback7") + 1] == (
        "ip address 169.254.128.3 255.255.255.255"
    )
    assert "icmp-echo 169.254.128.2 source-ip 169.254.128.3" in lines
    assert "permit ip host 169.254.128.3 host 169.254.128.2" in lines
    kept = rendered(spec, loopback="none")
    assert "interface Loopback" not in kept
    assert understood_as(kept, spec)


def test_the_whole_world_behind_the_vpn_gateway() -> None:
    spec = a_tunnel_spec(
        ike=replace(V2.ike, negotiation=Negotiation.PASSIVE),
        ipsec=V2.ipsec,
        rules=(a_rule("0.0.0.0/0", "192.168.0.0/24"), a_rule("10.9.8.7/32", "192.168.1.0/24")),
    )
    text = rendered(spec, next_hop="198.51.100.1")
    lines = commands_of(text)
    assert "permit ip 192.168.0.0 0.0.0.255 any" in lines
    assert "permit ip 192.168.1.0 0.0.0.255 host 10.9.8.7" in lines
    assert "icmp-echo 10.9.8.7 source-interface GigabitEthernet0/0/1" in lines
    # The default route is the router's own business.
    assert [line for line in lines if line.startswith("ip route")] == [
        "ip route 10.9.8.7 255.255.255.255 198.51.100.1 name vpnx-7k2m9q4z"
    ]
    assert "icmp-echo 203.0.113.10 source-interface GigabitEthernet0/0/1" in lines


def test_it_writes_what_was_answered() -> None:
    text = rendered(
        V1,
        outside="Dialer1",
        inside="GigabitEthernet0/1.20",
        crypto_map="OUTSIDE_MAP",
        sequence="0040",
        policy="7",
        nat_list="150",
        outside_list="FROM-INTERNET",
        next_hop="198.51.100.254",
    )
    lines = commands_of(text)
    assert understood_as(text, V1)
    assert lines[lines.index("interface Dialer1") + 1] == "crypto map OUTSIDE_MAP"
    assert lines[lines.index("interface GigabitEthernet0/1.20") + 1] == "ip tcp adjust-mss 1300"
    assert "crypto map OUTSIDE_MAP 40 ipsec-isakmp" in lines
    assert "crypto isakmp policy 7" in lines
    assert "ip access-list resequence 150 1000 10" in lines
    opening = lines.index("ip access-list extended FROM-INTERNET")
    assert lines[opening + 1 : opening + 5] == [
        "1 permit udp host 203.0.113.10 host 198.51.100.2 eq isakmp",
        "2 permit udp host 203.0.113.10 host 198.51.100.2 eq non500-isakmp",
        "3 permit esp host 203.0.113.10 host 198.51.100.2",
        "exit",
    ]
    assert "ip route 10.0.0.0 255.255.255.0 198.51.100.254 name vpnx-7k2m9q4z" in lines
    header = header_of(text)
    for command in (
        "no crypto map OUTSIDE_MAP 40",
        "no crypto isakmp policy 7",
        "no ip route 10.0.1.0 255.255.255.192 198.51.100.254 name vpnx-7k2m9q4z",
        "no permit esp host 203.0.113.10 host 198.51.100.2",
        "no deny ip 192.168.2.0 0.0.0.255 10.0.1.0 0.0.0.63",
    ):
        assert command in header


def test_none_means_that_nothing_is_written() -> None:
    text = rendered(V2, nat_list="none", outside_list="none", next_hop="none")
    words = commands_of(text)
    assert not any(line.startswith(("ip route", "ip access-list resequence")) for line in words)
    assert words.count("ip access-list extended vpnx-7k2m9q4z") == 1
    assert understood_as(text, V2)


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        (
            "outside",
            ["GigabitEthernet0/0\nexit", "GigabitEthernet 0/0", "0/0", "none", "Gi0/0?", "Gi0/0!"],
        ),
        ("crypto_map", ["VPN 10", "VPN\nend", "1VPN", "V?N", "A" * 33]),
        ("sequence", ["0", "65536", "-1", "ten", "1 2", "99999999999", "١"]),
        ("nat_list", ["NAT EXEMPT", "99", "200", "NAT\n10 permit ip any any", '"NAT"', "NAT!"]),
        ("next_hop", ["198.51.100", "198.51.100.256", "198.51.100.1 1", "Null0", "2001:db8::1"]),
    ],
)
def test_it_does_not_take_what_ios_would_not(question: str, answers: list[str]) -> None:
    for answer in answers:
        with pytest.raises(RuleError) as caught:
            rendered(V2, **{question: answer})
        [finding] = caught.value.findings
        assert (finding.rule, finding.field) == ("device-answer", question)


def test_it_asks_only_what_matters() -> None:
    def asked(spec: TunnelSpec) -> set[str]:
        return {question.id for question in PLATFORM.questions if question.asked(spec)}

    always = {"outside", "inside", "crypto_map", "sequence", "nat_list", "outside_list", "next_hop"}
    assert asked(V2) == always
    assert asked(V1) == {*always, "policy"}
    assert asked(PROBED) == {*always, "loopback", "ip_sla"}


def test_sides_are_swapped() -> None:
    spec = a_tunnel_spec(
        ike=IkeSettings(version=IkeVersion.V2, encryption="aes-256", dh_group="dh14"),
        ipsec=IpsecSettings(encryption="aes-256", pfs="dh14"),
    )
    found = read("cisco-ios", {"file": rendered(spec)})
    assert found.local_address == "198.51.100.2"
    assert found.remote_address == "203.0.113.10"
    assert found.pairs
    assert all(local.startswith("192.168.") for local, _ in found.pairs)
