from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES, HOSTILE_PSK, render_case
from tests.devices.goldens import FOLDER, REFUSED
from tests.devices.understood import BadFileError, expected
from tests.devices.windows_rras.grammar import SILENT, read
from tests.proofs import Proves
from tests.vendors.powershell import Assignment, Call, statements_of
from tunnels.devices.proofs import Kind
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

RRAS = PLATFORMS["windows-rras"]
GOOD = CASES["common-health-check"]
NAME = "vpnx-7k2m9q4z"
GOLDENS = sorted(path for path in (FOLDER / "windows-rras").glob("*/*") if path.name != REFUSED)
IKE = IkeSettings(encryption="aes-256", dh_group="dh14")
IPSEC = IpsecSettings(encryption="aes-256", pfs="dh14")


def a_spec(**over: Any) -> TunnelSpec:
    """A tunnel that RRAS can have: one pair of ranges, and nothing modern for IKE."""
    rules = (a_rule("10.0.0.0/24", "192.168.1.0/25"),)
    return a_tunnel_spec(**{"ike": IKE, "ipsec": IPSEC, "rules": rules, **over})


def written(spec: TunnelSpec, **answers: str) -> str:
    [file] = render_case(RRAS, spec, version="2022", given=answers).files
    assert read("windows-rras", {file.filename: file.text}) == expected(spec, silent=SILENT)
    return file.text


def interface(text: str) -> dict[str, Any]:
    """The settings of the interface."""
    [table] = [
        statement.value
        for statement in statements_of(text)
        if isinstance(statement, Assignment) and statement.name == "tunnel"
    ]
    assert isinstance(table, dict)
    return table


def calls(text: str, command: str) -> list[dict[str, Any]]:
    """The parameters of each call of the command."""
    return [
        statement.parameters
        for statement in statements_of(text)
        if isinstance(statement, Call) and statement.command == command
    ]


def refusals(spec: TunnelSpec, **answers: str) -> list[Finding]:
    with pytest.raises(RuleError) as caught:
        written(spec, **answers)
    return list(caught.value.findings)


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.parent.name)
def test_a_parser_of_powershell_finds_what_the_tunnel_says(path: Any, proves: Proves) -> None:
    """No node of the tree is an error or missing; the commands are these, and their values the tunnel's."""
    proves("windows-rras", Kind.CHECKED, by="tree-sitter-powershell")
    text = path.read_text(encoding="utf-8")
    spec = CASES[path.parent.name]
    statements = statements_of(text)
    assert [one.name for one in statements if isinstance(one, Assignment)] == [
        "ErrorActionPreference", "localSelectors", "remoteSelectors", "tunnel",
    ]  # fmt: skip
    assert [one.command for one in statements if isinstance(one, Call)] == [
        "Add-VpnS2SInterface",
        *["New-NetFirewallRule"] * (3 if spec.health else 2),
        *["New-NetIPAddress"] * bool(spec.health),
        *["Connect-VpnS2SInterface"] * (spec.ike.negotiation is Negotiation.PASSIVE),
    ]
    assert read("windows-rras", {path.name: text}) == expected(spec, silent=SILENT)


