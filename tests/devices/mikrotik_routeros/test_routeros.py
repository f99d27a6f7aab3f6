from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES, render_case
from tests.devices.mikrotik_routeros.grammar import read
from tests.devices.understood import BadFileError, Understood
from tunnels.devices.mikrotik_routeros.words import time
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings, Mode, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

ROUTEROS = PLATFORMS["mikrotik-routeros"]
NAME = "vpnx-7k2m9q4z-routeros.rsc"
IKE = IkeSettings(encryption="aes-256")
PLAIN = a_tunnel_spec(ike=IKE)
OPEN = '/ip firewall filter add chain=input action=accept comment="vpnx-7k2m9q4z"\n'


def text_of(spec: TunnelSpec) -> str:
    return render_case(ROUTEROS, spec).text


def understood(spec: TunnelSpec) -> Understood:
    return read(ROUTEROS.id, {NAME: text_of(spec)})


def lines_of(spec: TunnelSpec, start: str) -> list[str]:
    """What follows `start` in each line that begins so."""
    lines = text_of(spec).splitlines()
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


def refused(spec: TunnelSpec) -> list[Finding]:
    with pytest.raises(RuleError) as caught:
        render_case(ROUTEROS, spec)
    return list(caught.value.findings)


PLANTED = [
    ("/ip ipsec profile add", "/ip ipsec profile set"),
    ("/ip ipsec profile add", "ip ipsec profile add"),
    ("/ip ipsec proposal", "/ip ipsec proposals"),
    ("enc-algorithm=aes-256", "enc-algorithm=aes-256-gcm"),
    ("enc-algorithm=aes-256", "enc-algorithm=aes-256,des"),
    ("enc-algorithm=aes-256", "enc-algorithm=aes-256 enc-algorithm=aes-256"),
    ("hash-algorithm=sha256", "hash-algorithm=sha2"),
    ("dh-group=ecp256", "dh-group=19"),
    ("lifetime=1d", "lifetime=1"),
    ("lifetime=1d", "lifetime=1day"),
    (" proposal-check=obey", ""),
    ("dpd-maximum-failures=3", "dpd-maximum-failures=9"),
    ('auth-algorithms=""', "auth-algorithms=null"),
    ('auth-algorithms=""', "auth-algorithms=sha256"),
    ("pfs-group=ecp256", "pfs-group=x25519"),
    ("pfs-group=ecp256", "pfs-group=none none"),
    ('peer add name="vpnx-7k2m9q4z"', 'peer add name="vpnx-other"'),
    ("203.0.113.10/32", "203.0.113.0/24"),
    ("local-address=198.51.100.2", "local-address=198.51.100.2/32"),
    ("exchange-mode=ike2", "exchange-mode=ikev2"),
    ("passive=yes", "passive=maybe"),
    ('secret="Golden-Key_73519"', "secret=Golden-Key_73519"),
    ('secret="Golden-Key_73519"', 'secret="Golden-Key_73519'),
    ('secret="Golden-Key_73519"', 'secret="Golden$Key"'),
    ('secret="Golden-Key_73519"', 'secret="Golden?Key"'),
    ('secret="Golden-Key_73519"', 'secret="Golden\\?Key"'),
    ('secret="Golden-Key_73519"', 'secret="Golden\\3fKey"'),
    ('secret="Golden-Key_73519"', 'secret="0xGolden"'),
    ('secret="Golden-Key_73519"', 'secret="Golden" "Key"'),
    ("my-id=address:198.51.100.2", "my-id=fqdn:198.51.100.2"),
    ("my-id=address:198.51.100.2", "my-id=198.51.100.2"),
    ("remote-id=address:203.0.113.10", "remote-id=ignore"),
    ("generate-policy=no", "generate-policy=port-strict"),
    ("level=unique", "level=require"),
    ("tunnel=yes", "tunnel=no"),
    ("ipsec-protocols=esp", "ipsec-protocols=esp;/system reset-configuration"),
    ("policy add peer", "policy add disabled=yes peer"),
    ("dst-address=10.0.0.0/24 protocol=all", "dst-address=10.0.0.0/8 protocol=all"),
    ("dst-port=500,4500", "dst-port=500"),
    ("protocol=ipsec-esp", "protocol=ipsec-ah"),
    ("src-address=203.0.113.10 dst-port", "src-address=203.0.113.11 dst-port"),
    ("chain=srcnat action=accept", "chain=srcnat action=masquerade"),
    ("ipsec-policy=out,ipsec", "ipsec-policy=out,none"),
    ("new-mss=1300", "new-mss=1400"),
    ("]] > 2) do={", "]] > 3) do={"),
    ("]] > 2) do={", "]] > 0) do={"),
    (" 0] }", " 1] }"),
    (" 0] }", " 0] }; /quit"),
    ("# The tunnel\n", f"{OPEN}\n# The tunnel\n"),
    ("# The tunnel\n", "# The tunnel \\\n"),
    ("# The tunnel\n", "/system reboot\n"),
    ("# The tunnel\n", '/ip address add address=169.254.128.3/32 interface="lan"\n'),
    ("# The tunnel\n", ":put done\n"),
    ("# The tunnel\n", " /ip ipsec peer remove\n"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "planted"), PLANTED)
