"""What is decided for the ASA, what it refuses, and what it asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.builders import a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES
from tests.devices.cisco_asa.grammar import SILENT, read
from tests.devices.cisco_files import commands_of, file_of, header_of
from tests.devices.understood import expected
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import Mode
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

PLATFORM = PLATFORMS["cisco-asa"]
NEWEST, REMOVING, DEPRECATING, OLD = PLATFORM.versions

V1 = CASES["common-ikev1-main"]
V2 = CASES["common-ikev2"]
MODERN = CASES["ikev2-modern"]
PROBED = CASES["common-health-check"]
SIX = CASES["common-ipv6"]
AGGRESSIVE = replace(V1, ike=replace(V1.ike, mode=Mode.AGGRESSIVE, dpd_enabled=False))


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
    return read("cisco-asa", {"file": text}) == expected(spec, silent=SILENT)


@pytest.mark.parametrize("version", PLATFORM.versions)
@pytest.mark.parametrize("spec", [V2, PROBED, SIX])
def test_every_version_carries_what_is_common(version: str, spec: TunnelSpec) -> None:
    text = rendered(spec, version=version)
    assert f"For version: {version}" in text
    assert understood_as(text, spec)


def test_aggressive_mode_says_its_group() -> None:
    text = rendered(AGGRESSIVE)
    lines = commands_of(text)
    assert understood_as(text, AGGRESSIVE)
    assert "crypto map outside_map 100 set ikev1 phase1-mode aggressive group14" in lines
    assert "isakmp keepalive disable" in lines
    assert "no crypto ikev1 am-disable" in header_of(text)
    assert "AM_ACTIVE" in header_of(text)
    assert "am-disable" not in header_of(rendered(V1))


def test_old_algorithms_are_for_old_releases() -> None:
    spec = CASES["ikev1-main"]
    assert understood_as(rendered(spec, version=OLD), spec)
    assert understood_as(rendered(spec, version=DEPRECATING), spec)
    for version in (NEWEST, REMOVING):
        sentences = refused(spec, version)
        assert set(sentences) == {"ike.encryption", "ike.dh_group", "ipsec.integrity"}
        assert "AES-128" in sentences["ike.encryption"]
        assert "DH5" in sentences["ike.dh_group"]


@pytest.mark.parametrize(
    ("group", "versions"),
    [
        ("dh1", [OLD]),
        ("dh2", [OLD, DEPRECATING]),
        ("dh5", [OLD, DEPRECATING, REMOVING, NEWEST]),
        ("dh14", [DEPRECATING, REMOVING, NEWEST]),
        ("dh19", []),
    ],
)
def test_ikev1_has_few_groups(group: str, versions: list[str]) -> None:
    spec = replace(V1, ike=replace(V1.ike, dh_group=group), ipsec=replace(V1.ipsec, pfs=group))
    for version in PLATFORM.versions:
        if version in versions:
            assert understood_as(rendered(spec, version=version), spec)
        else:
            assert set(refused(spec, version)) == {"ike.dh_group", "ipsec.pfs"}


@pytest.mark.parametrize(
    ("group", "versions"),
    [
        ("dh1", [OLD]),
        ("dh5", [OLD, DEPRECATING]),
        ("dh15", [DEPRECATING, REMOVING, NEWEST]),
        ("dh20", [OLD, DEPRECATING, REMOVING, NEWEST]),
        ("dh24", [OLD, DEPRECATING]),
        ("dh31", [NEWEST]),
        ("dh17", []),
    ],
)
def test_ikev2_has_more_groups_with_time(group: str, versions: list[str]) -> None:
    spec = replace(V2, ike=replace(V2.ike, dh_group=group), ipsec=replace(V2.ipsec, pfs=group))
    for version in PLATFORM.versions:
        if version in versions:
            assert understood_as(rendered(spec, version=version), spec)
        else:
            assert set(refused(spec, version)) == {"ike.dh_group", "ipsec.pfs"}


def test_ikev1_has_no_sha2() -> None:
    sentences = refused(
        replace(
            V1,
            ike=replace(V1.ike, integrity="sha2-256"),
            ipsec=replace(V1.ipsec, integrity="sha2-512"),
        )
    )
    assert set(sentences) == {"ike.integrity", "ipsec.integrity"}
    assert "SHA1" in sentences["ike.integrity"]


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("ipsec.encryption", replace(V1, ipsec=replace(V1.ipsec, encryption="aes-128-gcm"))),
        ("ike.encryption", replace(V2, ike=replace(V2.ike, encryption="chacha20-poly1305"))),
        ("ike.lifetime_seconds", replace(V2, ike=replace(V2.ike, lifetime_seconds=60))),
        ("ipsec.lifetime_kb", replace(V2, ipsec=replace(V2.ipsec, lifetime_kb=4_294_967_295))),
        ("spd.rules", CASES["ipv6"]),
        ("ike.local_fqdn", replace(V2, local=an_endpoint("g", "203.0.113.10", "g.example.net"))),
        ("ike.remote_fqdn", replace(V2, remote=an_endpoint("r", "198.51.100.2", "r.example.com"))),
        ("ike.remote_fqdn", replace(V2, remote=an_endpoint("r", "198.51.100.2", "192.0.2.1"))),
    ],
)
def test_it_refuses_what_the_asa_cannot_do(field: str, spec: TunnelSpec) -> None:
    assert list(refused(spec)) == [field]


@pytest.mark.parametrize("char", '?"')
def test_it_refuses_a_key_that_the_prompt_would_not_take(char: str) -> None:
    sentences = refused(replace(V2, psk=Secret(f"Golden{char}Key_73519")))
    assert sentences["basic.psk"].startswith(f"The pre-shared key holds {char},")


def test_it_carries_every_other_character_of_a_key() -> None:
    key = "".join(chr(code) for code in range(ord("!"), ord("~") + 1) if chr(code) not in '?"')
    for spec in (V1, V2):
        hostile = replace(spec, psk=Secret(key))
        assert understood_as(rendered(hostile), hostile)


def test_gcm_brings_its_own_integrity() -> None:
    lines = commands_of(rendered(MODERN))
    assert "encryption aes-gcm-256" in lines
    assert "integrity null" in lines
    assert "prf sha384" in lines
    assert "protocol esp encryption aes-gcm-256" in lines
    assert "protocol esp integrity null" in lines


@pytest.mark.parametrize(
    ("timeout", "line"),
    [(30, "threshold 10 retry 5"), (45, "threshold 15 retry 7"), (60, "threshold 20 retry 10")],
)
def test_dead_peers_are_found_within_the_agreed_time(timeout: int, line: str) -> None:
    spec = replace(V2, ike=replace(V2.ike, dpd_timeout=timeout))
    assert f"isakmp keepalive {line}" in commands_of(rendered(spec))


def test_no_pfs_is_no_line() -> None:
    spec = replace(V2, ipsec=replace(V2.ipsec, pfs=""))
    assert "set pfs" not in rendered(spec)
    assert understood_as(rendered(spec), spec)


def test_it_says_what_the_asa_does_not_do() -> None:
    assert "let a host of yours ping" in header_of(rendered(PROBED))
    assert "management-access" in header_of(rendered(PROBED))
    assert "only when both ends are ASAs" in header_of(rendered(SIX))
    plain = header_of(rendered(V2))
    for words in ("let a host", "management-access", "both ends are ASAs"):
        assert words not in plain


def test_ipv6_ranges_are_objects_too() -> None:
    spec = a_tunnel_spec(
        ike=V2.ike,
        ipsec=V2.ipsec,
        rules=(a_rule("2001:db8:1::/64", "2001:db8:f:2::/64", "2001:db8:f:3::9/128"),),
    )
    text = rendered(spec, next_hop_6="2001:db8::1")
    lines = commands_of(text)
    assert understood_as(text, spec)
    assert "subnet 2001:db8:f:2::/64" in lines
    assert "host 2001:db8:f:3::9" in lines
    assert [line for line in lines if "route outside" in line] == [
        "ipv6 route outside 2001:db8:1::/64 2001:db8::1"
    ]


def test_it_writes_what_was_answered() -> None:
    text = rendered(
        V1,
        outside="internet",
        inside="lan-1",
        crypto_map="VPN",
        sequence="0007",
        policy="65535",
        next_hop="198.51.100.254",
    )
    lines = commands_of(text)
    assert understood_as(text, V1)
    assert lines[-1] == "crypto map VPN interface internet"
    assert "crypto map VPN 7 set peer 203.0.113.10" in lines
    assert "crypto ikev1 policy 65535" in lines
    assert "crypto ikev1 enable internet" in lines
    assert "route internet 10.0.1.0 255.255.255.192 198.51.100.254 1" in lines
    header = header_of(text)
    for command in (
        "no crypto map VPN interface internet",
        "no crypto map VPN 7 match address vpnx-7k2m9q4z",
        "no crypto ikev1 policy 65535",
        "no route internet 10.0.1.0 255.255.255.192 198.51.100.254 1",
        "clear configure tunnel-group 203.0.113.10",
        "no object network vpnx-7k2m9q4z-2-remote",
    ):
        assert command in header
    exemption = next(line for line in lines if line.startswith("nat (lan-1,internet) 1 source"))
    assert f"no {exemption.replace(' 1 ', ' ', 1)}" in header


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("outside", ["outside inside", "out\nside", "0ut", "out?", "(any)", "a" * 49]),
        ("crypto_map", ["VPN 10", "VPN\nend", "1VPN", "V?N", "A" * 65]),
        ("sequence", ["0", "65536", "-1", "ten", "1 2"]),
        ("policy", ["0", "65536", "1\n2"]),
        ("next_hop", ["198.51.100", "198.51.100.256", "2001:db8::1", "198.51.100.1 2"]),
    ],
)
def test_it_does_not_take_what_the_asa_would_not(question: str, answers: list[str]) -> None:
    for answer in answers:
        with pytest.raises(RuleError) as caught:
            rendered(V2, **{question: answer})
        [finding] = caught.value.findings
        assert (finding.rule, finding.field) == ("device-answer", question)


@pytest.mark.parametrize(
    "answer", ["2001:db8::1", "fe80::1", "::1", "2001:DB8:0:0:0:0:0:1", "none"]
)
def test_it_takes_ipv6_next_hops(answer: str) -> None:
    assert understood_as(rendered(SIX, next_hop_6=answer), SIX)


@pytest.mark.parametrize(
    "answer", ["2001:db8::1::2", "2001:db8::/64", ":::", "2001:db8", "1.2.3.4"]
)
def test_it_takes_nothing_that_is_no_ipv6_next_hop(answer: str) -> None:
    with pytest.raises(RuleError):
        rendered(SIX, next_hop_6=answer)


def test_it_asks_only_what_matters() -> None:
    def asked(spec: TunnelSpec) -> set[str]:
        return {question.id for question in PLATFORM.questions if question.asked(spec)}

    always = {"outside", "inside", "crypto_map", "sequence", "policy"}
    assert asked(V2) == {*always, "next_hop"}
    assert asked(SIX) == {*always, "next_hop_6"}


def test_sides_are_swapped() -> None:
    found = read("cisco-asa", {"file": rendered(V2)})
    assert found.remote_address == "203.0.113.10"
    assert found.pairs
    assert all(local.startswith("192.168.") for local, _ in found.pairs)
