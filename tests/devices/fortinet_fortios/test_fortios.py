from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES, CONSOLE_VERSION, NOW, render_case
from tests.devices.fortinet_fortios.grammar import read
from tests.devices.understood import BadFileError, Understood
from tunnels.devices.base import render
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings, Mode, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

FORTIOS = PLATFORMS["fortinet-fortios"]
NAME = "vpnx-7k2m9q4z-fortios.conf"
MODERN = a_tunnel_spec()


def text_of(spec: TunnelSpec, given: Mapping[str, str] | None = None) -> str:
    rendering = render(
        FORTIOS,
        spec,
        version="7.4",
        redacted=False,
        now=NOW,
        console_version=CONSOLE_VERSION,
        given=given,
    )
    return rendering.text


def understood(spec: TunnelSpec) -> Understood:
    return read(FORTIOS.id, {NAME: text_of(spec)})


def settings_of(spec: TunnelSpec) -> list[str]:
    """All lines behind the comment, without their margin."""
    return [line.strip() for line in text_of(spec).splitlines() if not line.startswith("#")]


def refused(spec: TunnelSpec) -> list[Finding]:
    with pytest.raises(RuleError) as caught:
        render_case(FORTIOS, spec)
    return list(caught.value.findings)


PLANTED = [
    ("config vpn ipsec phase1-interface", "config vpn ipsec phase1"),
    ('    edit "vpnx-7k2m9q4z"\n', '    edit "vpnx-7k2m9q4z-and-more"\n'),
    ("        set type static\n", ""),
    ("set type static", "set type dynamic"),
    ("set ike-version 2", "set ike-version 3"),
    ("set ike-version 2", "set ike-version 2\n        set mode main"),
    ("set ike-version 2", "set ike-version 2\n        set ike-version 2"),
    ("local-gw 198.51.100.2", "local-gw 198.51.100.2 255.255.255.255"),
    ("remote-gw 203.0.113.10", "remote-gw 203.0.113.010"),
    ("keylife 86400", "keylife 172801"),
    ("peertype any", "peertype one"),
    ("aes256gcm-prfsha384", "aes256gcm-sha384"),
    ("aes256gcm-prfsha384", "aes256gcm"),
    ("dhgrp 19", "dhgrp 24"),
    ("localid-type address", "localid-type fqdn"),
    ("dpd-retrycount 3", "dpd-retrycount 1"),
    ('psksecret "Golden-Key_73519"', "psksecret Golden-Key_73519"),
    ('psksecret "Golden-Key_73519"', 'psksecret "Golden-Key_73519'),
    ('psksecret "Golden-Key_73519"', 'psksecret "0xGolden-Key_73519"'),
    ('psksecret "Golden-Key_73519"', "psksecret 0x476f6"),
    ('psksecret "Golden-Key_73519"', 'psksecret "Key?"'),
    ('psksecret "Golden-Key_73519"', 'psksecret "Golden-Key_73519" # the key'),
    ("        set nattraversal enable\n", "        set nattraversal enable\n        # comment\n"),
    ("keylife-type both", "keylife-type seconds"),
    ("keylifekbs 1843200", "keylifekbs 5119"),
    ("set proposal aes256gcm\n", "set proposal aes256\n"),
    ("src-subnet 192.168.0.0 255.255.255.0", "src-subnet 192.168.0.1 255.255.255.0"),
    ("src-subnet 192.168.0.0 255.255.255.0", "src-subnet 10.0.0.0 255.255.255.0"),
    ("src-addr-type subnet\n", "src-addr-type subnet6\n"),
    ("set subnet 192.168.0.0 255.255.255.0", "set subnet 192.168.0.0 255.255.0.0"),
    ("set blackhole enable", "set blackhole disable"),
    ("set distance 254", "set distance 10"),
    ('        set device "vpnx-7k2m9q4z"', '        set device "wan1"'),
    ("    edit 0\n        set dst", "    edit 1\n        set dst"),
    ("set nat disable", "set nat enable"),
    ("set action accept", "set action deny"),
    ("        set tcp-mss-sender 1300\n", ""),
    ('srcaddr "vpnx-7k2m9q4z-1-local"', 'srcaddr "all"'),
    ("-1-in", "-1-out"),
    ('srcintf "internal"', 'srcintf "wan1"'),
    ("    next\nend\nconfig firewall address", "end\nconfig firewall address"),
    ("    next\nend\nconfig firewall address", "    next\nconfig firewall address"),
    ("        set ike-version", "       set ike-version"),
    ("config vpn ipsec phase1-interface", "execute reboot\nconfig vpn ipsec phase1-interface"),
]