def test_its_reader_catches(right: str, planted: str) -> None:
    header, blank, body = text_of(PLAIN).partition("\n\n")
    assert right in body
    assert read(ROUTEROS.id, {NAME: header + blank + body})
    with pytest.raises(BadFileError):
        read(ROUTEROS.id, {NAME: header + blank + body.replace(right, planted, 1)})


def test_its_reader_misses_every_line() -> None:
    lines = text_of(replace(PLAIN, health=a_health_check())).splitlines(keepends=True)
    commands = [at for at, line in enumerate(lines) if line.startswith(("/", ":"))]
    assert len(commands) > 25
    for at in commands:
        with pytest.raises(BadFileError):
            read(ROUTEROS.id, {NAME: "".join(lines[:at] + lines[at + 1 :])})


def test_its_reader_notices_every_line_that_is_there_twice() -> None:
    lines = text_of(PLAIN).splitlines(keepends=True)
    for at, line in enumerate(lines):
        if line.startswith(("/", ":")):
            with pytest.raises(BadFileError):
                read(ROUTEROS.id, {NAME: "".join([*lines[:at], line, *lines[at:]])})


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("Golden-Key_73519", '"Golden-Key_73519"'),
        ('quo"te\\back', '"quo\\"te\\\\back"'),
        ("$(system)$x[/x]{y}", '"\\$(system)\\$x[/x]{y}"'),
        ("what?#;'`~", '"what\\3F#;\'`~"'),
        ("0xdeadbeef", '"0x30786465616462656566"'),
        ("0XDEADBEEF", '"0x30584445414442454546"'),
        ("00xdeadbeef", '"00xdeadbeef"'),
        ("x" * 128, f'"{"x" * 128}"'),
    ],
)
def test_it_writes_a_key_that_routeros_reads_as_it_is(key: str, written: str) -> None:
    spec = replace(PLAIN, psk=Secret(key))
    [line] = lines_of(spec, "/ip ipsec identity add ")
    assert f"secret={written} my-id" in line
    assert understood(spec).psk == key


@given(st.integers(1, 604_800))
def test_it_writes_times_as_routeros_does(seconds: int) -> None:
    sizes = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
    total, digits = 0, ""
    for char in time(seconds):
        if char.isdigit():
            digits += char
        else:
            total, digits = total + int(digits) * sizes[char], ""
    assert (total, digits) == (seconds, "")


def test_it_writes_short_times() -> None:
    assert [time(one) for one in (86_400, 9_000, 45, 90_061)] == ["1d", "2h30m", "45s", "1d1h1m1s"]


@pytest.mark.parametrize(
    ("version", "local", "remote", "expected"),
    [
        (IkeVersion.V2, "", "", "my-id=address:198.51.100.2 remote-id=address:203.0.113.10"),
        (IkeVersion.V2, "gw.example.net", "r.example.com", "my-id=fqdn:r.example.com remote-id=fqdn:gw.example.net"),
        (IkeVersion.V1, "gw.example.net", "r.example.com", "my-id=fqdn:r.example.com remote-id=auto"),
        (IkeVersion.V1, "", "r.example.com", "my-id=fqdn:r.example.com remote-id=address:203.0.113.10"),
    ],
)  # fmt: skip
def test_it_says_who_it_is_and_whom_it_expects(
    version: IkeVersion, local: str, remote: str, expected: str
) -> None:
    spec = a_tunnel_spec(
        ike=replace(IKE, version=version, mode=Mode.AGGRESSIVE),
        local=an_endpoint("gateway", "203.0.113.10", local),
        remote=an_endpoint("router", "198.51.100.2", remote),
    )
    [line] = lines_of(spec, "/ip ipsec identity add ")
    assert f" {expected} match-by=remote-id generate-policy=no" in line
    unchecked = [one for one in render_case(ROUTEROS, spec).warnings if "cannot check" in one]
    assert len(unchecked) == ("remote-id=auto" in expected)


