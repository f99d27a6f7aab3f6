from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES, HOSTILE_PSK, NOW, render_case
from tests.devices.strongswan_swanctl.settings import BadSettingsError, Section, read_settings
from tunnels.devices.base import render
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.proposals import DpdAction, IkeSettings, IkeVersion, IpsecSettings, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

SWANCTL = PLATFORMS["strongswan-swanctl"]
ID = "vpnx-7k2m9q4z"

visible_ascii = st.text("".join(map(chr, range(0x21, 0x7F))), min_size=6, max_size=126)
keys = st.builds(
    str.__add__, st.sampled_from(["", "0x", "0s", "0X", "0S", '"', "\\", "#", "}"]), visible_ascii
)
# Anything that a line can be broken, a string ended or a block opened with, and anything else.
hostile_text = st.one_of(
    st.text(max_size=60),
    st.text('"\\#{}=\n\r\t :,.*?%^$`\u2028\x85\x0b\x0cab', max_size=60),
)


def read(spec: TunnelSpec) -> Section:
    return read_settings(render_case(SWANCTL, spec).text)


def written(spec: TunnelSpec, console_version: str) -> str:
    return render(
        SWANCTL,
        spec,
        version="5.9+",
        redacted=False,
        now=NOW,
        console_version=console_version,
    ).text


def section(tree: Section, *path: str) -> Section:
    for name in path:
        child = tree[name]
        assert isinstance(child, dict)
        tree = child
    return tree


def connection_of(spec: TunnelSpec) -> Section:
    return section(read(spec), "connections", ID)


def decoded(value: object) -> str:
    """The bytes that swanctl makes of a secret."""
    assert isinstance(value, str)
    if value[:2] == "0x":
        return bytes.fromhex(value[2:]).decode()
    assert value[:2].lower() not in {"0x", "0s"}
    return value


def test_it_says_the_whole_tunnel_from_the_other_side() -> None:
    child = {
        "mode": "tunnel",
        "esp_proposals": "aes128-sha256-modp2048",
        "life_time": "3600s",
        "rekey_time": "3240s",
        "life_bytes": "2621440",
        "rekey_bytes": "2359296",
        "start_action": "trap",
        "dpd_action": "clear",
    }
    spec = a_tunnel_spec(
        remote=an_endpoint("router", "198.51.100.2", "router.example.com"),
        ipsec=IpsecSettings(encryption="aes-128", pfs="dh14", lifetime_kb=2_560),
        health=a_health_check(),
    )
    assert read(spec) == {
        "connections": {
            ID: {
                "version": "2",
                "mobike": "no",
                "local_addrs": "198.51.100.2",
                "remote_addrs": "203.0.113.10",
                "proposals": "aes256gcm16-prfsha384-ecp256",
                "rekey_time": "77760s",
                "over_time": "8640s",
                "dpd_delay": "10s",
                "fragmentation": "yes",
                "keyingtries": "0",
                "local": {"auth": "psk", "id": "fqdn:router.example.com"},
                "remote": {"auth": "psk", "id": "203.0.113.10"},
                "children": {
                    f"{ID}-1": {"local_ts": "192.168.0.0/24", "remote_ts": "10.0.0.0/24", **child},
                    f"{ID}-2": {"local_ts": "192.168.1.0/25", "remote_ts": "10.0.0.0/24", **child},
                    f"{ID}-3": {"local_ts": "192.168.2.0/24", "remote_ts": "10.0.1.0/26", **child},
                    f"{ID}-4": {
                        "local_ts": "169.254.128.3/32",
                        "remote_ts": "169.254.128.2/32",
                        **child,
                    },
                },
            }
        },
        "secrets": {
            f"ike-{ID}": {
                "id-local": "fqdn:router.example.com",
                "id-remote": "203.0.113.10",
                "secret": "Golden-Key_73519",
            }
        },
    }


