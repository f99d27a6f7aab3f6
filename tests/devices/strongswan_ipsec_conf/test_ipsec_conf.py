from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_tunnel_spec
from tests.devices.cases import CASES, HOSTILE_PSK, render_case
from tests.devices.strongswan_ipsec_conf.grammar import read
from tests.devices.understood import BadFileError, Understood
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import DpdAction, IkeSettings, IkeVersion, IpsecSettings, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

PLATFORM = PLATFORMS["strongswan-ipsec-conf"]
ID = "vpnx-7k2m9q4z"
CONF, SECRETS = f"{ID}.conf", f"{ID}.secrets"


def files_of(spec: TunnelSpec) -> dict[str, str]:
    return {file.filename: file.text for file in render_case(PLATFORM, spec).files}


def understand(files: Mapping[str, str]) -> Understood:
    return read(PLATFORM.id, files)


def settings_of(spec: TunnelSpec) -> set[str]:
    """The settings that all pairs share, and those of the pairs."""
    lines = files_of(spec)[CONF].splitlines()
    return {line.strip() for line in lines if line.startswith("    ")}


def secret_of(spec: TunnelSpec) -> str:
    [line] = [line for line in files_of(spec)[SECRETS].splitlines() if not line.startswith("#")]
    return line


def test_it_writes_one_file_of_connections_and_one_of_secrets() -> None:
    files = files_of(CASES["common-ikev2"])
    assert list(files) == [CONF, SECRETS]
    assert "Golden-Key_73519" not in files[CONF]
    assert secret_of(CASES["common-ikev2"]) == '198.51.100.2 203.0.113.10 : PSK "Golden-Key_73519"'


def test_it_tells_who_owns_the_key_by_type() -> None:
    line = secret_of(CASES["common-ikev1-aggressive-fqdn"])
    assert line.startswith("@router.example.com @gateway.example.net : PSK ")
    shared = settings_of(CASES["common-ikev1-aggressive-fqdn"])
    assert {"leftid=@router.example.com", "rightid=@gateway.example.net"} <= shared
    assert {"left=198.51.100.2", "right=203.0.113.10"} <= shared


def test_it_keeps_pairs_apart() -> None:
    text = files_of(CASES["common-ikev1-main"])[CONF]
    assert (
        f"conn {ID}-1\n    also={ID}\n    leftsubnet=192.168.0.0/24\n    rightsubnet=10.0.0.0/24\n"
        in text
    )
    assert (
        f"conn {ID}-2\n    also={ID}\n    leftsubnet=192.168.2.0/24\n    rightsubnet=10.0.1.0/26\n"
        in text
    )
    assert text.count("\nconn ") == 3


@pytest.mark.parametrize(
    ("negotiation", "action", "expected"),
    [
        (Negotiation.PASSIVE, DpdAction.RESTART, ("start", "restart", "restart")),
        (Negotiation.PASSIVE, DpdAction.CLEAR, ("start", "restart", "clear")),
        (Negotiation.ACTIVE, DpdAction.RESTART, ("route", "none", "clear")),
        (Negotiation.ON_TRAFFIC, DpdAction.CLEAR, ("route", "none", "clear")),
    ],
)
def test_it_begins_when_the_gateway_only_waits(
    negotiation: Negotiation, action: DpdAction, expected: tuple[str, str, str]
) -> None:
    ike = IkeSettings(negotiation=negotiation, dpd_action=action)
    auto, close, dead = expected
    settings = settings_of(a_tunnel_spec(ike=ike))
    assert {f"auto={auto}", f"closeaction={close}", f"dpdaction={dead}"} <= settings


def test_it_turns_dpd_off() -> None:
    settings = settings_of(a_tunnel_spec(ike=IkeSettings(dpd_enabled=False)))
    assert "dpdaction=none" in settings
    assert not [line for line in settings if line.startswith(("dpddelay", "dpdtimeout"))]