def test_it_lets_an_ipv6_address_be_the_default_identifier() -> None:
    [line] = lines_of(CASES["common-ipv6"], "/ip ipsec identity add ")
    assert " my-id=auto remote-id=auto " in line
    assert understood(CASES["common-ipv6"]).local_identity == "2001:db8:b::2"


@pytest.mark.parametrize("side", ["local", "remote"])
def test_it_refuses_any_other_ipv6_address_as_an_identifier(side: str) -> None:
    spec = CASES["common-ipv6"]
    other = replace(getattr(spec, side), identity="2001:db8:c::3")
    [finding] = refused(replace(spec, **{side: other}))
    assert finding.field == f"ike.{side}_fqdn"
    assert "2001:db8:c::3" in finding.message


@pytest.mark.parametrize(
    ("negotiation", "passive"),
    [(Negotiation.ACTIVE, "yes"), (Negotiation.PASSIVE, "no"), (Negotiation.ON_TRAFFIC, "no")],
)
def test_it_waits_only_for_a_gateway_that_begins(negotiation: Negotiation, passive: str) -> None:
    [line] = lines_of(
        a_tunnel_spec(ike=replace(IKE, negotiation=negotiation)), "/ip ipsec peer add "
    )
    assert f" passive={passive} " in line


def test_it_tells_what_its_dpd_does() -> None:
    def about(ike: IkeSettings) -> list[str]:
        warnings = render_case(ROUTEROS, a_tunnel_spec(ike=ike)).warnings
        return [one for one in warnings if "DPD" in one or "failures" in one]

    [counts] = about(replace(IKE, dpd_timeout=47))
    assert counts.startswith("With IKEv2, RouterOS does not count failures: it asks every 15 s")
    [renews] = about(replace(IKE, dpd_enabled=False, lifetime_seconds=7_200))
    assert "lifetime of 7200 s" in renews
    assert about(replace(IKE, version=IkeVersion.V1)) == []
    off = lines_of(a_tunnel_spec(ike=replace(IKE, dpd_enabled=False)), "/ip ipsec profile add ")[0]
    assert off.endswith(" dpd-interval=disable-dpd")


def test_it_has_no_lifetime_by_volume() -> None:
    assert (
        "no lifetime by volume: the agreed 1843200 KB" in render_case(ROUTEROS, PLAIN).warnings[0]
    )


@pytest.mark.parametrize(
    ("spec", "field", "nearest"),
    [
        (a_tunnel_spec(ike=replace(IKE, dh_group="dh24")), "ike.dh_group", "DH14"),
        (a_tunnel_spec(ike=IKE, ipsec=IpsecSettings(pfs="dh31")), "ipsec.pfs", "DH19"),
        (
            a_tunnel_spec(ike=IKE, ipsec=IpsecSettings(encryption="aes-256", integrity="sha2-384")),
            "ipsec.integrity",
            "SHA2-512",
        ),
    ],
)
def test_it_names_the_nearest_that_it_can_do(spec: TunnelSpec, field: str, nearest: str) -> None:
    [finding] = refused(spec)
    assert finding.field == field
    assert nearest in finding.message


def test_it_has_no_aead_for_ike() -> None:
    first, *_ = refused(a_tunnel_spec())
    assert (first.field, first.message.split("; ")[1]) == (
        "ike.encryption",
        "the nearest that it has is AES-256.",
    )


def test_it_refuses_a_policy_from_everywhere_to_everywhere() -> None:
    [finding] = refused(a_tunnel_spec(ike=IKE, rules=(a_rule("0.0.0.0/0", "0.0.0.0/0"),)))
    assert finding.field == "spd.rules"
    assert "one by one" in finding.message
    assert understood(a_tunnel_spec(ike=IKE, rules=(a_rule("10.0.0.0/24", "0.0.0.0/0"),))).pairs


def test_it_keeps_the_way_to_its_own_network_when_all_goes_into_the_tunnel() -> None:
    spec = a_tunnel_spec(
        ike=IKE,
        rules=(a_rule("0.0.0.0/0", "192.168.0.0/24"), a_rule("10.0.0.0/24", "192.168.9.0/24")),
    )
    first, second, *_ = lines_of(spec, "/ip ipsec policy add ")
    assert first.startswith("action=none src-address=192.168.0.0/24 dst-address=192.168.0.0/24 ")
    assert "action=encrypt" in second
    assert "lock yourself out" in " ".join(render_case(ROUTEROS, spec).warnings)
    assert understood(spec).pairs == (
        ("192.168.0.0/24", "0.0.0.0/0"),
        ("192.168.9.0/24", "10.0.0.0/24"),
    )