@pytest.mark.parametrize(("right", "planted"), PLANTED)
def test_its_reader_catches(right: str, planted: str) -> None:
    header, blank, body = text_of(MODERN).partition("\n\n")
    assert right in body
    with pytest.raises(BadFileError):
        read(FORTIOS.id, {NAME: header + blank + body.replace(right, planted, 1)})


@pytest.mark.parametrize(
    "planted", ["# a? b", "# it's", "#\n", "", "# a\\", "# \x07", "# tab\t", "# end "]
)
def test_its_reader_wants_a_comment_that_no_terminal_acts_on(planted: str) -> None:
    rest = text_of(MODERN).split("\n", 1)[1]
    assert read(FORTIOS.id, {NAME: f"# right\n{rest}"})
    with pytest.raises(BadFileError):
        read(FORTIOS.id, {NAME: f"{planted}\n{rest}"})


def test_its_reader_wants_every_table_in_its_order() -> None:
    header, _, body = text_of(MODERN).partition("\n\n")
    tables = [f"config {table}" for table in body.split("config ")[1:]]
    assert len(tables) == 5
    wrong = [tables[:at] + tables[at + 1 :] for at in range(5)]
    wrong += [[tables[1], tables[0], *tables[2:]], [*tables, tables[4]]]
    for order in wrong:
        with pytest.raises(BadFileError):
            read(FORTIOS.id, {NAME: f"{header}\n\n{''.join(order)}"})


def test_its_reader_wants_no_policy_and_no_object_too_many() -> None:
    text = text_of(MODERN)
    policy = text[text.rindex("    edit 0\n") : text.rindex("end\n")]
    address = '    edit "more"\n        set subnet 10.9.0.0 255.255.255.0\n    next\n'
    for more in (
        text.replace(policy, policy + policy),
        text.replace(policy, policy + policy.replace("-3-in", "-4-in")),
        text.replace("config firewall address\n", f"config firewall address\n{address}"),
    ):
        assert more != text
        with pytest.raises(BadFileError):
            read(FORTIOS.id, {NAME: more})


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("Golden-Key_73519", '"Golden-Key_73519"'),
        ("a!b%c&d*e+f,g-h.i/j:k;l=m@n[o]p^q_r{s|t}u~v", '"a!b%c&d*e+f,g-h.i/j:k;l=m@n[o]p^q_r{s|t}u~v"'),
        ("x" * 128, f'"{"x" * 128}"'),
        ("0xdeadbeef", "0x30786465616462656566"),
        ("0XDEADBEEF", "0x30584445414442454546"),
        ("00xdeadbeef", "0x3030786465616462656566"),
        ("ENCabcdefgh", "0x454e436162636465666768"),
        ('quo"te\\back', "0x71756f2274655c6261636b"),
        ("what?#$USERNAME", "0x776861743f2324555345524e414d45"),
        ("it's<(me)>`", "0x697427733c286d65293e60"),
    ],
)  # fmt: skip
def test_it_writes_a_key_that_fortios_reads_as_it_is(key: str, line: str) -> None:
    spec = a_tunnel_spec(psk=Secret(key))
    assert f"set psksecret {line}" in settings_of(spec)
    assert understood(spec).psk == key


def test_it_refuses_a_key_that_is_too_long_in_hexadecimal() -> None:
    assert understood(a_tunnel_spec(psk=Secret("?" * 63))).psk == "?" * 63
    [finding] = refused(a_tunnel_spec(psk=Secret("?" * 64)))
    assert (finding.rule, finding.field) == ("device-cannot", "basic.psk")
    assert "at most 63 characters" in finding.message
    assert "?" not in finding.message


def test_it_checks_a_name_of_the_gateway_and_sends_its_own() -> None:
    spec = a_tunnel_spec(
        local=an_endpoint("gateway", "203.0.113.10", "gateway.example.net"),
        remote=an_endpoint("router", "198.51.100.2", "router.example.com"),
    )
    lines = settings_of(spec)
    assert 'set peerid "gateway.example.net"' in lines
    assert "set peertype one" in lines
    assert 'set localid "router.example.com"' in lines
    assert "set localid-type fqdn" in lines


def test_it_names_its_own_address_only_where_there_is_nat() -> None:
    assert 'set localid "198.51.100.2"' in settings_of(MODERN)
    assert not [line for line in settings_of(CASES["ipv6"]) if line.startswith("set localid")]
    named = an_endpoint("shanghai-router", "2001:db8:b::2", "router.example.com")
    assert 'set localid "router.example.com"' in settings_of(replace(CASES["ipv6"], remote=named))