def test_it_gives_a_timeout_to_ikev1_alone() -> None:
    ike = IkeSettings(version=IkeVersion.V1, encryption="aes-256", dpd_timeout=45)
    assert {"dpddelay=15s", "dpdtimeout=45s"} <= settings_of(a_tunnel_spec(ike=ike))
    settings = settings_of(a_tunnel_spec(ike=IkeSettings(dpd_timeout=45)))
    assert "dpddelay=15s" in settings
    assert "dpdtimeout=45s" not in settings


@given(st.integers(60, 604_800), st.integers(180, 604_800), st.integers(2_560, 4_294_967_295))
def test_it_renews_before_the_agreed_end(ike: int, ipsec: int, kilobytes: int) -> None:
    spec = a_tunnel_spec(
        ike=IkeSettings(lifetime_seconds=ike),
        ipsec=IpsecSettings(lifetime_seconds=ipsec, lifetime_kb=kilobytes),
    )
    settings = dict(line.split("=", 1) for line in settings_of(spec))
    margin = int(settings["margintime"].removesuffix("s"))
    # Twice the margin: charon adds up to 100 % of it.
    assert 0 < 2 * margin <= min(ike, ipsec) * 0.2
    assert settings["ikelifetime"] == f"{ike}s"
    assert settings["lifetime"] == f"{ipsec}s"
    assert int(settings["lifebytes"]) == kilobytes * 1024
    assert 0 < 2 * int(settings["marginbytes"]) <= kilobytes * 1024 * 0.2


def test_it_leaves_nothing_to_the_defaults_of_others() -> None:
    """A `conn %default` in the same ipsec.conf holds for every connection."""
    settings = {line.split("=")[0] for line in settings_of(CASES["common-ikev2"])}
    assert {"keyexchange", "type", "leftauth", "rightauth", "dpdaction", "closeaction"} <= settings
    assert {"reauth", "mobike", "rekeyfuzz", "keyingtries"} <= settings


def test_it_says_what_aggressive_mode_needs_of_one_who_answers() -> None:
    line = "#       i_dont_care_about_security_and_use_aggressive_mode_psk = yes\n"
    assert line in files_of(CASES["ikev1-aggressive-waiting"])[CONF]
    assert line not in files_of(CASES["ikev1-aggressive-fqdn"])[CONF]


def test_it_warns_of_what_strongswan_does_differently() -> None:
    [timeout] = render_case(PLATFORM, CASES["common-ikev2"]).warnings
    assert timeout.startswith("With IKEv2, strongSwan knows no DPD timeout (30 s was agreed)")
    assert render_case(PLATFORM, CASES["common-ikev1-main"]).warnings == ()


@pytest.mark.parametrize(
    "key", ["0xdeadbeef", "0sU2VjcmV0", "a'b#c d\\e".replace(" ", ":"), "PSK:PSK:"]
)
def test_it_writes_a_key_between_quotes(key: str) -> None:
    spec = a_tunnel_spec(psk=Secret(key))
    assert secret_of(spec).endswith(f': PSK "{key}"')
    assert understand(files_of(spec)).psk == key


def test_it_encodes_a_key_that_holds_a_quote() -> None:
    encoded = base64.b64encode(HOSTILE_PSK.encode()).decode()
    assert secret_of(CASES["health-check"]).endswith(f": PSK 0s{encoded}")
    assert understand(files_of(CASES["health-check"])).psk == HOSTILE_PSK


@pytest.mark.parametrize("name", ["a b", "a#b", "a\nconn x", '"a"', "a=b", "@a", "über.example"])
def test_it_refuses_an_identity_that_the_grammar_cannot_carry(name: str) -> None:
    spec = a_tunnel_spec()
    with pytest.raises(RuleError) as caught:
        render_case(PLATFORM, replace(spec, remote=replace(spec.remote, identity=name)))
    assert [finding.field for finding in caught.value.findings] == ["ike.remote_fqdn"]