PLANTED = [
    ("= 'Stop'", "= 'Continue'"),
    ("New-VpnTrafficSelector", "New-VpnTrafficSelecter"),
    ("'169.254.129.0', '169.254.129.3'", "'169.254.129.0', '169.254.129.4'"),
    ("'169.254.129.0', '169.254.129.3'", "'169.254.129.0-169.254.129.3'"),
    ("    New-VpnTrafficSelector", "    7\n    New-VpnTrafficSelector"),
    ("'169.254.128.0/30:100'", "'169.254.128.0/30:100', '10.0.0.0/24:100'"),
    ("-Type 'IPv4'", "-Type 'IPv6'"),
    ("-PortRange 0, 65535", "-PortRange 0, 65536"),
    ("-TsPayloadId 0", "-TsPayloadID 0"),
    ("$tunnel = @{", "$tunnel = @("),
    ("$tunnel = @{", "$other = @{"),
    ("    Protocol = 'IKEv2'\n", ""),
    ("Protocol = 'IKEv2'", "Protocol = 'L2TP'"),
    ("'203.0.113.10'\n    Source", "'203.0.113.010'\n    Source"),
    ("AuthenticationMethod = 'PSKOnly'", "AuthenticationMethod = 'PSKonly'"),
    ("'Golden-Key_73519'", "'Golden-'Key_73519'"),
    ("'Golden-Key_73519'", "'Golden-Key_73519"),
    ("'Golden-Key_73519'", '"Golden-Key_73519"'),
    ("CustomPolicy = $true", "CustomPolicy = $false"),
    ("EncryptionMethod = 'AES256'", "EncryptionMethod = 'GCMAES256'"),
    ("IntegrityCheckMethod = 'SHA256'", "IntegrityCheckMethod = 'SHA512'"),
    ("DHGroup = 'Group14'", "DHGroup = 'Group5'"),
    ("CipherTransformConstants = 'AES256'", "CipherTransformConstants = 'GCMAES256'"),
    ("'SHA256128'", "'SHA256'"),
    ("PfsGroup = 'PFS2048'", "PfsGroup = 'Group14'"),
    ("MMSALifeTimeSeconds = 86400", "MMSALifeTimeSeconds = 299"),
    ("SALifeTimeSeconds = 7200", "SALifeTimeSeconds = '7200'"),
    ("NetworkOutageTimeSeconds = 900", "NetworkOutageTimeSeconds = 45"),
    ("Persistent = $true", "Persistent = $false"),
    ("InitiateConfigPayload = $false", "InitiateConfigPayload = $true"),
    ("InitiateConfigPayload = $false", "InitiateConfigPayload = 0"),
    ("'169.254.128.0/30:100'", "'169.254.128.0/30'"),
    ("'169.254.128.0/30:100'", "'169.254.129.0/30:100'"),
    ("LocalVpnTrafficSelector = $local", "LocalVpnTrafficSelector = $remote"),
    ("Add-VpnS2SInterface @tunnel", "Add-VpnS2SInterface $tunnel"),
    ("Add-VpnS2SInterface @tunnel", "Set-VpnS2SInterface @tunnel"),
    ("-LocalPort 500, 4500", "-LocalPort 500"),
    ("-Protocol 50 ", "-Protocol 51 "),
    ("-Direction Inbound", "-Direction Outbound"),
    ("-PrefixLength 32", "-PrefixLength 30"),
    ("-SkipAsSource $true", "-SkipAsSource $true; Get-Date"),
    ("Connect-VpnS2SInterface -Name 'vpnx-7k2m9q4z'\n", ""),
    ("Connect-VpnS2SInterface -Name 'vpnx-7k2m9q4z'", "Connect-VpnS2SInterface -Name 'other'"),
    ("\nConnect-", "\nStop-Computer\nConnect-"),
    ("\nConnect-", "\n\u00e9Connect-"),
]


@pytest.mark.parametrize(("good", "bad"), PLANTED)
def test_its_reader_catches_a_planted_mistake(good: str, bad: str) -> None:
    text = written(GOOD)
    body = text.index("\n$")
    planted = text[:body] + text[body:].replace(good, bad, 1)
    assert planted != text
    with pytest.raises(BadFileError):
        read("windows-rras", {"file": planted})


def test_each_line_of_it_is_needed() -> None:
    lines = written(GOOD).splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.strip() and not line.startswith("#"):
            with pytest.raises(BadFileError):
                read("windows-rras", {"file": "".join(lines[:number] + lines[number + 1 :])})


def test_it_takes_one_pair_and_refuses_more() -> None:
    """It offers all its ranges for one SA, and the VPN gateway makes one for each pair."""
    text = written(a_spec())
    assert "'192.168.1.0', '192.168.1.127'" in text
    assert interface(text)["IPv4Subnet"] == ["10.0.0.0/24:100"]
    for rules in (
        (a_rule("10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/24"),),
        (a_rule("10.0.0.0/24", "192.168.0.0/24"), a_rule("10.0.1.0/24", "192.168.1.0/24")),
    ):
        [finding] = refusals(a_spec(rules=rules))
        assert finding.field == "spd.rules"
        assert "only one of these 2 would carry traffic" in finding.message
    [finding] = refusals(a_spec(health=a_health_check()))
    assert "a health check needs addresses inside them" in finding.message


