from __future__ import annotations

from dataclasses import replace

import pytest

from tests.devices.cases import CASES, NOW, render_case
from tests.devices.h3c_comware.grammar import SILENT, read
from tests.devices.understood import BadFileError, expected
from tunnels.devices.base import render
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import IkeVersion, IpsecSettings
from tunnels.domain.secret import Secret

H3C = PLATFORMS["h3c-comware"]
ROUTER, FIREWALL = H3C.versions
COMMON = CASES["common-ikev2"]
IKEV1 = CASES["common-ikev1-main"]


def text_of(version: str = ROUTER, *, spec: object = COMMON, **given: str) -> str:
    [file] = render(
        H3C, spec, version=version, redacted=False, now=NOW, console_version="1", given=given  # type: ignore[arg-type]
    ).files  # fmt: skip
    return file.text


def changed(text: str, old: str, new: str) -> dict[str, str]:
    """The file with the first `old` among the commands, which begin with the ACL, exchanged."""
    heading, commands = text.split("#\nacl advanced", 1)
    commands = f"#\nacl advanced{commands}"
    assert old in commands
    return {"file": heading + commands.replace(old, new, 1)}


@pytest.mark.parametrize("version", H3C.versions)
@pytest.mark.parametrize("case", ["common-ikev1-main", "common-ikev1-aggressive-fqdn", "common-ikev2"])  # fmt: skip
def test_both_kinds_of_device_understand_it(version: str, case: str) -> None:
    found = read("h3c-comware", {"file": text_of(version, spec=CASES[case])})
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
        ("#\nacl advanced", "reboot\n#\nacl advanced"),
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
        ("source-ip-subnet 10.0.0.0 24", "source-ip-subnet 10.0.0.0 8"),
        ("action pass", "action drop"),
    ],
)
def test_its_reader_watches_the_firewall(old: str, new: str) -> None:
    with pytest.raises(BadFileError):
        read("h3c-comware", changed(text_of(FIREWALL), old, new))


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
    text = text_of(spec=IKEV1)
    assert " authentication-algorithm sha\n" in text
    assert " esp authentication-algorithm sha1\n" in text


def test_it_looks_for_the_key_under_the_name_of_a_peer_that_has_one() -> None:
    text = text_of(spec=CASES["common-ikev1-aggressive-fqdn"])
    assert " pre-shared-key hostname gateway.example.net key simple Golden-Key_73519\n" in text
    assert "hostname" not in text_of(spec=IKEV1)


def test_only_a_firewall_has_a_security_policy() -> None:
    assert "security-policy ip" not in text_of()
    text = text_of(FIREWALL, outside_zone="Internet", inside_zone="Office")
    assert text.count("source-zone Internet") == 3
    assert text.count("destination-zone Office") == 2
    assert "undo rule name vpnx-7k2m9q4z-2-out" in text


def test_gcm_is_for_ikev2_only() -> None:
    gcm = IpsecSettings(encryption="aes-128-gcm", pfs="dh14")
    assert "esp encryption-algorithm gcm-128\n pfs" in text_of(spec=replace(COMMON, ipsec=gcm))
    with pytest.raises(RuleError) as caught:
        text_of(spec=replace(IKEV1, ipsec=gcm))
    [finding] = caught.value.findings
    assert finding.field == "ipsec.encryption"
    assert finding.message.endswith("the nearest that it has is AES-128.")


@pytest.mark.parametrize("key", ['with"quote', "with\\slash", "with?mark"])
def test_it_refuses_a_key_that_the_command_line_would_change(key: str) -> None:
    with pytest.raises(RuleError) as caught:
        text_of(spec=replace(COMMON, psk=Secret(key)))
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
    ],
)
def test_it_takes_only_what_the_device_takes(question: str, right: str, wrong: str) -> None:
    assert right in text_of(FIREWALL, **{question: right})
    with pytest.raises(RuleError) as caught:
        text_of(FIREWALL, **{question: wrong})
    assert [finding.field for finding in caught.value.findings] == [question]


def test_it_asks_for_a_loopback_and_a_proposal_only_when_it_needs_them() -> None:
    ids = {question.id for question in H3C.questions if question.asked(COMMON)}
    assert not ids & {"loopback", "proposal"}
    text = text_of(spec=CASES["common-health-check"], loopback="7")
    assert "interface LoopBack7\n ip address 169.254.129.2 255.255.255.255" in text
    assert "ike proposal 77\n" in text_of(spec=IKEV1, proposal="77")


def test_it_says_that_it_needs_traffic_when_the_gateway_only_waits() -> None:
    waiting = CASES["common-ikev1-aggressive-fqdn"]
    [sentence] = render_case(H3C, waiting).warnings
    assert "begins with the first packet" in sentence
    assert render_case(H3C, COMMON).warnings == ()
    assert waiting.ike.version is IkeVersion.V1
