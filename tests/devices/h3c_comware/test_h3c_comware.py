from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES, render_case
from tests.devices.h3c_comware.grammar import SILENT, read
from tests.devices.understood import BadFileError, expected
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import IkeVersion, IpsecSettings
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

H3C = PLATFORMS["h3c-comware"]
ROUTER, FIREWALL = H3C.versions
COMMON = CASES["common-ikev2"]
IKEV1 = CASES["common-ikev1-main"]
# The VPN gateway only waits, and pings an address of the device.
HEALTH = CASES["common-health-check"]


def text_of(version: str = ROUTER, spec: TunnelSpec = COMMON, /, **given: str) -> str:
    [file] = render_case(H3C, spec, version=version, given=given).files
    return file.text


def changed(text: str, old: str, new: str) -> dict[str, str]:
    """The file with the first `old` among the commands, which begin with the ACL, exchanged."""
    heading, commands = text.split("#\nacl number", 1)
    commands = f"#\nacl number{commands}"
    assert old in commands
    return {"file": heading + commands.replace(old, new, 1)}


@pytest.mark.parametrize("version", H3C.versions)
@pytest.mark.parametrize("case", ["common-ikev1-main", "common-ikev1-aggressive-fqdn", "common-ikev2"])  # fmt: skip
def test_both_kinds_of_device_understand_it(version: str, case: str) -> None:
    found = read("h3c-comware", {"file": text_of(version, CASES[case])})
    assert found == expected(CASES[case], silent=SILENT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("encryption aes-cbc-256", "encryption aes-256"),
        ("dh group14", "dh group 14"),
        ("prf sha256", "prf sha512"),
        ("0.0.0.127", "255.255.255.128"),
        ("match remote identity address 203.0.113.10 32", "match remote identity address 203.0.113.10"),
        (" quit\n#\nikev2 proposal", "#\nikev2 proposal"),
        ("keychain vpnx-7k2m9q4z\n identity", "keychain vpnx-00000000\n identity"),
        ("remote-address 203.0.113.10", "remote-address 203.0.113.11"),
        ("sa duration 86400", "sa duration 86401"),
        ("sa duration traffic-based 1843200", "sa duration traffic-based 1"),
        (" ipsec apply policy vpn-console\n", " ipsec apply policy other\n"),
        ("security acl 3100", "security acl 3101"),
        ("security acl 3100", "security acl 3100 aggregation"),
        (" proposal vpnx-7k2m9q4z\n", " proposal vpnx-7k2m9q4z\n proposal vpnx-7k2m9q4z\n"),
        (" protocol esp\n", ""),
        ("pre-shared-key plaintext Golden-Key_73519", "pre-shared-key plaintext Golden-Key_73519\n  shutdown"),
        ("pre-shared-key plaintext Golden-Key_73519", "pre-shared-key plaintext Golden Key"),
        ("match local address 198.51.100.2", "match local address 198.51.100.3"),
        ("#\nacl number", "reboot\n#\nacl number"),
        (" tcp mss 1300\n", ""),
        ("rule 10 permit", "rule 5 permit"),
        ("rule 10 permit", "rule 10 deny"),
    ],
)  # fmt: skip
def test_its_reader_refuses_what_is_broken(old: str, new: str) -> None:
    with pytest.raises((BadFileError, ValueError)):
        read("h3c-comware", changed(text_of(), old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("destination-zone Local", "destination-zone"),
        ("source-ip-host 203.0.113.10", "source-ip-host 203.0.113.11"),
        ("source-ip-subnet 169.254.128.0 30", "source-ip-subnet 169.254.0.0 16"),
        ("action pass", "action drop"),
        ("rule name vpnx-7k2m9q4z-1-out", "rule name vpnx-7k2m9q4z-1-in"),
        (" rule name vpnx-7k2m9q4z-health\n", ""),
        ("source-ip-host 169.254.128.2", "source-ip-subnet 169.254.128.0 30"),
        ("nqa schedule vpnx_7k2m9q4z 1", "nqa schedule vpnx_7k2m9q4z 2"),
        ("destination ip 169.254.128.2", "destination ip 10.0.0.1"),
        ("rule 1 deny", "rule 1 permit"),
        ("ip route-static 169.254.128.0 30", "ip route-static 169.254.128.0 24"),
    ],
)
def test_its_reader_watches_what_is_around(old: str, new: str) -> None:
    text = text_of(FIREWALL, HEALTH, nat_acl="3000", next_hop="198.51.100.1")
    assert read("h3c-comware", {"file": text}) == expected(HEALTH, silent=SILENT)
    with pytest.raises((BadFileError, IndexError)):
        read("h3c-comware", changed(text, old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("192.168.1.0 0.0.0.127", "192.168.2.0 0.0.0.127"),
        ("Golden-Key_73519", "Golden-Key_73518"),
        ("pfs dh-group14", "pfs dh-group5"),
        ("time-based 3600", "time-based 3601"),
        (" dpd interval 10 retry 10 periodic\n", ""),
    ],
)
def test_a_changed_value_is_another_tunnel(old: str, new: str) -> None:
    found = read("h3c-comware", changed(text_of(), old, new))
    assert found != expected(COMMON, silent=SILENT)