@pytest.mark.parametrize(
    ("negotiation", "begins"),
    [(Negotiation.PASSIVE, True), (Negotiation.ACTIVE, False), (Negotiation.ON_TRAFFIC, False)],
)
def test_it_begins_when_the_gateway_only_waits(negotiation: Negotiation, begins: bool) -> None:
    text = written(a_spec(ike=replace(IKE, negotiation=negotiation)))
    settings = interface(text)
    assert (settings["Persistent"], settings["AutoConnectEnabled"]) == (begins, begins)
    assert calls(text, "Connect-VpnS2SInterface") == [{"Name": NAME}] * begins


@pytest.mark.parametrize(
    ("dpd", "seconds", "warns"),
    [
        ({"dpd_timeout": 30}, 30, False),
        ({"dpd_timeout": 44}, 30, True),
        ({"dpd_timeout": 45}, 60, True),
        ({"dpd_timeout": 60}, 60, False),
        ({"dpd_enabled": False}, 900, True),
    ],
)
def test_it_takes_the_nearest_time_that_windows_has(
    dpd: dict[str, Any], seconds: int, warns: bool
) -> None:
    spec = a_spec(ike=replace(IKE, **dpd))
    assert interface(written(spec))["NetworkOutageTimeSeconds"] == seconds
    sentences = RRAS.losses(spec)
    assert len(sentences) == warns
    for sentence in sentences:
        assert f"{seconds} s" in sentence


def test_it_names_the_algorithms_as_windows_does() -> None:
    spec = a_spec(
        ike=replace(IKE, encryption="3des", integrity="sha2-384", dh_group="dh20"),
        ipsec=IpsecSettings(encryption="aes-128-gcm", pfs="", lifetime_kb=2_560),
    )
    settings = interface(written(spec))
    assert (settings["EncryptionMethod"], settings["IntegrityCheckMethod"]) == ("DES3", "SHA384")
    assert settings["DHGroup"] == "ECP384"
    assert settings["CipherTransformConstants"] == "GCMAES128"
    assert settings["AuthenticationTransformConstants"] == "GCMAES128"
    assert settings["PfsGroup"] == "None"
    assert settings["SADataSizeForRenegotiationKilobytes"] == 2_560


@pytest.mark.parametrize(
    "key", [HOSTILE_PSK, "''''''''", "$(Stop-Computer)", "`n`0\"#<#@'@", "a'@;b"]
)
def test_it_brings_every_key_through(key: str) -> None:
    assert interface(written(a_spec(psk=Secret(key))))["SharedSecret"] == key


def test_it_answers_the_health_check() -> None:
    text = written(GOOD, inside="Ethernet 2")
    assert calls(text, "New-NetIPAddress") == [
        {"InterfaceAlias": "Ethernet 2", "IPAddress": "169.254.129.2", "PrefixLength": 32, "SkipAsSource": True}
    ]  # fmt: skip
    ping = calls(text, "New-NetFirewallRule")[-1]
    assert (ping["LocalAddress"], ping["RemoteAddress"]) == ("169.254.129.2", "169.254.128.2")
    six = a_spec(
        rules=(a_rule("fd00:1::/64", "fd00:2::/64"),),
        health=a_health_check("fd00:1::1", "fd00:2::1"),
    )
    text = written(six)
    assert calls(text, "New-NetFirewallRule")[-1]["Protocol"] == "ICMPv6"
    assert calls(text, "New-NetIPAddress")[0]["PrefixLength"] == 128
    assert interface(text)["IPv6Subnet"] == ["fd00:1::/64:100"]
    assert "IPv4Subnet" not in interface(text)


