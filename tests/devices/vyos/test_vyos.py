from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES, render_case
from tests.devices.understood import BadFileError, expected
from tests.devices.vyos.grammar import read
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.proposals import (
    DpdAction,
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    Mode,
    Negotiation,
)
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

VYOS = PLATFORMS["vyos"]
GOOD = CASES["common-health-check"]
NAME = "vpnx-7k2m9q4z"


def written(spec: TunnelSpec, version: str = "1.4", **answers: str) -> str:
    [file] = render_case(VYOS, spec, version=version, given=answers).files
    assert read("vyos", {file.filename: file.text}) == expected(spec, silent=frozenset())
    return file.text


def commands(text: str, beginning: str = "") -> list[str]:
    """What follows `set` and this beginning, in the file's order."""
    start = f"set {beginning}"
    return [
        line.removeprefix(start).strip() for line in text.splitlines() if line.startswith(start)
    ]


def refusals(spec: TunnelSpec, **answers: str) -> list[Finding]:
    with pytest.raises(RuleError) as caught:
        written(spec, **answers)
    return list(caught.value.findings)


PLANTED = [
    ("set vpn", "ser vpn"),
    ("ike-group vpnx-7k2m9q4z lifetime", "ike-group vpnx-7k2m9q4z life-time"),
    ("key-exchange 'ikev2'", "key-exchange 'ikev1'"),
    ("key-exchange 'ikev2'", "key-exchange 'ikev3'"),
    ("lifetime '86400'", "lifetime '86401'"),
    ("lifetime '7200'", "lifetime '29'"),
    ("life-bytes '1887436800'", "life-bytes '1887436801'"),
    ("proposal 1 encryption 'aes256'", "proposal 1 encryption 'des'"),
    ("proposal 1 hash 'sha256'", "proposal 1 hash 'sha256"),
    ("proposal 1 dh-group '14'", "proposal 1 dh-group '13'"),
    ("proposal 1 dh-group '14'", "proposal 2 dh-group '14'"),
    ("pfs 'dh-group14'", "pfs dh-group14"),
    ("secret 'Golden-Key_73519'", "secret 'Golden-\"Key_73519'"),
    ("secret 'Golden-Key_73519'", "secret 'Golden-Key_73519' # mine"),
    ("secret 'Golden-Key_73519'", "secret '0xGolden'"),
    ("connection-type 'initiate'", "connection-type 'none'"),
    ("ike-group 'vpnx-7k2m9q4z'", "ike-group 'other'"),
    ("remote-id '203.0.113.10'", "remote-id '203.0.113.11'"),
    ("local-address '198.51.100.2'", "local-address '198.51.100.256'"),
    ("tunnel 1 local prefix '169.254.129.0/30'", "tunnel 1 local prefix '169.254.129.1/30'"),
    ("tunnel 1 remote prefix", "tunnel 2 remote prefix"),
    ("set nat source rule 1 exclude\n", ""),
    ("source rule 1 source address '169.254.129.0/30'", "source rule 1 source address '169.254.128.0/30'"),
    ("input filter rule 2 protocol 'esp'", "input filter rule 2 protocol 'udp'"),
    ("set firewall ipv4 forward filter rule 2 ipsec match-ipsec\n", ""),
    ("rule 2 ipsec match-ipsec\n", "rule 2 ipsec match-ipsec-in\n"),
    ("set policy route vpnx-7k2m9q4z rule 2 set tcp-mss '1300'\n", ""),
    ("dum0 address '169.254.129.2/32'", "dum0 address '169.254.129.3/32'"),
    ("commit\nsave\n", "save\ncommit\n"),
    ("commit\n", ""),
    ("save\n", "save\nset vpn ipsec ike-group vpnx-7k2m9q4z lifetime '1'\n"),
    ("\ncommit", "\nset vpn ipsec ike-group vpnx-7k2m9q4z lifetime '1'\ncommit"),
    ("\ncommit", "\ndelete vpn\ncommit"),
    ("\ncommit", "\nset system host-name 'mine'\ncommit"),
    ("\ncommit", "\nset vpn ipsec site-to-site peer other connection-type 'none'\ncommit"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad"), PLANTED)
def test_its_reader_catches_a_planted_mistake(good: str, bad: str) -> None:
    text = written(GOOD)
    body = text.index("\nset ")
    planted = text[:body] + text[body:].replace(good, bad, 1)
    assert planted != text
    with pytest.raises(BadFileError):
        read("vyos", {"file": planted})


def test_each_line_of_it_is_needed() -> None:
    """Without any one of its commands it is another tunnel, or none."""
    lines = written(GOOD).splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("set "):
            shorter = "".join(lines[:number] + lines[number + 1 :])
            try:
                understood = read("vyos", {"file": shorter})
            except BadFileError:
                continue
            # One interface of two: the reader cannot know how many the site has.
            assert " interface '" in line, line
            assert understood == expected(GOOD, silent=frozenset())


@pytest.mark.parametrize(
    ("negotiation", "action", "begins", "closes", "dead"),
    [
        (Negotiation.PASSIVE, DpdAction.RESTART, "initiate", "start", "restart"),
        (Negotiation.PASSIVE, DpdAction.CLEAR, "initiate", "start", "clear"),
        (Negotiation.ACTIVE, DpdAction.RESTART, "none", "none", "clear"),
        (Negotiation.ON_TRAFFIC, DpdAction.RESTART, "none", "none", "clear"),
    ],
)
def test_it_begins_when_the_gateway_only_waits(
    negotiation: Negotiation, action: DpdAction, begins: str, closes: str, dead: str
) -> None:
    text = written(a_tunnel_spec(ike=IkeSettings(negotiation=negotiation, dpd_action=action)))
    assert commands(text, f"vpn ipsec site-to-site peer {NAME} connection-type") == [f"'{begins}'"]
    assert commands(text, f"vpn ipsec ike-group {NAME} close-action") == [f"'{closes}'"]
    assert commands(text, f"vpn ipsec ike-group {NAME} dead-peer-detection action") == [f"'{dead}'"]


def test_it_says_the_mode_with_ikev1_only() -> None:
    main = written(CASES["common-ikev1-main"])
    assert commands(main, f"vpn ipsec ike-group {NAME} mode") == ["'main'"]
    assert "disable-mobike" not in main
    aggressive = written(CASES["common-ikev1-aggressive-fqdn"])
    assert commands(aggressive, f"vpn ipsec ike-group {NAME} mode") == ["'aggressive'"]
    two = written(CASES["common-ikev2"])
    assert commands(two, f"vpn ipsec ike-group {NAME} mode") == []
    assert commands(two, f"vpn ipsec ike-group {NAME} disable-mobike") == [""]


def test_it_gives_an_aead_its_prf_and_vyos_its_hash() -> None:
    text = written(a_tunnel_spec())
    assert commands(text, f"vpn ipsec ike-group {NAME} proposal 1") == [
        "encryption 'aes256gcm128'", "hash 'sha384'", "prf 'prfsha384'", "dh-group '19'",
    ]  # fmt: skip
    assert commands(text, f"vpn ipsec esp-group {NAME} proposal 1") == [
        "encryption 'aes256gcm128'",
        "hash 'sha256'",
    ]


def test_it_names_what_came_out_of_a_tunnel_as_its_version_does() -> None:
    assert "ipsec match-ipsec\n" in written(GOOD, "1.4")
    assert "ipsec match-ipsec-in\n" in written(GOOD, "1.5")
    assert "match-ipsec-in" not in written(GOOD, "1.4")


def test_it_takes_the_numbers_and_interfaces_of_its_owner() -> None:
    text = written(
        CASES["common-ikev2"], outside="pppoe0", inside="eth1.20", nat_rule="70", firewall_rule="500"
    )  # fmt: skip
    assert commands(text, "nat source rule 71") == [
        "outbound-interface name 'pppoe0'",
        "source address '192.168.1.0/25'",
        "destination address '10.0.0.0/24'",
        "exclude",
    ]
    assert commands(text, "firewall ipv4 input filter rule 501")[1] == "protocol 'esp'"
    assert commands(text, "firewall ipv4 forward filter rule 503") == [
        "action 'accept'",
        "source address '10.0.0.0/24'",
        "destination address '192.168.1.0/25'",
        "ipsec match-ipsec",
    ]
    assert commands(text, f"policy route {NAME} interface") == ["'eth1.20'", "'pppoe0'"]
    assert "nat source rule 70 to 71\n" in text
    assert "firewall ipv4 forward filter rule 500 to 503\n" in text


def test_it_needs_one_interface_only_once() -> None:
    text = written(GOOD, outside="eth0", inside="eth0")
    assert commands(text, f"policy route {NAME} interface") == ["'eth0'"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("outside", "eth0'\nset system host-name 'x"),
        ("outside", "eth0; reboot"),
        ("outside", "$(reboot)"),
        ("outside", "eth"),
        ("outside", "wan"),
        ("inside", "eth1 eth2"),
        ("inside", "ETH1"),
        ("nat_rule", "0"),
        ("nat_rule", "1000000"),
        ("nat_rule", "1 exclude"),
        ("firewall_rule", "-1"),
        ("dummy", "dum"),
        ("dummy", "eth0"),
    ],
)
def test_it_refuses_an_answer_that_vyos_does_not_take(question: str, answer: str) -> None:
    [finding] = refusals(GOOD, **{question: answer})
    assert (finding.rule, finding.field) == ("device-answer", question)


def test_it_asks_only_what_matters() -> None:
    asked = {question.id for question in VYOS.questions if question.asked(CASES["common-ipv6"])}
    assert asked == {"outside", "inside", "firewall_rule"}
    assert "nat source" not in written(CASES["common-ipv6"])
    assert {question.id for question in VYOS.questions if question.asked(GOOD)} == {
        "outside", "inside", "nat_rule", "firewall_rule", "dummy",
    }  # fmt: skip


def test_it_keeps_the_families_apart() -> None:
    text = written(CASES["ipv6"])
    assert commands(text, "nat source rule 1 source address") == ["'192.168.0.0/24'"]
    assert commands(text, "firewall ipv6 forward filter rule 1 source") == [
        "address '2001:db8:f:2::/64'"
    ]
    assert commands(text, "firewall ipv4 forward filter rule 3 source") == [
        "address '192.168.0.0/24'"
    ]
    assert commands(text, "firewall ipv6 input filter rule 1 source address") == [
        "'2001:db8:a::10'"
    ]
    assert len(commands(text, f"policy route6 {NAME} rule")) == 10
    assert "NAT66" in text


def test_it_answers_the_health_check() -> None:
    spec = a_tunnel_spec(
        rules=(a_rule("fd00:1::/64", "fd00:2::/64"),),
        health=a_health_check("fd00:1::1", "fd00:2::1"),
    )
    text = written(spec, dummy="dum7")
    assert commands(text, "interfaces dummy dum7") == ["address 'fd00:2::1/128'"]
    assert commands(text, "firewall ipv6 input filter rule 3") == [
        "action 'accept'",
        "protocol 'ipv6-icmp'",
        "source address 'fd00:1::1'",
        "destination address 'fd00:2::1'",
        "ipsec match-ipsec",
    ]


def test_it_can_be_removed_again() -> None:
    text = written(GOOD, dummy="dum3", nat_rule="40", firewall_rule="20")
    removed = [line[4:] for line in text.splitlines() if line.startswith("#   delete ")]
    assert removed == [
        f"delete vpn ipsec site-to-site peer {NAME}",
        f"delete vpn ipsec authentication psk {NAME}",
        f"delete vpn ipsec esp-group {NAME}",
        f"delete vpn ipsec ike-group {NAME}",
        "delete nat source rule 40",
        "delete firewall ipv4 input filter rule 20",
        "delete firewall ipv4 input filter rule 21",
        "delete firewall ipv4 input filter rule 22",
        "delete firewall ipv4 forward filter rule 20",
        "delete firewall ipv4 forward filter rule 21",
        f"delete policy route {NAME}",
        "delete interfaces dummy dum3 address '169.254.129.2/32'",
    ]
    # Whatever the file sets, something of it takes away.
    for line in commands(text):
        assert any(line.startswith(one.removeprefix("delete ")) for one in removed), line


def test_it_says_what_vyos_does_differently() -> None:
    def warnings(**ike: object) -> list[str]:
        spec = a_tunnel_spec(ike=replace(IkeSettings(), **ike))  # type: ignore[arg-type]
        return [sentence[:30] for sentence in VYOS.losses(spec)]

    hour, dpd = "VyOS renews an IPsec SA after ", "With IKEv2, VyOS knows no DPD "
    assert warnings(dpd_enabled=False) == [hour]
    assert warnings() == [hour, dpd]
    assert warnings(negotiation=Negotiation.ON_TRAFFIC) == [
        hour,
        dpd,
        "The VPN gateway begins with th",
    ]
    assert warnings(negotiation=Negotiation.PASSIVE, dpd_action=DpdAction.CLEAR) == [
        hour, dpd, "The VPN gateway only waits, an",
    ]  # fmt: skip
    assert warnings(version=IkeVersion.V1) == [hour, "With IKEv1, VyOS announces an "]


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("it's-a-Key_1", "'"),
        ('Key"Quote_1', '"'),
        ("Key\\Back_1", "\\"),
        ("Key?Help_1", "?"),
        ("0xdeadbeef", "0x"),
        ("0XDEADBEEF", "0x"),
        ("0sU2VjcmV0", "0s"),
        ("//no-comment", "//"),
    ],
)
def test_it_refuses_a_key_that_vyos_would_change(key: str, named: str) -> None:
    [finding] = refusals(a_tunnel_spec(psk=Secret(key)))
    assert finding.field == "basic.psk"
    assert f" {named}" in finding.message
    assert key not in finding.message