PLANTED = {
    "an unknown setting": ("    type=tunnel\n", "    type=tunnel\n    tpye=tunnel\n"),
    "a setting twice": ("    type=tunnel\n", "    type=tunnel\n    type=tunnel\n"),
    "a missing setting": ("    rightauth=psk\n", ""),
    "another kind of authentication": ("rightauth=psk", "rightauth=pubkey"),
    "a setting without its indent": ("    type=tunnel", "type=tunnel"),
    "an unknown cipher": ("ike=aes256-", "ike=aes255-"),
    "a group by its number": ("modp2048!", "dh14!"),
    "an AEAD with integrity": ("esp=aes256-sha256-", "esp=aes256gcm16-sha256-"),
    "defaults beside the proposal": ("modp2048!\n    esp", "modp2048\n    esp"),
    "a range with host bits": ("leftsubnet=192.168.0.0/24", "leftsubnet=192.168.0.7/24"),
    "a range that is none": ("rightsubnet=10.0.0.0/24", "rightsubnet=10.0.0.0/33"),
    "two ranges in one pair": ("rightsubnet=10.0.0.0/24", "rightsubnet=10.0.0.0/24,10.0.1.0/24"),
    "a pair twice": ("leftsubnet=192.168.1.0/25", "leftsubnet=192.168.0.0/24"),
    "a section twice": (f"conn {ID}-2", f"conn {ID}-1"),
    "a pair of another connection": (f"-2\n    also={ID}", f"-2\n    also={ID}-1"),
    "a pair that waits": ("10.0.0.0/24\n    auto=route", "10.0.0.0/24\n    auto=add"),
    "a setting of IKEv1": ("    mobike=no\n", "    aggressive=no\n"),
    "an unknown version": ("keyexchange=ikev2", "keyexchange=ike"),
    "a margin that leaves nothing": ("margintime=360s", "margintime=1800s"),
    "a margin of nothing": ("margintime=360s", "margintime=0s"),
    "a lifetime without a unit": ("ikelifetime=86400s", "ikelifetime=86400"),
    "bytes that are no KB": ("lifebytes=1887436800", "lifebytes=1887436801"),
    "DPD without an action": ("dpdaction=clear", "dpdaction=none"),
    "a comment behind a value": ("type=tunnel", "type=tunnel # so"),
    "a value with a blank": ("left=198.51.100.2", "left=198.51.100.2 203.0.113.10"),
    "a control character": ("type=tunnel", "type=tunnel\r"),
    "a line of nothing": ("conn vpnx-7k2m9q4z-1\n", "conn vpnx-7k2m9q4z-1\nhello\n"),
    "an include": ("\nconn vpnx-7k2m9q4z-1\n", "\ninclude /etc/x\nconn vpnx-7k2m9q4z-1\n"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_its_reader_catches_a_planted_mistake(planted: str) -> None:
    good = files_of(CASES["common-ikev2"])
    assert understand(good).version == 2
    before, after = PLANTED[planted]
    broken = good | {CONF: good[CONF].replace(before, after)}
    assert broken != good
    with pytest.raises(BadFileError):
        understand(broken)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "198.51.100.2 203.0.113.10 : PSK Golden-Key_73519\n",
        '198.51.100.2 203.0.113.10 : PSK "Golden-Key_73519\n',
        '198.51.100.2 203.0.113.10 : PSK "Golden"-Key_73519"\n',
        '198.51.100.2 203.0.113.10: PSK "Golden-Key_73519"\n',
        '198.51.100.2 203.0.113.10 : RSA "Golden-Key_73519"\n',
        '203.0.113.10 198.51.100.2 : PSK "Golden-Key_73519"\n',
        '203.0.113.10 : PSK "Golden-Key_73519"\n',
        ': PSK "Golden-Key_73519"\n',
        "198.51.100.2 203.0.113.10 : PSK 0sR29sZGV\n",
        "198.51.100.2 203.0.113.10 : PSK 0sgICAgA==\n",
        '198.51.100.2 203.0.113.10 : PSK "one"\n198.51.100.2 203.0.113.10 : PSK "two"\n',
    ],
)
def test_its_reader_catches_a_broken_key(text: str) -> None:
    good = files_of(CASES["common-ikev2"])
    with pytest.raises(BadFileError):
        understand(good | {SECRETS: text})


def test_its_reader_wants_both_files() -> None:
    good = files_of(CASES["common-ikev2"])
    for name in good:
        with pytest.raises(BadFileError):
            understand({name: good[name]})
