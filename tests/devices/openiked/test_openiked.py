from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import a_health_check, a_rule, a_tunnel_spec, an_endpoint
from tests.devices.cases import CASES, HOSTILE_PSK, render_case
from tests.devices.openiked.grammar import read
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
    Negotiation,
)
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

PLATFORM = PLATFORMS["openiked"]
BSD, LINUX = "OpenBSD 7.x", "portable 7.x on Linux"
# One pair of different ranges, names on both sides, and only what iked can do.
ONE_PAIR = a_tunnel_spec(
    local=an_endpoint("gateway-beijing", "203.0.113.10", "gateway.example.net"),
    remote=an_endpoint("shanghai-router", "198.51.100.2", "router.example.com"),
    rules=(a_rule("10.0.0.0/24", "192.168.0.0/25"),),
)


def rendered(spec: TunnelSpec, version: str = BSD) -> Rendering:
    return render_case(PLATFORM, spec, version=version)


def text_of(spec: TunnelSpec, version: str = BSD) -> str:
    [file] = rendered(spec, version).files
    return file.text


def understand(text: str) -> Understood:
    return read(PLATFORM.id, {"iked.conf": text})


def refused(spec: TunnelSpec, version: str = BSD) -> dict[str, str]:
    """Field → sentence."""
    with pytest.raises(RuleError) as caught:
        rendered(spec, version)
    return {finding.field: finding.message for finding in caught.value.findings}


def test_it_says_the_tunnel_from_the_other_side() -> None:
    policy = text_of(ONE_PAIR).split("\n# rule 1\n")[1]
    assert policy == (
        'ikev2 "vpnx-7k2m9q4z" passive tunnel esp \\\n'
        "\tfrom 192.168.0.0/25 to 10.0.0.0/24 \\\n"
        "\tlocal 198.51.100.2 peer 203.0.113.10 \\\n"
        "\tikesa enc aes-256-gcm prf hmac-sha2-384 group ecp256 \\\n"
        "\tchildsa enc aes-256-gcm group ecp256 noesn \\\n"
        '\tsrcid "router.example.com" dstid "gateway.example.net" \\\n'
        "\tikelifetime 86400 lifetime 3600 bytes 1843200K \\\n"
        '\tpsk "Golden-Key_73519"\n'
    )
    assert understand(text_of(ONE_PAIR)) == expected(ONE_PAIR, silent=frozenset())


@pytest.mark.parametrize("pfs", ["", "dh14"])
@pytest.mark.parametrize("encryption", [*crypto.ESP_ENCRYPTION])
def test_it_says_every_cipher_of_esp(encryption: str, pfs: str) -> None:
    spec = replace(ONE_PAIR, ipsec=IpsecSettings(encryption=encryption, pfs=pfs))
    assert understand(text_of(spec)) == expected(spec, silent=frozenset())


@pytest.mark.parametrize("encryption", ["aes-128-gcm", "aes-192", "3des"])
@pytest.mark.parametrize("integrity", [*crypto.INTEGRITY])
def test_it_says_every_hash_of_ike(encryption: str, integrity: str) -> None:
    spec = replace(ONE_PAIR, ike=IkeSettings(encryption=encryption, integrity=integrity))
    assert understand(text_of(spec)) == expected(spec, silent=frozenset())


def test_it_refuses_several_pairs_and_tells_why() -> None:
    """OpenIKED lets all pairs use one SA, and the VPN gateway has one for each."""
    for spec in (
        CASES["common-ikev2"],  # all combinations of both sides
        replace(CASES["common-ikev1-main"], ike=CASES["common-ikev2"].ike),
        replace(ONE_PAIR, health=a_health_check()),
    ):
        message = refused(spec)["spd.rules"]
        assert "only one of these 2 would carry traffic" in message
        assert "one rule with one wider range on each side" in message
    inside = replace(ONE_PAIR, health=a_health_check("10.0.0.2", "192.168.0.2"))
    assert understand(text_of(inside)).pairs == (("192.168.0.0/25", "10.0.0.0/24"),)


def test_it_speaks_ikev2_only() -> None:
    assert refused(CASES["common-ikev1-main"]) == {
        "ike.version": "OpenBSD OpenIKED does not speak IKEv1; choose IKEv2."
    }
    assert IkeVersion.V1 not in PLATFORM.abilities[BSD].ike


def test_it_refuses_what_iked_does_not_have() -> None:
    chacha = replace(ONE_PAIR, ike=IkeSettings(encryption="chacha20-poly1305"))
    assert "nearest that it has is AES-256-GCM" in refused(chacha)["ike.encryption"]
    subgroup = replace(ONE_PAIR, ike=IkeSettings(dh_group="dh24"))
    assert "nearest that it has is DH14" in refused(subgroup)["ike.dh_group"]
    des = replace(ONE_PAIR, ike=IkeSettings(encryption="des"))
    assert "nearest that it has is 3DES" in refused(des)["ike.encryption"]


