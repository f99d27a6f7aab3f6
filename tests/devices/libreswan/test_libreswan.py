from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_tunnel_spec
from tests.devices.cases import CASES, HOSTILE_PSK, render_case
from tests.devices.goldens import carried
from tests.devices.libreswan.grammar import read
from tests.devices.understood import BadFileError, Understood, expected
from tunnels.devices.base import Rendering
from tunnels.devices.registry import PLATFORMS
from tunnels.domain import crypto
from tunnels.domain.findings import RuleError
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

PLATFORM = PLATFORMS["libreswan"]
USUAL, NEW, OLD = "4.8 to 4.15", "5.x", "4.2 to 4.7"
ID = "vpnx-7k2m9q4z"
CONF, SECRETS = f"{ID}.conf", f"{ID}.secrets"


def rendered(spec: TunnelSpec, version: str = USUAL) -> Rendering:
    return render_case(PLATFORM, spec, version=version)


def files_of(spec: TunnelSpec, version: str = USUAL) -> dict[str, str]:
    return {file.filename: file.text for file in rendered(spec, version).files}


def understand(files: Mapping[str, str]) -> Understood:
    return read(PLATFORM.id, files)


def settings_of(spec: TunnelSpec, version: str = USUAL) -> set[str]:
    lines = files_of(spec, version)[CONF].splitlines()
    return {line.strip() for line in lines if line.startswith("    ")}


def keys_of(spec: TunnelSpec, version: str = USUAL) -> set[str]:
    return {line.split("=")[0] for line in settings_of(spec, version)}


def secret_of(spec: TunnelSpec) -> str:
    [line] = [line for line in files_of(spec)[SECRETS].splitlines() if not line.startswith("#")]
    return line


def refused(spec: TunnelSpec) -> dict[str, str]:
    """Field → sentence."""
    with pytest.raises(RuleError) as caught:
        rendered(spec)
    return {finding.field: finding.message for finding in caught.value.findings}


def test_it_offers_what_most_people_run_first() -> None:
    assert PLATFORM.versions == (USUAL, NEW, OLD)


@pytest.mark.parametrize("case", carried(PLATFORM))
@pytest.mark.parametrize("version", [NEW, OLD])
def test_its_other_versions_say_the_same(version: str, case: str) -> None:
    spec = CASES[case]
    found = understand(files_of(spec, version))
    silent = frozenset({"esp_kb"}) if version == OLD else frozenset[str]()
    assert found == expected(spec, silent=silent)


def test_it_has_the_words_of_each_version() -> None:
    spec = CASES["common-ikev2"]
    four = {"ikev2", "salifetime", "dpdaction", "keyingtries"}
    five = {"keyexchange", "ipsec-lifetime"}
    assert keys_of(spec, NEW) == keys_of(spec, USUAL) - four | five
    assert keys_of(spec, OLD) == keys_of(spec, USUAL) - {"ipsec-max-bytes"}
    assert "ikev2=yes" in settings_of(spec, USUAL)
    assert "keyexchange=ikev2" in settings_of(spec, NEW)


def test_it_says_what_has_no_lifetime_by_volume() -> None:
    spec = CASES["common-ikev2"]
    [sentence] = rendered(spec, OLD).warnings
    assert "no lifetime by volume: the agreed 1843200 KB are left out" in sentence
    assert rendered(spec).warnings == rendered(spec, NEW).warnings == ()
    assert "ipsec-max-bytes=1843200KiB" in settings_of(spec)


@pytest.mark.parametrize("version", [USUAL, NEW, OLD])
def test_it_allows_ikev1_where_it_is_asked_for(version: str) -> None:
    """Debian's 4.10 and every 5.x drop it otherwise."""
    assert "\nconfig setup\n    ikev1-policy=accept\n" in files_of(
        CASES["common-ikev1-main"], version
    )[CONF]  # fmt: skip
    assert "config setup\n" not in files_of(CASES["common-ikev2"], version)[CONF]