def test_it_refuses_a_name_that_its_field_does_not_hold() -> None:
    longest = f"{'a' * 55}.example"
    fits = a_tunnel_spec(remote=an_endpoint("router", "198.51.100.2", longest))
    assert understood(fits).local_identity == longest
    [finding] = refused(replace(fits, remote=replace(fits.remote, identity=f"a{longest}")))
    assert finding.field == "ike.remote_fqdn"
    assert "at most 63 characters, and this one has 64" in finding.message
    # What it expects of the other side may be longer.
    other = a_tunnel_spec(local=an_endpoint("gateway", "203.0.113.10", f"a{longest}"))
    assert understood(other).remote_identity == f"a{longest}"


def test_it_speaks_ikev1_in_both_modes() -> None:
    ike = IkeSettings(version=IkeVersion.V1, encryption="aes-256")
    assert "set mode main" in settings_of(a_tunnel_spec(ike=ike))
    aggressive = settings_of(a_tunnel_spec(ike=replace(ike, mode=Mode.AGGRESSIVE)))
    assert "set mode aggressive" in aggressive
    assert not [line for line in settings_of(MODERN) if line.startswith("set mode")]
    named = an_endpoint("gateway", "203.0.113.10", "gateway.example.net")
    [finding] = refused(a_tunnel_spec(ike=ike, local=named))
    assert finding.field == "ike.local_fqdn"


def test_it_knows_the_gateway_by_its_address_alone_in_main_mode() -> None:
    ike = IkeSettings(version=IkeVersion.V1, encryption="aes-256")
    spec = a_tunnel_spec(ike=ike, local=an_endpoint("gateway", "203.0.113.10", "203.0.113.11"))
    [finding] = refused(spec)
    assert finding.field == "ike.local_fqdn"
    assert "by 203.0.113.10 alone, and not by 203.0.113.11" in finding.message
    aggressive = replace(spec, ike=replace(ike, mode=Mode.AGGRESSIVE))
    assert understood(aggressive).remote_identity == "203.0.113.11"


def test_it_begins_only_when_the_gateway_waits() -> None:
    for negotiation in Negotiation:
        spec = a_tunnel_spec(ike=IkeSettings(negotiation=negotiation))
        assert understood(spec).starts is (negotiation is Negotiation.PASSIVE)


def test_it_asks_three_times_within_the_agreed_time() -> None:
    lines = settings_of(a_tunnel_spec(ike=IkeSettings(dpd_timeout=47)))
    assert "set dpd-retryinterval 15" in lines
    off = settings_of(a_tunnel_spec(ike=IkeSettings(dpd_enabled=False)))
    assert [line for line in off if "dpd" in line] == ["set dpd disable"]


@pytest.mark.parametrize(
    ("spec", "field", "nearest"),
    [
        (a_tunnel_spec(ike=IkeSettings(dh_group="dh24")), "ike.dh_group", "DH14"),
        (a_tunnel_spec(ipsec=IpsecSettings(pfs="dh24")), "ipsec.pfs", "DH14"),
        (a_tunnel_spec(ike=IkeSettings(lifetime_seconds=604_800)), "ike.lifetime_seconds", "172800 s"),
        (a_tunnel_spec(ike=IkeSettings(lifetime_seconds=60)), "ike.lifetime_seconds", "120 s"),
        (a_tunnel_spec(ipsec=IpsecSettings(lifetime_kb=2_560)), "ipsec.lifetime_kb", "5120 KB"),
    ],
)  # fmt: skip
def test_it_names_the_nearest_that_it_can_do(spec: TunnelSpec, field: str, nearest: str) -> None:
    [finding] = refused(spec)
    assert finding.field == field
    assert nearest in finding.message


def test_it_swaps_the_sides() -> None:
    found = understood(MODERN)
    assert (found.local_address, found.remote_address) == ("198.51.100.2", "203.0.113.10")
    assert found.pairs == (
        ("192.168.0.0/24", "10.0.0.0/24"),
        ("192.168.1.0/25", "10.0.0.0/24"),
        ("192.168.2.0/24", "10.0.1.0/26"),
    )


def test_it_routes_each_range_once_and_nowhere_while_the_tunnel_is_down() -> None:
    lines = settings_of(MODERN)
    assert lines.count("set dst 10.0.0.0 255.255.255.0") == 2
    assert lines.count("set dst 10.0.1.0 255.255.255.192") == 2
    assert lines.count("set blackhole enable") == 2


def test_it_leaves_the_default_route_alone_and_says_so() -> None:
    spec = a_tunnel_spec(
        rules=(a_rule("0.0.0.0/0", "192.168.0.0/24"), a_rule("::/0", "2001:db8:2::/64"))
    )
    rendering = render_case(FORTIOS, spec)
    assert "config router" not in rendering.text.split("\n\n")[1]
    assert [warning.split(" is")[0] for warning in rendering.warnings] == [
        "No route to 0.0.0.0/0",
        "No route to ::/0",
    ]
    assert read(FORTIOS.id, {NAME: rendering.text}).pairs == (
        ("192.168.0.0/24", "0.0.0.0/0"),
        ("2001:db8:2::/64", "::/0"),
    )