def test_it_spells_sha1_as_each_phase_does() -> None:
    text = text_of(ROUTER, IKEV1)
    assert " authentication-algorithm sha\n" in text
    assert " esp authentication-algorithm sha1\n" in text


def test_it_looks_for_the_key_under_the_name_of_a_peer_that_has_one() -> None:
    text = text_of(ROUTER, CASES["common-ikev1-aggressive-fqdn"])
    assert " pre-shared-key hostname gateway.example.net key simple Golden-Key_73519\n" in text
    assert "hostname" not in text_of(ROUTER, IKEV1)


def test_a_name_of_digits_is_a_name() -> None:
    local = an_endpoint("gateway-beijing", "203.0.113.10", "0.0.0.00")
    spec = replace(CASES["common-ikev1-aggressive-fqdn"], local=local)
    assert read("h3c-comware", {"file": text_of(ROUTER, spec)}) == expected(spec, silent=SILENT)


def test_only_a_firewall_has_a_security_policy() -> None:
    assert "security-policy ip" not in text_of()
    text = text_of(FIREWALL, outside_zone="Internet", inside_zone="Office")
    assert text.count("source-zone Internet") == 3
    assert text.count("destination-zone Office") == 2
    assert "undo rule name" not in text_of()
    assert "undo rule name vpnx-7k2m9q4z-2-out" in text


def test_gcm_is_for_ikev2_only() -> None:
    gcm = IpsecSettings(encryption="aes-128-gcm", pfs="dh14")
    assert "esp encryption-algorithm gcm-128\n pfs" in text_of(ROUTER, replace(COMMON, ipsec=gcm))
    with pytest.raises(RuleError) as caught:
        text_of(ROUTER, replace(IKEV1, ipsec=gcm))
    [finding] = caught.value.findings
    assert finding.field == "ipsec.encryption"
    assert finding.message.endswith("the nearest that it has is AES-128.")


@pytest.mark.parametrize("key", ['with"quote', "with\\slash", "with?mark"])
def test_it_refuses_a_key_that_the_command_line_would_change(key: str) -> None:
    with pytest.raises(RuleError) as caught:
        text_of(ROUTER, replace(COMMON, psk=Secret(key)))
    [finding] = caught.value.findings
    assert finding.field == "basic.psk"
    assert f"holds {key[4]}," in finding.message
    assert key not in finding.message


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("outside", "GigabitEthernet1/0/1", "GigabitEthernet1/0/1\n shutdown"),
        ("outside", "Dialer10", "0/0"),
        ("policy", "branch_1", "branch 1"),
        ("sequence", "65535", "65536"),
        ("acl", "3999", "2999"),
        ("acl", "3000", "3000 permit"),
        ("inside_zone", "Office", "Office#"),
        ("next_hop", "198.51.100.1", "198.51.100.256"),
        ("nat_acl", "3000", "2000"),
        ("nat_rule", "7", "x"),
    ],
)
def test_it_takes_only_what_the_device_takes(question: str, right: str, wrong: str) -> None:
    given = {"nat_acl": "3001"} | {question: right}
    assert right in text_of(FIREWALL, **given)
    with pytest.raises(RuleError) as caught:
        text_of(FIREWALL, **{question: wrong})
    assert [finding.field for finding in caught.value.findings] == [question]


def test_it_asks_for_a_loopback_and_a_proposal_only_when_it_needs_them() -> None:
    ids = {question.id for question in H3C.questions if question.asked(COMMON)}
    assert not ids & {"loopback", "proposal", "ping_source"}
    text = text_of(ROUTER, HEALTH, loopback="7")
    assert "interface LoopBack7\n ip address 169.254.129.2 255.255.255.255" in text
    assert "LoopBack" not in text_of(ROUTER, HEALTH, loopback="none")
    assert "ike proposal 77\n" in text_of(ROUTER, IKEV1, proposal="77")


def test_it_says_that_it_needs_traffic_when_the_gateway_only_waits() -> None:
    waiting = CASES["common-ikev1-aggressive-fqdn"]
    [sentence] = render_case(H3C, waiting).warnings
    assert "begins with the first packet" in sentence
    assert render_case(H3C, COMMON).warnings == ()
    assert waiting.ike.version is IkeVersion.V1