@pytest.mark.parametrize(
    ("negotiation", "action", "expected_auto", "expected_action"),
    [
        (Negotiation.PASSIVE, DpdAction.RESTART, "start", "restart"),
        (Negotiation.PASSIVE, DpdAction.CLEAR, "start", "clear"),
        (Negotiation.ACTIVE, DpdAction.RESTART, "ondemand", "hold"),
        (Negotiation.ON_TRAFFIC, DpdAction.CLEAR, "ondemand", "hold"),
    ],
)
def test_it_begins_when_the_gateway_only_waits(
    negotiation: Negotiation, action: DpdAction, expected_auto: str, expected_action: str
) -> None:
    spec = a_tunnel_spec(ike=IkeSettings(negotiation=negotiation, dpd_action=action))
    assert {f"auto={expected_auto}", f"dpdaction={expected_action}"} <= settings_of(spec)


def test_it_gives_a_silent_peer_up_within_the_agreed_time() -> None:
    spec = a_tunnel_spec(ike=IkeSettings(dpd_timeout=45))
    assert {"dpddelay=15s", "retransmit-timeout=30s"} <= settings_of(spec)
    first = replace(spec.ike, version=IkeVersion.V1, encryption="aes-256")
    ipsec = IpsecSettings(pfs="dh14")
    settings = settings_of(replace(spec, ike=first, ipsec=ipsec))
    assert {"dpddelay=15s", "dpdtimeout=45s"} <= settings
    off = keys_of(replace(spec, ike=replace(spec.ike, dpd_enabled=False)))
    assert not off & {"dpddelay", "dpdtimeout", "dpdaction", "retransmit-timeout"}


def test_it_tells_that_a_forgotten_peer_stays_forgotten() -> None:
    clear = IkeSettings(dpd_action=DpdAction.CLEAR, negotiation=Negotiation.PASSIVE)
    [sentence] = rendered(a_tunnel_spec(ike=clear)).warnings
    assert sentence.startswith("The VPN gateway only waits")
    for other in (
        replace(clear, negotiation=Negotiation.ACTIVE),
        replace(clear, dpd_action=DpdAction.RESTART),
        replace(clear, dpd_enabled=False),
    ):
        assert rendered(a_tunnel_spec(ike=other)).warnings == ()


@given(st.integers(60, 86_400), st.integers(180, 86_400))
def test_it_renews_before_the_agreed_end(ike: int, ipsec: int) -> None:
    spec = a_tunnel_spec(
        ike=IkeSettings(lifetime_seconds=ike), ipsec=IpsecSettings(lifetime_seconds=ipsec)
    )
    settings = dict(line.split("=", 1) for line in settings_of(spec))
    margin = int(settings["rekeymargin"].removesuffix("s"))
    # Twice the margin: pluto adds up to 100 % of it.
    assert 0 < 2 * margin <= min(ike, ipsec) * 0.2
    assert (settings["ikelifetime"], settings["salifetime"]) == (f"{ike}s", f"{ipsec}s")


def test_it_refuses_what_libreswan_does_not_have() -> None:
    spec = CASES["common-ikev1-main"]
    for group, nearest in (("dh1", "DH5"), ("dh2", "DH5"), ("dh24", "DH14")):
        ike = refused(replace(spec, ike=replace(spec.ike, dh_group=group)))
        assert f"nearest that it has is {nearest} " in ike["ike.dh_group"]
        esp = refused(replace(spec, ipsec=replace(spec.ipsec, pfs=group)))
        assert f"nearest that it has is {nearest} " in esp["ipsec.pfs"]
    des = refused(replace(spec, ike=replace(spec.ike, encryption="des")))
    assert "nearest that it has is 3DES" in des["ike.encryption"]
    long = replace(spec, ike=replace(spec.ike, lifetime_seconds=86_401))
    assert "takes 60 to 86400 s as IKE lifetime" in refused(long)["ike.lifetime_seconds"]


@pytest.mark.parametrize("group", ["dh19", "dh20", "dh21", "dh31"])
def test_it_has_no_curves_for_the_quick_mode_of_ikev1(group: str) -> None:
    spec = CASES["common-ikev1-main"]
    ipsec = replace(spec.ipsec, pfs=group)
    assert "ipsec.pfs" in refused(replace(spec, ipsec=ipsec))
    assert f";{group}" in files_of(replace(spec, ike=replace(spec.ike, dh_group=group)))[CONF]
    assert f";{group}" in files_of(replace(CASES["common-ikev2"], ipsec=ipsec))[CONF]