@pytest.mark.parametrize("case", CASES)
def test_it_swaps_every_pair_of_every_golden(case: str) -> None:
    spec = CASES[case]
    children = section(connection_of(spec), "children")
    found = [
        (child["local_ts"], child["remote_ts"])
        for child in children.values()
        if isinstance(child, dict)
    ]
    assert found == [(str(mapping.remote), str(mapping.local)) for mapping in spec.mappings]


def test_it_speaks_ikev1() -> None:
    connection = connection_of(CASES["ikev1-main"])
    assert (connection["version"], connection["aggressive"]) == ("1", "no")
    assert (connection["dpd_delay"], connection["dpd_timeout"]) == ("15s", "45s")
    assert connection["proposals"] == "3des-sha1-modp1024"
    assert "mobike" not in connection
    assert connection_of(CASES["ikev1-aggressive-fqdn"])["aggressive"] == "yes"


@pytest.mark.parametrize(
    ("negotiation", "action", "expected"),
    [
        (Negotiation.PASSIVE, DpdAction.RESTART, ("start", "start", "restart")),
        (Negotiation.PASSIVE, DpdAction.CLEAR, ("start", "start", "clear")),
        (Negotiation.ACTIVE, DpdAction.RESTART, ("trap", None, "clear")),
        (Negotiation.ACTIVE, DpdAction.CLEAR, ("trap", None, "clear")),
        (Negotiation.ON_TRAFFIC, DpdAction.RESTART, ("trap", None, "clear")),
    ],
)
def test_it_begins_when_the_gateway_only_waits(
    negotiation: Negotiation, action: DpdAction, expected: tuple[str, str | None, str]
) -> None:
    spec = a_tunnel_spec(ike=IkeSettings(negotiation=negotiation, dpd_action=action))
    child = section(connection_of(spec), "children", f"{ID}-1")
    assert (child["start_action"], child.get("close_action"), child["dpd_action"]) == expected


def test_it_leaves_dpd_out_when_it_is_off() -> None:
    connection = connection_of(CASES["ikev1-aggressive-waiting"])
    assert not [key for key in connection if key.startswith("dpd")]
    assert "dpd_action" not in section(connection, "children", f"{ID}-1")


@given(st.integers(60, 604_800), st.integers(180, 604_800), st.integers(2_560, 4_294_967_295))
def test_it_renews_before_the_agreed_end(ike: int, ipsec: int, kilobytes: int) -> None:
    spec = a_tunnel_spec(
        ike=IkeSettings(lifetime_seconds=ike),
        ipsec=IpsecSettings(lifetime_seconds=ipsec, lifetime_kb=kilobytes),
    )
    connection = connection_of(spec)

    def number(of: Section, key: str) -> int:
        value = of[key]
        assert isinstance(value, str)
        return int(value.removesuffix("s"))

    assert number(connection, "rekey_time") + number(connection, "over_time") == ike
    assert 0 < number(connection, "rekey_time") < ike
    child = section(connection, "children", f"{ID}-1")
    assert number(child, "life_time") == ipsec
    assert 0.8 * ipsec < number(child, "rekey_time") < ipsec
    assert number(child, "life_bytes") == kilobytes * 1024
    assert 0.8 * kilobytes * 1024 < number(child, "rekey_bytes") < kilobytes * 1024


def test_it_warns_of_what_strongswan_does_differently() -> None:
    ikev1 = IkeSettings(version=IkeVersion.V1, encryption="aes-256")
    assert render_case(SWANCTL, a_tunnel_spec(ike=ikev1)).warnings == ()
    [timeout] = render_case(SWANCTL, a_tunnel_spec(ike=IkeSettings(dpd_timeout=40))).warnings
    assert timeout.startswith("With IKEv2, strongSwan knows no DPD timeout (40 s was agreed)")
    forgotten = replace(ikev1, negotiation=Negotiation.PASSIVE, dpd_action=DpdAction.CLEAR)
    rendering = render_case(SWANCTL, a_tunnel_spec(ike=forgotten))
    [waiting] = rendering.warnings
    assert waiting.startswith("The VPN gateway only waits")
    assert waiting.split(":")[0][:60] in rendering.text
    assert render_case(SWANCTL, a_tunnel_spec(ike=IkeSettings(dpd_enabled=False))).warnings == ()


