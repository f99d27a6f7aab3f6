from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES, render_case
from tests.devices.ubiquiti_edgeos.grammar import SILENT, read
from tests.devices.understood import BadFileError, expected
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
from tunnels.domain.spd import Rule
from tunnels.domain.spec import TunnelSpec

EDGEOS = PLATFORMS["ubiquiti-edgeos"]
GOOD = CASES["common-health-check"]
NAME, PEER = "vpnx-7k2m9q4z", "vpn ipsec site-to-site peer 203.0.113.10"


def written(spec: TunnelSpec) -> str:
    [file] = render_case(EDGEOS, spec).files
    assert read("ubiquiti-edgeos", {file.filename: file.text}) == expected(spec, silent=SILENT)
    return file.text


def commands(text: str, beginning: str = "") -> list[str]:
    """What follows `set` and this beginning, in the file's order."""
    start = f"set {beginning}"
    return [
        line.removeprefix(start).strip() for line in text.splitlines() if line.startswith(start)
    ]


def refusals(spec: TunnelSpec) -> list[Finding]:
    with pytest.raises(RuleError) as caught:
        render_case(EDGEOS, spec)
    return list(caught.value.findings)


PLANTED = [
    ("set vpn", "sett vpn"),
    ("auto-firewall-nat-exclude enable", "auto-firewall-nat-exclude disable"),
    ("set vpn ipsec auto-firewall-nat-exclude enable\n", ""),
    ("key-exchange ikev2", "key-exchange ikev3"),
    (
        "key-exchange ikev2\n",
        "key-exchange ikev2\nset vpn ipsec ike-group vpnx-7k2m9q4z life-time 1\n",
    ),
    ("ike-group vpnx-7k2m9q4z lifetime 86400", "ike-group vpnx-7k2m9q4z lifetime 86401"),
    ("esp-group vpnx-7k2m9q4z lifetime 7200", "esp-group vpnx-7k2m9q4z lifetime 29"),
    ("ikev2-reauth no", "ikev2-reauth yes"),
    ("encryption aes256", "encryption aes192"),
    ("hash sha256", "hash sha2-256"),
    ("dh-group 14", "dh-group 31"),
    ("pfs dh-group14", "pfs group14"),
    ("compression disable", "compression enable"),
    ("mode tunnel", "mode transport"),
    ("'Golden-Key_73519'", "'Golden-Key_73519"),
    ("'Golden-Key_73519'", "'Golden Key_73519'"),
    ("'Golden-Key_73519'", "Golden-Key_73519"),
    ("'Golden-Key_73519'", "'Golden;Key_73519'"),
    ("connection-type initiate", "connection-type none"),
    ("peer 203.0.113.10 ike-group vpnx-7k2m9q4z", "peer 203.0.113.10 ike-group other"),
    ("peer 203.0.113.10 local-address", "peer 203.0.113.11 local-address"),
    ("local-address 198.51.100.2", "local-address 198.51.100.256"),
    ("tunnel 1 esp-group vpnx-7k2m9q4z", "tunnel 1 esp-group other"),
    ("tunnel 1 local prefix 169.254.129.0/30", "tunnel 1 local prefix 169.254.129.1/30"),
    ("tunnel 1 remote prefix", "tunnel 2 remote prefix"),
    ("tunnel 1 remote", "tunnel 0 remote"),
    ("set vpn ipsec allow-access-to-local-interface enable\n", ""),
    ("lo address 169.254.129.2/32", "lo address 169.254.129.2/30"),
    ("commit\nsave\n", "save\ncommit\n"),
    ("save\n", ""),
    ("\ncommit", "\nset vpn ipsec esp-group vpnx-7k2m9q4z mode tunnel\ncommit"),
    ("\ncommit", "\ndelete vpn ipsec\ncommit"),
    ("\ncommit", "\nset system host-name mine\ncommit"),
]


@pytest.mark.parametrize(("good", "bad"), PLANTED)
def test_its_reader_catches_a_planted_mistake(good: str, bad: str) -> None:
    text = written(GOOD)
    body = text.index("\nset ")
    planted = text[:body] + text[body:].replace(good, bad, 1)
    assert planted != text
    with pytest.raises(BadFileError):
        read("ubiquiti-edgeos", {"file": planted})