@pytest.mark.parametrize("key", ["a#b;c&d|e(f)g", "!history!$HOME`id`", "*}{ab[]<>^~", "-all--all"])
def test_it_carries_every_other_key(key: str) -> None:
    assert f"secret '{key}'\n" in written(a_tunnel_spec(psk=Secret(key)))


def test_it_refuses_what_vyos_has_no_word_for() -> None:
    weak = a_tunnel_spec(ike=IkeSettings(encryption="des", dh_group="dh1", lifetime_seconds=86_401))
    found = {finding.field: finding.message for finding in refusals(weak)}
    assert set(found) == {"ike.encryption", "ike.lifetime_seconds"}
    assert "the nearest that it has is 3DES" in found["ike.encryption"]
    assert "the nearest is 86400 s" in found["ike.lifetime_seconds"]
    long = a_tunnel_spec(ipsec=IpsecSettings(lifetime_seconds=604_800))
    assert [finding.field for finding in refusals(long)] == ["ipsec.lifetime_seconds"]


def test_it_cannot_answer_aggressive_mode() -> None:
    ike = IkeSettings(version=IkeVersion.V1, mode=Mode.AGGRESSIVE, encryption="aes-256")
    [finding] = refusals(a_tunnel_spec(ike=ike))
    assert (finding.rule, finding.field) == ("device-cannot", "ike.mode")
    assert "passive" in finding.message
    written(a_tunnel_spec(ike=replace(ike, negotiation=Negotiation.PASSIVE)))