def test_it_leaves_the_way_to_the_gateway_outside_of_the_tunnel() -> None:
    spec = a_tunnel_spec(rules=(a_rule("203.0.113.0/24", "192.168.0.0/24"),))
    rendering = render_case(FORTIOS, spec)
    assert rendering.warnings[0].startswith("No route to 203.0.113.0/24 is written")
    planted = rendering.text.replace(
        "config firewall policy",
        "config router static\n    edit 0\n        set dst 203.0.113.0 255.255.255.0\n"
        '        set device "vpnx-7k2m9q4z"\n        set comment "vpnx-7k2m9q4z"\n    next\nend\n'
        "config firewall policy",
    )
    assert read(FORTIOS.id, {NAME: rendering.text}).pairs == (("192.168.0.0/24", "203.0.113.0/24"),)
    with pytest.raises(BadFileError):
        read(FORTIOS.id, {NAME: planted})


def test_it_gives_the_tunnel_interface_the_address_of_the_health_check() -> None:
    lines = settings_of(replace(MODERN, health=a_health_check()))
    at = lines.index("config system interface")
    assert lines[at + 1 : at + 7] == [
        'edit "vpnx-7k2m9q4z"',
        "set ip 169.254.128.3 255.255.255.255",
        "set remote-ip 169.254.128.2 255.255.255.255",
        "set allowaccess ping",
        "next",
        "end",
    ]
    # That pair is of this device alone: no policy, but a phase 2 and a route.
    assert 'edit "vpnx-7k2m9q4z-4"' in lines
    assert "set dst 169.254.128.2 255.255.255.255" in lines
    assert 'set name "vpnx-7k2m9q4z-4-out"' not in lines


def test_it_does_the_same_with_ipv6() -> None:
    spec = replace(MODERN, health=a_health_check("fd00:1::1", "fd00:2::1"))
    lines = settings_of(spec)
    at = lines.index("config ipv6")
    assert lines[at + 1 : at + 4] == [
        "set ip6-address fd00:2::1/128",
        "set ip6-allowaccess ping",
        "end",
    ]
    assert ("fd00:2::1/128", "fd00:1::1/128") in (understood(spec).pairs or ())


def test_it_leaves_an_address_of_the_site_where_it_is() -> None:
    text = text_of(replace(MODERN, health=a_health_check("10.0.0.9", "192.168.0.9")))
    assert "config system interface\n" not in text
    assert "192.168.0.9 lies in a range of your site" in text.replace("\n#     ", " ")


def test_it_takes_answers_as_fortios_does() -> None:
    text = text_of(MODERN, {"outside": "port1.100", "inside": "Office LAN"})
    assert '        set interface "port1.100"\n' in text
    assert text.count('set srcintf "Office LAN"') == text.count('set dstintf "Office LAN"') == 3
    assert read(FORTIOS.id, {NAME: text}).pairs


@pytest.mark.parametrize("question", ["outside", "inside"])
@pytest.mark.parametrize(
    "answer",
    ['wan1"', "wan1\nnext", "wan1\\", "wan?", "$USERNAME", "a" * 36, "-", "wän1", "#", "'x'", "(x)", "<x>"],
)  # fmt: skip
def test_it_takes_no_other_answers(question: str, answer: str) -> None:
    with pytest.raises(RuleError) as caught:
        text_of(MODERN, {question: answer})
    [finding] = caught.value.findings
    assert (finding.rule, finding.field) == ("device-answer", question)


def test_an_interface_has_shorter_names_than_a_zone() -> None:
    with pytest.raises(RuleError):
        text_of(MODERN, {"outside": "a" * 16})
    assert f'"{"a" * 35}"' in text_of(MODERN, {"inside": "a" * 35})


@pytest.mark.parametrize("case", CASES)
def test_no_comment_means_anything_to_a_terminal(case: str) -> None:
    try:
        text = render_case(FORTIOS, CASES[case]).text
    except RuleError:
        pytest.skip("refused; the golden says why")
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert len(comments) > 20
    assert not set("?\"'\\$`\t") & set("".join(comments))


def test_it_tells_how_to_remove_every_object() -> None:
    spec = CASES["ipv6"]
    text = text_of(spec)
    removal = text[text.index("# Remove it:") : text.index("\n\n")]
    for line in settings_of(spec):
        if line.startswith("config "):
            assert line in removal
        elif line.startswith("edit ") and line != "edit 0":
            assert f"#   delete {line.split(chr(34))[1]}\n" in f"{removal}\n"