@pytest.mark.parametrize("case", ["common-health-check", "common-ikev1-main"])
def test_each_line_of_it_is_needed(case: str) -> None:
    lines = written(CASES[case]).splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("set "):
            with pytest.raises(BadFileError):
                read("ubiquiti-edgeos", {"file": "".join(lines[:number] + lines[number + 1 :])})


@pytest.mark.parametrize(
    ("negotiation", "action", "begins", "dead"),
    [
        (Negotiation.PASSIVE, DpdAction.RESTART, "initiate", "restart"),
        (Negotiation.PASSIVE, DpdAction.CLEAR, "initiate", "clear"),
        (Negotiation.ACTIVE, DpdAction.RESTART, "respond", "clear"),
        (Negotiation.ON_TRAFFIC, DpdAction.CLEAR, "respond", "clear"),
    ],
)
def test_it_begins_when_the_gateway_only_waits(
    negotiation: Negotiation, action: DpdAction, begins: str, dead: str
) -> None:
    text = written(a_tunnel_spec(ike=IkeSettings(negotiation=negotiation, dpd_action=action)))
    assert commands(text, f"{PEER} connection-type") == [begins]
    assert commands(text, f"vpn ipsec ike-group {NAME} dead-peer-detection action") == [dead]


@pytest.mark.parametrize(("timeout", "interval"), [(30, "15"), (45, "15"), (60, "20")])
def test_it_asks_no_more_often_than_edgeos_can(timeout: int, interval: str) -> None:
    text = written(a_tunnel_spec(ike=IkeSettings(dpd_timeout=timeout)))
    dpd = f"vpn ipsec ike-group {NAME} dead-peer-detection"
    assert commands(text, f"{dpd} interval") == [interval]
    assert commands(text, f"{dpd} timeout") == [str(timeout)]


def test_it_says_a_mode_when_it_is_not_the_usual_one() -> None:
    mode = f"vpn ipsec ike-group {NAME} mode"
    assert commands(written(CASES["common-ikev1-aggressive-fqdn"]), mode) == ["aggressive"]
    assert commands(written(CASES["common-ikev1-main"]), mode) == []
    assert commands(written(CASES["common-ikev2"]), mode) == []


def test_it_names_who_has_a_name() -> None:
    text = written(CASES["common-ikev1-aggressive-fqdn"])
    assert commands(text, f"{PEER} authentication id") == ["@router.example.com"]
    assert commands(text, f"{PEER} authentication remote-id") == ["@gateway.example.net"]
    plain = written(CASES["common-ikev2"])
    assert commands(plain, f"{PEER} authentication") == [
        "mode pre-shared-secret",
        "pre-shared-secret 'Golden-Key_73519'",
    ]
    # Behind NAT its address would be another.
    assert "authentication id 198.51.100.2" in plain
    assert "authentication id 198.51.100.2" not in text


def test_it_gives_an_aead_a_hash() -> None:
    text = written(a_tunnel_spec())
    assert commands(text, f"vpn ipsec ike-group {NAME} proposal 1") == [
        "encryption aes256gcm128", "hash sha384", "dh-group 19",
    ]  # fmt: skip
    assert commands(text, f"vpn ipsec esp-group {NAME} proposal 1") == [
        "encryption aes256gcm128",
        "hash sha256",
    ]


def test_it_answers_the_health_check() -> None:
    spec = a_tunnel_spec(health=a_health_check())
    assert commands(written(spec), "interfaces loopback lo") == ["address 169.254.128.3/32"]
    assert "loopback" not in written(a_tunnel_spec())
    assert "allow-access" not in written(a_tunnel_spec())


def test_it_can_be_removed_again() -> None:
    removed = [line[4:] for line in written(GOOD).splitlines() if re.match("# +delete ", line)]
    assert removed == [
        f"delete {PEER}",
        f"delete vpn ipsec ike-group {NAME}",
        f"delete vpn ipsec esp-group {NAME}",
        "delete interfaces loopback lo address 169.254.129.2/32",
        "  delete vpn ipsec auto-firewall-nat-exclude",
        "  delete vpn ipsec allow-access-to-local-interface",
    ]


def test_it_warns_of_a_tunnel_for_everything() -> None:
    def warned(*rules: Rule) -> bool:
        return any("lock yourself out" in one for one in EDGEOS.losses(a_tunnel_spec(rules=rules)))

    assert warned(a_rule("0.0.0.0/0", "192.168.0.0/24"))
    assert not warned(a_rule("10.0.0.0/24", "0.0.0.0/0"))