def test_it_refuses_everything_as_the_range_of_its_own_side() -> None:
    """It would let 0.0.0.0/0 pass to 0.0.0.0/0 unencrypted, before any tunnel."""
    for rule in (a_rule("10.0.0.0/24", "0.0.0.0/0"), a_rule("fd00:1::/64", "::/0")):
        [finding] = refusals(a_tunnel_spec(rules=(rule,)))
        assert (finding.rule, finding.field) == ("device-cannot", "spd.rules")
        assert "one by one" in finding.message
    written(a_tunnel_spec(rules=(a_rule("0.0.0.0/0", "192.168.0.0/24"),)))


def test_it_tells_the_sides_apart() -> None:
    spec = a_tunnel_spec(
        local=an_endpoint("gateway", "203.0.113.10", "gateway.example.net"),
        remote=an_endpoint("router", "198.51.100.2", "router.example.com"),
        rules=(a_rule("10.9.0.0/16", "172.16.0.0/12"),),
    )
    text = written(spec)
    peer = f"vpn ipsec site-to-site peer {NAME}"
    assert commands(text, f"{peer} authentication local-id") == ["'router.example.com'"]
    assert commands(text, f"{peer} authentication remote-id") == ["'gateway.example.net'"]
    assert commands(text, f"{peer} local-address") == ["'198.51.100.2'"]
    assert commands(text, f"{peer} remote-address") == ["'203.0.113.10'"]
    assert commands(text, f"{peer} tunnel 1") == [
        "local prefix '172.16.0.0/12'",
        "remote prefix '10.9.0.0/16'",
    ]