def test_it_can_be_removed_again() -> None:
    assert written(GOOD).partition("# Remove it:\n")[2].partition("\n\n")[0].splitlines() == [
        f"#   Disconnect-VpnS2SInterface -Name {NAME} -Force",
        f"#   Remove-VpnS2SInterface -Name {NAME} -Force",
        f"#   Remove-NetFirewallRule -Name {NAME}-*",
        "#   Remove-NetIPAddress -IPAddress 169.254.129.2",
    ]
    for rule in calls(written(GOOD), "New-NetFirewallRule"):
        assert rule["Name"].startswith(f"{NAME}-")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("metric", "0"),
        ("metric", "10000"),
        ("metric", "100')"),
        ("inside", "Ethernet'; Stop-Computer; '"),
        ("inside", "Ethernet\nStop-Computer"),
        ("inside", "$env:X"),
        ("inside", "*"),
        ("inside", "-Confirm"),
    ],
)
def test_it_refuses_an_answer_that_windows_does_not_take(question: str, answer: str) -> None:
    [finding] = refusals(GOOD, **{question: answer})
    assert (finding.rule, finding.field) == ("device-answer", question)


def test_it_takes_the_answers_of_its_owner() -> None:
    text = written(GOOD, metric="7", inside="vEthernet (LAN)")
    assert interface(text)["IPv4Subnet"] == ["169.254.128.0/30:7"]
    assert calls(text, "New-NetIPAddress")[0]["InterfaceAlias"] == "vEthernet (LAN)"
    assert [question.id for question in RRAS.questions if question.asked(a_spec())] == ["metric"]


@pytest.mark.parametrize(
    ("over", "field", "nearest"),
    [
        ({"ike": replace(IKE, version=IkeVersion.V1)}, "ike.version", "IKEv2"),
        ({"ike": replace(IKE, integrity="sha2-512")}, "ike.integrity", "SHA2-384"),
        ({"ike": replace(IKE, dh_group="dh5")}, "ike.dh_group", "DH14"),
        ({"ike": replace(IKE, dh_group="dh21")}, "ike.dh_group", "DH20"),
        ({"ike": replace(IKE, lifetime_seconds=299)}, "ike.lifetime_seconds", "300 s"),
        ({"ipsec": replace(IPSEC, integrity="sha2-384")}, "ipsec.integrity", "SHA2-256"),
        ({"ipsec": replace(IPSEC, pfs="dh31")}, "ipsec.pfs", "DH19"),
        ({"ipsec": replace(IPSEC, lifetime_seconds=180)}, "ipsec.lifetime_seconds", "300 s"),
        ({"rules": (a_rule("0.0.0.0/0", "192.168.0.0/24"),)}, "spd.rules", "ranges"),
        ({"remote": an_endpoint("r", "198.51.100.2", "r.example")}, "ike.remote_fqdn", "IP address"),
        ({"local": an_endpoint("g", "203.0.113.10", "g.example")}, "ike.local_fqdn", "IP address"),
        ({"remote": an_endpoint("r", "198.51.100.2", "192.0.2.9")}, "ike.remote_fqdn", "198.51.100.2"),
    ],
)  # fmt: skip
def test_it_refuses_what_windows_cannot(over: dict[str, Any], field: str, nearest: str) -> None:
    [finding] = refusals(a_spec(**over))
    assert (finding.rule, finding.field) == ("device-cannot", field)
    assert nearest in finding.message


def test_it_warns_when_a_range_holds_the_gateway_itself() -> None:
    inside = written(a_spec(rules=(a_rule("203.0.113.0/24", "192.168.0.0/24"),)))
    assert "first give 203.0.113.10 a route of its own" in inside.replace("\n#     ", " ")
    assert "route of its own" not in written(a_spec())


def test_it_refuses_an_aead_for_ike() -> None:
    findings = refusals(a_spec(ike=IkeSettings(dh_group="dh14")))
    assert findings[0].field == "ike.encryption"
    assert "the nearest that it has is AES-256" in findings[0].message


def test_it_tells_the_sides_apart() -> None:
    text = written(a_spec(rules=(a_rule("10.9.0.0/16", "172.16.0.0/12"),)))
    settings = interface(text)
    assert settings["Destination"] == "203.0.113.10"
    assert settings["SourceIpAddress"] == "198.51.100.2"
    assert settings["IPv4Subnet"] == ["10.9.0.0/16:100"]
    local, remote = (
        text.index("'172.16.0.0', '172.31.255.255'"),
        text.index("'10.9.0.0', '10.9.255.255'"),
    )
    assert text.index("$localSelectors = ") < local < text.index("$remoteSelectors = ") < remote