def test_it_refuses_on_linux_what_would_be_dropped_or_cut_there() -> None:
    gcm = refused(ONE_PAIR, LINUX)
    assert "has no AES-256-GCM as ESP encryption" in gcm["ipsec.encryption"]
    sha = replace(ONE_PAIR, ipsec=IpsecSettings(encryption="aes-256", integrity="sha2-256"))
    assert "nearest that it has is SHA2-384" in refused(sha, LINUX)["ipsec.integrity"]
    spec = replace(ONE_PAIR, ipsec=IpsecSettings(encryption="aes-256", integrity="sha2-384"))
    assert understand(text_of(spec, LINUX)) == expected(spec, silent=frozenset())
    text = text_of(spec, LINUX)
    assert "iptables -t nat" in text
    assert "pf.conf" not in text
    assert "systemctl enable --now openiked" in text


@pytest.mark.parametrize(
    ("negotiation", "mode"),
    [
        (Negotiation.PASSIVE, "active"),
        (Negotiation.ACTIVE, "passive"),
        (Negotiation.ON_TRAFFIC, "passive"),
    ],
)
def test_it_begins_when_the_gateway_only_waits(negotiation: Negotiation, mode: str) -> None:
    spec = replace(ONE_PAIR, ike=IkeSettings(negotiation=negotiation))
    assert f'ikev2 "vpnx-7k2m9q4z" {mode} tunnel esp' in text_of(spec)


def test_it_asks_three_times_in_the_agreed_time() -> None:
    assert "\nset dpd_check_interval 15\n" in text_of(
        replace(ONE_PAIR, ike=IkeSettings(dpd_timeout=45))
    )
    off = replace(ONE_PAIR, ike=IkeSettings(dpd_enabled=False))
    # 0 would switch it off for all other peers as well.
    assert "\nset " not in text_of(off)
    assert understand(text_of(off)).dpd is False


def test_it_tells_what_openiked_does_differently() -> None:
    [dpd] = rendered(ONE_PAIR).warnings
    assert "one DPD interval for all peers, and no timeout" in dpd
    assert "(30 s was agreed)" in dpd
    [off] = rendered(replace(ONE_PAIR, ike=IkeSettings(dpd_enabled=False))).warnings
    assert off.startswith("DPD is off, but")
    traffic = IkeSettings(negotiation=Negotiation.ON_TRAFFIC)
    [_, waits] = rendered(replace(ONE_PAIR, ike=traffic)).warnings
    assert "cannot begin with the first packet" in waits
    clear = IkeSettings(negotiation=Negotiation.PASSIVE, dpd_action=DpdAction.CLEAR)
    [_, again] = rendered(replace(ONE_PAIR, ike=clear)).warnings
    assert "tries an active policy again every minute" in again


def test_it_opens_the_filter_for_the_family_inside() -> None:
    six = text_of(replace(ONE_PAIR, rules=(a_rule("2001:db8:1::/64", "2001:db8:f:2::/64"),)))
    assert "pass in on enc0 proto ipv6 from 203.0.113.10 to 198.51.100.2" in six
    assert "sysctl net.inet6.ip6.forwarding=1" in six
    assert "pass in on enc0 from 2001:db8:1::/64 to 2001:db8:f:2::/64" in six
    four = text_of(ONE_PAIR)
    assert "pass out on enc0 proto ipencap from 198.51.100.2 to 203.0.113.10" in four
    assert "sysctl net.inet.ip.forwarding=1" in four


@pytest.mark.parametrize(
    ("identity", "printed"),
    [("", "IPV4/203.0.113.10"), ("vpn.example.net", "FQDN/vpn.example.net")],
)
def test_it_removes_the_sa_by_the_name_that_iked_prints(identity: str, printed: str) -> None:
    spec = replace(ONE_PAIR, local=an_endpoint("gateway", "203.0.113.10", identity))
    assert f"#   ikectl reset id {printed}\n" in text_of(spec)
    assert "#   ikectl reset id IPV6/2001:db8:a::10\n" in text_of(CASES["common-ipv6"])


def test_no_comment_swallows_the_next_line() -> None:
    """A backslash at its end would join it, and a comment behind one would break the policy."""
    for version, spec in ((BSD, ONE_PAIR), (BSD, CASES["common-ipv6"])):
        lines = text_of(spec, version).splitlines()
        assert not [line for line in lines if line.startswith("#") and "\\" in line]
        joined = [line for line in lines if line.endswith("\\")]
        assert joined
        assert not [line for line in joined if "#" in line]


@pytest.mark.parametrize("key", ["Golden-Key_73519", "a'b#c$d{e}", "00xabcdef", "include!;@"])
def test_it_writes_a_key_between_quotes(key: str) -> None:
    text = text_of(replace(ONE_PAIR, psk=Secret(key)))
    assert text.endswith(f'psk "{key}"\n')
    assert understand(text).psk == key