def test_it_refuses_a_name_in_main_mode() -> None:
    spec = replace(
        CASES["common-ikev1-aggressive-fqdn"],
        ike=replace(CASES["common-ikev1-aggressive-fqdn"].ike, mode=Mode.MAIN),
    )
    assert refused(spec).keys() == {"ike.local_fqdn", "ike.remote_fqdn"}


@pytest.mark.parametrize("case", carried(PLATFORM))
def test_it_never_gives_an_aead_an_integrity_algorithm(case: str) -> None:
    spec = CASES[case]
    proposals = dict(
        line.split("=", 1) for line in settings_of(spec) if line.startswith(("ike=", "esp="))
    )
    assert proposals["ike"].count("-") == 1
    assert proposals["esp"].count("-") == (0 if crypto.is_aead(spec.ipsec.encryption) else 1)


def test_it_quotes_an_address_with_colons() -> None:
    line = secret_of(CASES["common-ipv6"])
    assert line == '"2001:db8:b::2" "2001:db8:a::10" : PSK "Golden-Key_73519"'
    assert "leftid=2001:db8:b::2" in settings_of(CASES["common-ipv6"])


@pytest.mark.parametrize("key", ["0xdeadbeef", "0sU2VjcmV0", "0tplain-text", "a'b#c:d\\e{f}"])
def test_it_writes_a_key_between_quotes(key: str) -> None:
    spec = a_tunnel_spec(psk=Secret(key))
    assert secret_of(spec) == f'198.51.100.2 203.0.113.10 : PSK "{key}"'
    assert understand(files_of(spec)).psk == key


def test_it_encodes_a_key_that_holds_a_quote() -> None:
    encoded = base64.b64encode(HOSTILE_PSK.encode()).decode()
    assert secret_of(CASES["health-check"]).endswith(f": PSK 0s{encoded}")
    assert understand(files_of(CASES["health-check"])).psk == HOSTILE_PSK


@pytest.mark.parametrize("name", ["a b", "a#b", "a\nconn x", '"a"', "a=b", "@[group]", "%any"])
def test_it_refuses_an_identity_that_the_grammar_cannot_carry(name: str) -> None:
    spec = a_tunnel_spec()
    assert refused(replace(spec, remote=replace(spec.remote, identity=name))).keys() == {
        "ike.remote_fqdn"
    }