def test_it_tells_how_the_health_check_is_answered() -> None:
    text = render_case(SWANCTL, CASES["health-check"]).text
    assert "ip addr add 169.254.128.3/32 dev lo" in text
    spec = a_tunnel_spec(
        rules=(a_rule("fd00:1::/64", "fd00:2::/64"),),
        health=a_health_check("fd00:1::1", "fd00:2::1"),
    )
    text = render_case(SWANCTL, spec).text
    assert "ip addr add fd00:2::1/128 dev lo" in text
    assert "ip6tables" in text
    assert "iptables -t" not in text.replace("ip6tables", "")
    assert "Health check" not in render_case(SWANCTL, a_tunnel_spec()).text


@pytest.mark.parametrize(
    "key",
    ["0xdeadbeef", "0Xdeadbeef", "0sU2VjcmV0", "0SU2VjcmV0", '0x"#}{=\\', "00xabcdef", HOSTILE_PSK],
)
def test_it_writes_a_key_that_swanctl_reads_as_it_is(key: str) -> None:
    secret = section(read(a_tunnel_spec(psk=Secret(key))), "secrets", f"ike-{ID}")["secret"]
    assert decoded(secret) == key


@given(keys)
def test_it_brings_every_key_through(key: str) -> None:
    secret = section(read(a_tunnel_spec(psk=Secret(key))), "secrets", f"ike-{ID}")["secret"]
    assert decoded(secret) == key


@given(
    name=hostile_text,
    device=hostile_text,
    gateway=hostile_text,
    console=hostile_text,
    tags=st.dictionaries(hostile_text, hostile_text, max_size=3),
)
def test_it_lets_no_name_out_of_its_comment(
    name: str, device: str, gateway: str, console: str, tags: dict[str, str]
) -> None:
    plain = a_tunnel_spec()
    expected = written(plain, "1")
    spec = replace(
        plain,
        name=name,
        tags=tags,
        remote=replace(plain.remote, name=device),
        local=replace(plain.local, name=gateway),
    )
    text = written(spec, console)
    assert read_settings(text) == read(plain)
    assert text.encode()
    assert len(text.splitlines()) == len(expected.splitlines())
    assert text.split("\nconnections {")[1] == expected.split("\nconnections {")[1]


@given(local=hostile_text.filter(bool), remote=hostile_text.filter(bool))
def test_it_lets_no_identity_out_of_its_string(local: str, remote: str) -> None:
    plain = a_tunnel_spec()
    spec = replace(
        plain,
        local=replace(plain.local, identity=local),
        remote=replace(plain.remote, identity=remote),
    )
    expected = connection_of(plain)
    expected["local"] = {"auth": "psk", "id": _as_identity(remote)}
    expected["remote"] = {"auth": "psk", "id": _as_identity(local)}
    found = read(spec)
    assert section(found, "connections", ID) == expected
    secret = section(found, "secrets", f"ike-{ID}")
    assert (secret["id-local"], secret["id-remote"]) == (_as_identity(remote), _as_identity(local))


@pytest.mark.parametrize(
    "text",
    [
        "a {",
        "}",
        "a = b }\n}",
        'a = "b',
        "a = \n",
        'a = "b" c\n',
        "a",
        "a\n= b",
        'a = "b\\\nc"\n',
        "a = b\na = c\n",
    ],
)
def test_its_reader_refuses_what_is_broken(text: str) -> None:
    with pytest.raises(BadSettingsError):
        read_settings(text)


def test_its_reader_reads_the_grammar() -> None:
    text = 'a { # comment }\n  b = "x\\"\\\\#}\\n" # more\n  c = d e=f{ # }\n\n}\n'
    assert read_settings(text) == {"a": {"b": 'x"\\#}\n', "c": "d e=f{"}}
    # A carriage return ends a comment, too: what follows it is read.
    assert read_settings("# a\rb = c\n") == {"b": "c"}


def _as_identity(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return f"fqdn:{text}"