def test_it_pings_through_the_pairs_in_which_it_has_an_address() -> None:
    waiting = CASES["common-ikev1-aggressive-fqdn"]
    assert "nqa" not in text_of(ROUTER, waiting)
    assert "nqa" not in text_of()
    text = text_of(ROUTER, waiting, ping_source="192.168.1.1")
    assert (
        "#\nnqa entry vpnx_7k2m9q4z 2\n type icmp-echo\n  destination ip 10.0.0.1\n  source ip 192.168.1.1\n"
        "  frequency 30000\n quit\n#\nnqa schedule vpnx_7k2m9q4z 2 start-time now lifetime forever\n"
    ) in text
    assert "nqa entry vpnx_7k2m9q4z 1" not in text
    assert "#   undo nqa schedule vpnx_7k2m9q4z 2\n#   undo nqa entry vpnx_7k2m9q4z 2\n" in text
    assert read("h3c-comware", {"file": text}) == expected(waiting, silent=SILENT)
    # From the address of the health check it knows without being told.
    assert "  source ip 169.254.129.2\n" in text_of(ROUTER, HEALTH)


def test_a_firewall_answers_the_health_check_and_lets_its_own_pings_out() -> None:
    text = text_of(FIREWALL, HEALTH)
    # Addresses of the firewall are in the zone Local, whatever interface has them.
    assert (
        " rule name vpnx-7k2m9q4z-health\n  source-zone Untrust\n  destination-zone Local\n"
        "  source-ip-host 169.254.128.2\n  destination-ip-host 169.254.129.2\n  action pass\n  quit\n"
    ) in text
    assert (
        " rule name vpnx-7k2m9q4z-1-ping\n  source-zone Local\n  destination-zone Untrust\n"
        "  source-ip-host 169.254.129.2\n  destination-ip-host 169.254.128.2\n"
    ) in text
    assert (
        "#    undo rule name vpnx-7k2m9q4z-health\n#    undo rule name vpnx-7k2m9q4z-1-ping\n"
        in text
    )


def test_it_keeps_the_pairs_from_nat_and_takes_that_back() -> None:
    text = text_of(nat_acl="3000", nat_rule="2")
    rules = (
        "rule 2 deny ip source 192.168.0.0 0.0.0.255 destination 10.0.0.0 0.0.0.255",
        "rule 3 deny ip source 192.168.1.0 0.0.0.127 destination 10.0.0.0 0.0.0.255",
    )
    assert f"#\nacl number 3000\n {rules[0]}\n {rules[1]}\n quit\n" in text
    assert "#   acl number 3000\n#    undo rule 2\n#    undo rule 3\n#    quit\n" in text
    assert read("h3c-comware", {"file": text}) == expected(COMMON, silent=SILENT)
    # Without an answer, the comment says what to do.
    assert "NAT: when the outside interface translates" in text_of()
    assert "NAT: when" not in text
    with pytest.raises(RuleError) as caught:
        text_of(nat_acl="3100")
    assert [finding.field for finding in caught.value.findings] == ["acl"]


def test_it_writes_everything_as_any_and_leaves_the_default_route_alone() -> None:
    rules = (a_rule("0.0.0.0/0", "192.168.0.0/24"), a_rule("10.0.0.8/31", "192.168.4.1/32"))
    spec = a_tunnel_spec(ike=COMMON.ike, ipsec=COMMON.ipsec, rules=rules)
    text = text_of(FIREWALL, spec, next_hop="198.51.100.1")
    assert "rule 5 permit ip source 192.168.0.0 0.0.0.255 destination any\n" in text
    assert "rule 10 permit ip source 192.168.4.1 0.0.0.0 destination 10.0.0.8 0.0.0.1\n" in text
    assert text.count("ip route-static") == 2  # one of them in the comment, with undo
    assert "ip route-static 10.0.0.8 31 198.51.100.1\n" in text
    assert read("h3c-comware", {"file": text}) == expected(spec, silent=SILENT)


def test_it_says_that_one_ikev2_policy_is_asked_for_proposals() -> None:
    heading = " ".join(text_of().replace("#", "").split())
    assert "When another one has match local address 198.51.100.2" in heading
    assert "enter proposal vpnx-7k2m9q4z in that one" in heading
    assert "single policy" not in text_of(ROUTER, IKEV1)
    assert "ACL 3100 and IKE proposal 10 must be free" in text_of(ROUTER, IKEV1)


def test_it_tells_what_is_needed_behind_nat() -> None:
    assert "GigabitEthernet0/0 must have the address 198.51.100.2 itself" in text_of()
    named = text_of(ROUTER, CASES["common-ikev1-aggressive-fqdn"])
    assert "put the address that GigabitEthernet0/0 itself has" in named


def test_it_refuses_an_identifier_that_is_another_address() -> None:
    remote = an_endpoint("shanghai-router", "198.51.100.2", "198.51.100.9")
    with pytest.raises(RuleError) as caught:
        text_of(ROUTER, replace(COMMON, remote=remote))
    assert [finding.field for finding in caught.value.findings] == ["ike.remote_fqdn"]