def test_it_says_what_edgeos_does_differently() -> None:
    def warnings(seconds: int = 3_600, **ike: object) -> list[str]:
        spec = a_tunnel_spec(
            ike=replace(IkeSettings(), **ike),  # type: ignore[arg-type]
            ipsec=IpsecSettings(lifetime_seconds=seconds),
        )
        return [sentence[:26] for sentence in render_case(EDGEOS, spec).warnings]

    volume, dpd = "Ubiquiti EdgeOS has no lif", "With IKEv2, EdgeOS knows n"
    assert warnings(dpd_enabled=False) == [volume]
    assert warnings() == [volume, dpd]
    assert warnings(1_080) == [volume, "EdgeOS renews 9 to 18 minu", dpd]
    assert warnings(1_081) == [volume, dpd]
    assert warnings(lifetime_seconds=60) == [volume, "EdgeOS renews 9 to 18 minu", dpd]
    assert warnings(negotiation=Negotiation.ON_TRAFFIC) == [
        volume,
        dpd,
        "The VPN gateway begins wit",
    ]
    assert warnings(negotiation=Negotiation.PASSIVE, dpd_action=DpdAction.CLEAR) == [
        volume, dpd, "The VPN gateway only waits",
    ]  # fmt: skip
    assert warnings(version=IkeVersion.V1, encryption="aes-256") == [volume]


@pytest.mark.parametrize(
    ("ike", "ipsec", "field", "nearest"),
    [
        ({"encryption": "aes-192"}, {}, "ike.encryption", "AES-256"),
        ({"encryption": "des"}, {}, "ike.encryption", "3DES"),
        ({"dh_group": "dh1"}, {}, "ike.dh_group", "DH2"),
        ({"dh_group": "dh31"}, {}, "ike.dh_group", "DH19"),
        ({}, {"encryption": "chacha20-poly1305"}, "ipsec.encryption", "AES-256-GCM"),
        ({}, {"pfs": "dh31"}, "ipsec.pfs", "DH19"),
        ({"lifetime_seconds": 86_401}, {}, "ike.lifetime_seconds", "86400"),
    ],
)
def test_it_refuses_what_edgeos_has_no_word_for(
    ike: dict[str, object], ipsec: dict[str, object], field: str, nearest: str
) -> None:
    spec = a_tunnel_spec(
        ike=replace(IkeSettings(), **ike),  # type: ignore[arg-type]
        ipsec=replace(IpsecSettings(), **ipsec),  # type: ignore[arg-type]
    )
    [finding] = refusals(spec)
    assert (finding.rule, finding.field) == ("device-cannot", field)
    assert nearest in finding.message


def test_it_refuses_what_it_is_not_known_to_do() -> None:
    aggressive = IkeSettings(version=IkeVersion.V1, mode=Mode.AGGRESSIVE, encryption="aes-256")
    [finding] = refusals(a_tunnel_spec(ike=aggressive))
    assert (finding.field, "passive" in finding.message) == ("ike.mode", True)
    assert [finding.field for finding in refusals(CASES["common-ipv6"])] == ["spd.rules"]
    named = replace(
        CASES["common-ikev1-main"], remote=an_endpoint("r", "198.51.100.2", "r.example")
    )
    assert [finding.field for finding in refusals(named)] == ["ike.remote_fqdn"]


@pytest.mark.parametrize("char", "\"'\\?/;|<>`~{}[]=")
def test_it_refuses_a_key_that_edgeos_may_not_take(char: str) -> None:
    [finding] = refusals(a_tunnel_spec(psk=Secret(f"Key-{char}-12345")))
    assert finding.field == "basic.psk"
    assert f" {char}," in finding.message


def test_it_carries_every_character_that_it_lists() -> None:
    key = "aZ09-+&!@#$%^*(),.:_"
    assert f"pre-shared-secret '{key}'\n" in written(a_tunnel_spec(psk=Secret(key)))


def test_it_tells_the_sides_apart() -> None:
    text = written(a_tunnel_spec(rules=(a_rule("10.9.0.0/16", "172.16.0.0/12"),)))
    assert commands(text, f"{PEER} local-address") == ["198.51.100.2"]
    assert commands(text, f"{PEER} tunnel 1") == [
        f"esp-group {NAME}",
        "local prefix 172.16.0.0/12",
        "remote prefix 10.9.0.0/16",
    ]