PLANTED = {
    "an unknown setting": ("    type=tunnel\n", "    type=tunnel\n    tpye=tunnel\n"),
    "a setting twice": ("    type=tunnel\n", "    type=tunnel\n    type=tunnel\n"),
    "a missing setting": ("    authby=secret\n", ""),
    "another kind of authentication": ("authby=secret", "authby=rsasig"),
    "a setting without its indent": ("    type=tunnel", "type=tunnel"),
    "a word of strongSwan": ("ike=aes256-sha2_256;", "ike=aes256-sha256;"),
    "an unknown group": ("ike=aes256-sha2_256;dh14", "ike=aes256-sha2_256;dh2"),
    "a group behind a hyphen": ("ike=aes256-sha2_256;dh14", "ike=aes256-sha2_256-dh14"),
    "an AEAD with integrity": ("esp=aes256-", "esp=aes_gcm256-"),
    "a cipher without integrity": ("esp=aes256-sha2_256;", "esp=aes256;"),
    "a group without PFS": ("pfs=yes", "pfs=no"),
    "PFS without a group": ("esp=aes256-sha2_256;dh14", "esp=aes256-sha2_256"),
    "a lifetime of more than a day": ("ikelifetime=86400s", "ikelifetime=86401s"),
    "a lifetime without a unit": ("salifetime=3600s", "salifetime=3600"),
    "a margin that leaves nothing": ("rekeymargin=360s", "rekeymargin=1800s"),
    "a fuzz without a unit": ("rekeyfuzz=100%", "rekeyfuzz=100"),
    "bytes without a unit": ("1843200KiB", "1843200"),
    "bytes of 1000": ("1843200KiB", "1843200KB"),
    "a range with host bits": ("leftsubnet=192.168.0.0/24", "leftsubnet=192.168.0.7/24"),
    "a list of ranges": ("rightsubnet=10.0.0.0/24", "rightsubnets=10.0.0.0/24"),
    "a pair twice": ("leftsubnet=192.168.1.0/25", "leftsubnet=192.168.0.0/24"),
    "a pair that waits": ("10.0.0.0/24\n    auto=ondemand", "10.0.0.0/24\n    auto=add"),
    "both words for a version": ("ikev2=yes", "ikev2=yes\n    keyexchange=ikev2"),
    "a word of 5.x only": ("salifetime=", "ipsec-lifetime="),
    "an unknown version": ("ikev2=yes", "ikev2=maybe"),
    "a setting of IKEv1": ("    mobike=no\n", "    aggressive=no\n"),
    "a timeout of IKEv1": ("retransmit-timeout=20s", "dpdtimeout=20s"),
    "DPD without a delay": ("    dpddelay=10s\n", ""),
    "DPD that gives up at once": ("retransmit-timeout=20s", "retransmit-timeout=5s"),
    "settings of the daemon": ("\n# What all", "\nconfig setup\n    uniqueids=no\n# What all"),
    "an include": ("\n# rule 1\n", "\ninclude /etc/x\n"),
    "a control character": ("type=tunnel", "type=tunnel\r"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_its_reader_catches_a_planted_mistake(planted: str) -> None:
    good = files_of(CASES["common-ikev2"])
    assert understand(good).version == 2
    broken = good | {CONF: good[CONF].replace(*PLANTED[planted])}
    assert broken != good
    with pytest.raises(BadFileError):
        understand(broken)


def test_its_reader_misses_the_policy_of_ikev1() -> None:
    good = files_of(CASES["common-ikev1-main"])
    assert understand(good).version == 1
    for planted in ("", "config setup\n    ikev1-policy=drop\n"):
        text = good[CONF].replace("config setup\n    ikev1-policy=accept\n", planted)
        with pytest.raises(BadFileError):
            understand(good | {CONF: text})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "198.51.100.2 203.0.113.10 : PSK Golden-Key_73519\n",
        '198.51.100.2 203.0.113.10 : PSK "Golden-Key_73519\n',
        '198.51.100.2 203.0.113.10 : PSK "Golden"-Key_73519"\n',
        '198.51.100.2 203.0.113.10 : XAUTH "Golden-Key_73519"\n',
        '203.0.113.10 198.51.100.2 : PSK "Golden-Key_73519"\n',
        ': PSK "Golden-Key_73519"\n',
        "198.51.100.2 203.0.113.10 : PSK 0sR29sZGV\n",
        ' 198.51.100.2 203.0.113.10 : PSK "Golden-Key_73519"\n',
    ],
)
def test_its_reader_catches_a_broken_key(text: str) -> None:
    good = files_of(CASES["common-ikev2"])
    with pytest.raises(BadFileError):
        understand(good | {SECRETS: text})


def test_its_reader_sees_other_values() -> None:
    """What is right by the grammar and still not the tunnel shows up field by field."""
    good, spec = files_of(CASES["common-ikev2"]), CASES["common-ikev2"]
    right = expected(spec, silent=frozenset())
    for planted, field in (
        (("left=198.51.100.2", "left=198.51.100.3"), "local_address"),
        (("dh14\n    esp", "dh15\n    esp"), "ike_dh"),
        (("1843200KiB", "1843201KiB"), "esp_kb"),
        (("rightsubnet=10.0.0.0/24", "rightsubnet=10.0.8.0/24"), "pairs"),
    ):
        found = understand(good | {CONF: good[CONF].replace(*planted)})
        wrong = [
            one.name
            for one in fields(found)
            if getattr(found, one.name) != getattr(right, one.name)
        ]
        assert wrong == [field]