def test_it_swaps_the_sides() -> None:
    found = understood(PLAIN)
    assert (found.local_address, found.remote_address) == ("198.51.100.2", "203.0.113.10")
    assert found.pairs == (
        ("192.168.0.0/24", "10.0.0.0/24"),
        ("192.168.1.0/25", "10.0.0.0/24"),
        ("192.168.2.0/24", "10.0.1.0/26"),
    )


def test_it_adds_no_rule_where_it_might_fail() -> None:
    """`place-before` fails in an empty chain: rules are added at the end and then moved, if others were there."""
    text = text_of(PLAIN)
    assert "place-before" not in text
    assert (
        text.count(":if ([:len [/ip firewall filter find where chain=input and dynamic=no]] > 2)")
        == 1
    )
    assert (
        text.count(":if ([:len [/ip firewall filter find where chain=forward and dynamic=no]] > 6)")
        == 1
    )
    assert (
        text.count(":if ([:len [/ip firewall nat find where chain=srcnat and dynamic=no]] > 3)")
        == 1
    )


def test_the_firewall_is_ready_before_the_tunnel_begins() -> None:
    text = text_of(PLAIN)
    assert text.index("/ip ipsec profile add") < text.index("/ip firewall filter add")
    assert text.rindex("/ip firewall mangle add") < text.index("/ip ipsec peer add")


def test_it_gives_a_bridge_the_address_of_the_health_check() -> None:
    spec = replace(PLAIN, health=a_health_check())
    assert lines_of(spec, "/ip address add ") == [
        'address=169.254.128.3/32 interface="vpnx-7k2m9q4z" comment="vpnx-7k2m9q4z"'
    ]
    [rule] = [line for line in lines_of(spec, "/ip firewall filter add ") if "icmp" in line]
    assert rule == (
        "chain=input action=accept protocol=icmp src-address=169.254.128.2 dst-address=169.254.128.3 "
        'ipsec-policy=in,ipsec comment="vpnx-7k2m9q4z"'
    )
    # It answers itself: nothing is forwarded, but its answers must not be translated.
    assert len(lines_of(spec, "/ip firewall nat add ")) == 4
    assert len(lines_of(spec, "/ip firewall filter add chain=forward ")) == 6
    assert ("169.254.128.3/32", "169.254.128.2/32") in (understood(spec).pairs or ())


def test_it_does_the_same_with_ipv6() -> None:
    spec = replace(PLAIN, health=a_health_check("fd00:1::1", "fd00:2::1"))
    [address] = lines_of(spec, "/ipv6 address add ")
    assert address.startswith("address=fd00:2::1/128 advertise=no interface=")
    [rule] = lines_of(spec, "/ipv6 firewall filter add ")
    assert " protocol=icmpv6 src-address=fd00:1::1 dst-address=fd00:2::1 " in rule
    assert understood(spec).pairs


def test_it_leaves_an_address_of_the_site_where_it_is() -> None:
    spec = replace(PLAIN, health=a_health_check("10.0.0.9", "192.168.0.9"))
    assert lines_of(spec, "/ip address add ") == lines_of(spec, "/interface bridge add ") == []
    assert "192.168.0.9 lies in a range of your site" in text_of(spec)
    assert [line for line in lines_of(spec, "/ip firewall filter add ") if "icmp" in line]


def test_it_tells_how_to_remove_every_object() -> None:
    spec = replace(CASES["common-ipv6"], health=a_health_check("fd00:1::1", "fd00:2::1"))
    text = text_of(spec)
    removal = text[text.index("# Remove it:") : text.index("\n\n")]
    added = {line.partition(" add ")[0] for line in text.splitlines() if line.startswith("/")}
    assert len(added) == 10
    for menu in added:
        assert f"#   {menu} remove [find where " in removal
    # What is used goes after what uses it.
    menus = ("policy", "identity", "peer", "proposal", "profile")
    places = [removal.index(f"/ip ipsec {menu} ") for menu in menus]
    assert places == sorted(places)


def test_no_comment_goes_on_in_the_next_line() -> None:
    text = text_of(
        replace(PLAIN, name="ends in a backslash \\", remote=replace(PLAIN.remote, name="\\"))
    )
    assert "\\\n" not in text
    assert read(ROUTEROS.id, {NAME: text}) == understood(PLAIN)