@pytest.mark.parametrize("key", ["0xdeadbeef", "0XDEADBEEF", 'a"bcdefg', "trailing\\", HOSTILE_PSK])
def test_it_writes_a_key_in_hex_that_quotes_would_change(key: str) -> None:
    text = text_of(replace(ONE_PAIR, psk=Secret(key)))
    assert text.endswith(f"psk 0x{key.encode().hex()}\n")
    assert understand(text).psk == key


@pytest.mark.parametrize("name", ["a b", "a#b", 'a"', "a\\", "/CN=x", "a@b", "a\nset passive"])
def test_it_refuses_an_identity_that_iked_would_take_for_another(name: str) -> None:
    spec = replace(ONE_PAIR, remote=replace(ONE_PAIR.remote, identity=name))
    assert refused(spec).keys() == {"ike.remote_fqdn"}


PLANTED = {
    "an unknown keyword": ("srcid ", "sourceid "),
    "swapped keywords": ("ikesa enc aes-256-gcm prf hmac-sha2-384", "ikesa prf hmac-sha2-384 enc aes-256-gcm"),
    "a missing line": ("\tlocal 198.51.100.2 peer 203.0.113.10 \\\n", ""),
    "a line that is not joined": ("203.0.113.10 \\\n", "203.0.113.10\n"),
    "a comment behind a backslash": ("203.0.113.10 \\\n", "203.0.113.10 \\ # so\n"),
    "a comment inside the policy": ("\tikesa", "# so\n\tikesa"),
    "a comment that joins the policy": ("\n# rule 1\n", "\n# rule 1 \\\n"),
    "an unknown cipher": ("enc aes-256-gcm prf", "enc aes-999 prf"),
    "a PRF that is missing": ("prf hmac-sha2-384 ", ""),
    "an AEAD with integrity": ("childsa enc aes-256-gcm", "childsa enc aes-256-gcm auth hmac-sha1"),
    "a group by another name": ("group ecp256 noesn", "group dh19 noesn"),
    "extended sequence numbers": (" noesn", " esn"),
    "ChaCha20 for IKE": ("ikesa enc aes-256-gcm", "ikesa enc chacha20-poly1305"),
    "a range with host bits": ("from 192.168.0.0/25", "from 192.168.0.7/25"),
    "a range that is none": ("to 10.0.0.0/24", "to 10.0.0.0/33"),
    "two flows": ("to 10.0.0.0/24", "to 10.0.0.0/24 from 192.168.9.0/24 to 10.0.9.0/24"),
    "no address of the peer": ("peer 203.0.113.10", "peer any"),
    "an unquoted identity": ('dstid "gateway.example.net"', "dstid gateway.example.net"),
    "an identity of another kind": ('"router.example.com"', '"/CN=router.example.com"'),
    "a lifetime with a unit": ("ikelifetime 86400", "ikelifetime 24h"),
    "bytes without a unit": ("bytes 1843200K", "bytes 1843200"),
    "bytes in another unit": ("bytes 1843200K", "bytes 1843200M"),
    "a key without quotes": ('psk "Golden-Key_73519"', "psk Golden-Key_73519"),
    "a string without an end": ('psk "Golden-Key_73519"', 'psk "Golden-Key_73519'),
    "a string whose end is escaped": ('psk "Golden-Key_73519"', 'psk "Golden-Key_73519\\"'),
    "a key that is no hex": ('psk "Golden-Key_73519"', "psk 0xGolden"),
    "an interval with a unit": ("dpd_check_interval 10", "dpd_check_interval 10s"),
    "another setting of the daemon": ("\nset dpd", "\nset passive\nset dpd"),
    "transport mode": (" tunnel esp", " transport esp"),
    "a second policy": ('psk "Golden-Key_73519"\n', 'psk "Golden-Key_73519"\nikev2 "b" esp\n'),
    "an include": ("\n# rule 1\n", '\ninclude "/etc/x"\n'),
    "a macro": ("local 198.51.100.2", "local $me"),
    "a control character": ("passive", "passive\r"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_its_reader_catches_a_planted_mistake(planted: str) -> None:
    good = text_of(ONE_PAIR)
    assert understand(good).version == 2
    broken = good.replace(*PLANTED[planted])
    assert broken != good
    with pytest.raises(BadFileError):
        understand(broken)


def test_its_reader_reads_strings_as_iked_does() -> None:
    """`yylex`: a backslash escapes a quote; before anything else it stands for itself."""
    good = text_of(ONE_PAIR)
    for written, key in (('"a\\"b"', 'a"b'), ('"a\\\\b"', "a\\\\b"), ('"a\\\\\\"b"', 'a\\\\"b')):
        text = good.replace('psk "Golden-Key_73519"', f"psk {written}")
        assert understand(text).psk == key
