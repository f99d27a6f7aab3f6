from __future__ import annotations

from dataclasses import replace

import pytest

from tests.compare.texts import (
    COMPATIBLE,
    IKEV1,
    NAMED,
    SAMPLES,
    answer,
    found,
    line_of,
    planted,
    refusal,
)
from tunnels.compare.reading import Severity
from tunnels.domain.proposals import Mode, Negotiation
from tunnels.domain.spec import TunnelSpec

V1 = SAMPLES["ios-ikev1.txt"].text
V2 = SAMPLES["ios-ikev2.txt"].text
EXTRA = "IKE proposals"
WRONG = "crypto isakmp key Wrong-Key_0000 address"

BARE = """\
crypto isakmp policy 1
 authentication pre-share
crypto isakmp key Golden-Key_73519 address 203.0.113.10
crypto ipsec transform-set T esp-aes esp-sha-hmac
crypto map M 1 ipsec-isakmp
 set peer 203.0.113.10
 set transform-set T
 match address 100
access-list 100 permit ip 192.168.0.0 0.0.0.255 10.0.0.0 0.0.0.255
"""


def names(text: str, spec: TunnelSpec = IKEV1) -> list[str]:
    """What differs, but for the policies that other tunnels need."""
    return [one.name for one in found(text, spec) if one.name != EXTRA]


def test_it_knows_what_ios_takes_when_nothing_is_said() -> None:
    """Command Reference: des, sha, group 1, 86400 s; 3600 s and 4608000 KB; no PFS; no DPD."""
    differences = {one.name: (one.theirs, one.where) for one in found(BARE, IKEV1)}
    assert differences["IKE encryption"] == ("DES", "default")
    assert differences["IKE integrity"] == ("SHA1", "default")
    assert differences["IKE DH group"] == ("DH1 (768-bit MODP)", "default")
    assert differences["Lifetime by volume"] == ("4,608,000 KB", "default")
    assert differences["PFS"] == ("none", "default")
    assert differences["Dead peer detection"] == ("off", "default")
    assert not {"IKE SA lifetime", "IPsec SA lifetime"} & set(differences)
    assert differences["IPsec encryption"] == ("AES-128", "line 4")


def test_it_takes_group_1_for_pfs_without_a_group() -> None:
    text, line = planted(V1, " set pfs group14", " set pfs")
    [pfs] = [one for one in found(text, IKEV1) if one.name == "PFS"]
    assert (pfs.theirs, pfs.lines) == ("DH1 (768-bit MODP)", (line,))


def test_it_looks_at_every_policy_and_says_which_are_not_needed() -> None:
    [more] = found(V1, IKEV1)
    assert (more.name, more.severity) == (EXTRA, Severity.HARMLESS)
    assert more.lines == (line_of(V1, " encr 3des"), line_of(V1, " encr aes 256"))
    none = V1.replace(" encr aes 256", " encr aes 192")
    [nearest] = found(none, IKEV1)
    assert (nearest.name, nearest.theirs) == ("IKE encryption", "AES-192")
    assert "Of its 2 proposals this is the nearest." in nearest.sentence


def test_it_takes_the_lifetime_of_the_policy_that_fits() -> None:
    text = V1.replace(" group 2\n", " group 2\n lifetime 3600\n").replace(
        " group 14\n", " group 14\n lifetime 28800\n"
    )
    [lifetime] = [one for one in found(text, IKEV1) if one.name != EXTRA]
    assert (lifetime.theirs, lifetime.lines) == ("28,800 s", (line_of(text, "lifetime 28800"),))


def test_it_passes_over_policies_with_certificates() -> None:
    text = V1.replace(
        " hash sha256\n authentication pre-share", " hash sha256\n authentication rsa-sig"
    )
    assert "IKE encryption" in names(text)
    none = text.replace(" encr 3des\n authentication pre-share", " encr 3des")
    assert names(none) == ["Authentication"]


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("   self-identity address", "   self-identity fqdn router.example.com", "Customer gateway identifier"),
        ("   self-identity address", "   self-identity user-fqdn a@example.com", "Customer gateway identifier"),
        ("   match identity address", "   match identity host gateway.example.net", "VPN gateway identifier"),
        ("   self-identity address", "   self-identity address\n   initiate mode aggressive", "Negotiation mode"),
        (" set transform-set STRONG", " set transform-set STRONG\n set security-association lifetime days 1",
         "IPsec SA lifetime"),
    ],
)  # fmt: skip
def test_it_reads_the_profile_and_the_entry(old: str, new: str, name: str) -> None:
    text, _ = planted(V1, old, new + "\n!")
    assert name in names(text)


def test_it_takes_the_address_of_the_interface_for_the_identity() -> None:
    assert names(V1.replace("   self-identity address\n", "")) == []
    text = V1.replace(
        " ip address 198.51.100.2 255.255.255.252", " ip address 192.0.2.50 255.255.255.252"
    )
    assert names(text) == ["Address of the device", "Customer gateway identifier"]
    assert names(V1.replace(" ip address 198.51.100.2 255.255.255.252", " ip address dhcp")) == []


def test_it_takes_the_address_that_the_map_names() -> None:
    text = V1.replace(
        "crypto map WAN 10", "crypto map WAN local-address Loopback9\ncrypto map WAN 10"
    )
    text += "\ninterface Loopback9\n ip address 192.0.2.51 255.255.255.255\n"
    [address, identity] = [one for one in found(text, IKEV1) if one.name != EXTRA]
    assert (address.theirs, identity.theirs) == ("192.0.2.51", "192.0.2.51")


def test_it_minds_the_mode_in_which_the_device_begins() -> None:
    aggressive = replace(IKEV1, ike=replace(IKEV1.ike, mode=Mode.AGGRESSIVE))
    [mode] = [one for one in found(V1, aggressive) if one.name != EXTRA]
    assert (mode.theirs, mode.severity) == ("begins in main mode", Severity.HARMLESS)
    waiting = replace(aggressive, ike=replace(aggressive.ike, negotiation=Negotiation.PASSIVE))
    [mode] = [one for one in found(V1, waiting) if one.name != EXTRA]
    assert mode.severity is Severity.BREAKS
    closed = V1.replace(
        "crypto isakmp keepalive", "crypto isakmp aggressive-mode disable\ncrypto isakmp keepalive"
    )
    [mode] = [one for one in found(closed, aggressive) if one.name != EXTRA]
    assert (mode.theirs, mode.severity) == ("main", Severity.BREAKS)


def test_it_reads_the_old_way_to_aggressive_mode() -> None:
    text = BARE.replace(
        "crypto map M 1",
        "crypto isakmp peer address 203.0.113.10\n set aggressive-mode password Golden-Key_73519\n"
        " set aggressive-mode client-endpoint fqdn router.example.com\ncrypto map M 1",
    ).replace("key Golden-Key_73519", "key Something-Else_1")
    spec = replace(IKEV1, remote=NAMED.remote, ike=replace(IKEV1.ike, mode=Mode.AGGRESSIVE))
    differing = {one.name for one in found(text, spec)}
    assert not {"Pre-shared key", "Customer gateway identifier", "Negotiation mode"} & differing


@pytest.mark.parametrize(
    ("keys", "compared", "same"),
    [
        ("crypto isakmp key Golden-Key_73519 address 203.0.113.10", True, True),
        ("crypto isakmp key 0 Golden-Key_73519 address 203.0.113.10 no-xauth", True, True),
        ("crypto isakmp key Golden-Key_73519 address 0.0.0.0 0.0.0.0", True, True),
        ("crypto isakmp key Golden-Key_73519 address 203.0.113.0 255.255.255.0", True, True),
        (f"{WRONG} 0.0.0.0 0.0.0.0\ncrypto isakmp key Golden-Key_73519 address 203.0.113.10", True, True),
        (f"{WRONG} 203.0.113.10\ncrypto isakmp key Golden-Key_73519 address 0.0.0.0 0.0.0.0", True, False),
        ("crypto isakmp key Golden-Key_73519 address 192.0.2.1", False, True),
        ("crypto isakmp key 6 AAcdeFGH_ijk address 203.0.113.10", False, True),
    ],
)  # fmt: skip
def test_it_takes_the_key_that_ios_takes(keys: str, compared: bool, same: bool) -> None:
    text = BARE.replace("crypto isakmp key Golden-Key_73519 address 203.0.113.10", keys)
    said = answer(text, IKEV1)
    assert said.key_compared is compared
    wrong = [one.severity for one in said.differences if one.name == "Pre-shared key"]
    assert (Severity.BREAKS in wrong) is not same
    assert (Severity.UNKNOWN in wrong) is (" 6 " in keys)


def test_it_reads_ikev2_keys_of_both_directions() -> None:
    text, line = planted(V2, "  pre-shared-key local", "  pre-shared-key local Wrong-Key_0000")
    text = text.replace("Wrong-Key_0000 Golden-Key_73519", "Wrong-Key_0000")
    [key] = found(text, NAMED)
    assert (key.name, key.lines) == ("Pre-shared key", (line,))
    inline = V2.replace(
        " authentication local pre-share\n keyring local KEYS\n dpd",
        " authentication local pre-share key Wrong-Key_0000\n dpd",
    )
    [key] = found(inline, NAMED)
    assert key.name == "Pre-shared key"


def test_it_says_that_a_type_6_key_cannot_be_compared() -> None:
    text = V2.replace(
        "  pre-shared-key local Golden-Key_73519\n  pre-shared-key remote Golden-Key_73519",
        "  pre-shared-key 6 XYZabc_def",
    )
    said = answer(text, NAMED)
    [key] = said.differences
    assert (key.severity, key.sentence) == (
        Severity.UNKNOWN,
        "The key could not be compared: it is encrypted (type 6 or 7).",
    )
    assert "XYZabc" not in repr(said)


@pytest.mark.parametrize(
    ("entry", "theirs"),
    [
        ("permit ip host 192.168.0.7 host 10.0.0.9", "192.168.0.7/32 ↔ 10.0.0.9/32"),
        ("permit ip any 10.0.0.0 0.0.0.255", "0.0.0.0/0 ↔ 10.0.0.0/24"),
        ("permit ip 192.168.0.0 0.0.0.255 any", "192.168.0.0/24 ↔ 0.0.0.0/0"),
        ("permit ip 10.0.0.0 0.0.0.255 192.168.0.0 0.0.0.255", "10.0.0.0/24 ↔ 192.168.0.0/24"),
        ("10 permit ip 192.168.0.0 0.0.0.255 10.0.0.0 0.0.255.255 log", "192.168.0.0/24 ↔ 10.0.0.0/16"),
        ("permit ip 192.168.0.0 0.0.255.0 10.0.0.0 0.0.0.255", "a wildcard mask with gaps ↔ 10.0.0.0/24"),
        (
            "permit tcp 192.168.0.0 0.0.0.255 10.0.0.0 0.0.0.255",
            "192.168.0.0/24 ↔ 10.0.0.0/24, one protocol or port only",
        ),
        ("permit udp 192.168.0.0 0.0.0.255 eq 53 10.0.0.0 0.0.0.255", None),
    ],
)  # fmt: skip
def test_it_reads_access_lists(entry: str, theirs: str | None) -> None:
    text, line = planted(V1, " permit ip 192.168.0.0 0.0.0.255 10.0.0.0", f" {entry}\n remark")
    differences = [one for one in found(text, IKEV1) if one.name != EXTRA]
    assert differences
    assert differences[0].lines == (line,)
    if theirs:
        assert [one.theirs for one in differences] == [theirs]


def test_it_reads_host_bits_in_an_access_list_as_ios_does() -> None:
    assert names(V1.replace("192.168.1.0 0.0.0.127", "192.168.1.99 0.0.0.127")) == []


def test_it_does_not_guess_object_groups() -> None:
    text, line = planted(
        V1,
        " permit ip 192.168.1.0 0.0.0.127",
        " permit ip object-group SITE 10.0.0.0 0.0.0.255\n remark",
    )
    unknown = [one for one in found(text, IKEV1) if one.severity is Severity.UNKNOWN]
    assert [(one.name, one.lines) for one in unknown] == [("Object group", (line,))]


def test_it_says_when_an_entry_takes_traffic_out() -> None:
    text = V1.replace(" remark pairs of the cloud", " deny ip host 192.168.0.9 any")
    [unknown] = [one for one in found(text, IKEV1) if one.severity is Severity.UNKNOWN]
    assert unknown.name == "Exception"
    assert names(V1.replace(" remark pairs of the cloud", " deny ip any any")) == []


@pytest.mark.parametrize(
    ("old", "name"),
    [
        (" match address CLOUD-BEIJING", "Mapping"),
        ("ip access-list extended CLOUD-BEIJING", "Access list"),
        ("crypto ipsec transform-set STRONG", "IPsec proposal"),
        (" set transform-set STRONG", "IPsec proposal"),
    ],
)
def test_it_says_what_is_missing(old: str, name: str) -> None:
    text, _ = planted(V1, old, "!")
    assert name in names(text)


def test_it_wants_the_profile_that_a_map_names() -> None:
    text, _ = planted(V2, "crypto ikev2 profile CLOUD", "crypto ikev2 profile ELSE")
    line = line_of(text, "set ikev2-profile CLOUD")
    assert refusal(text, NAMED).startswith(f"Line {line} names a profile that is not in this text.")


def test_it_takes_the_policy_of_its_own_address() -> None:
    text = V2.replace(" match address local 198.51.100.2\n", "").replace(
        "198.51.100.6\n proposal", "198.51.100.2\n proposal"
    )
    assert "IKE encryption" in {one.name for one in found(text, NAMED)}


def test_it_reads_several_entries_towards_one_peer() -> None:
    head = "crypto map WAN 100 ipsec-isakmp"
    body = V2.split(head)[1].split("!")[0]
    second = body.replace("match address 150", "match address 151")
    text = V2.replace(
        "!\ninterface Tunnel9", f"crypto map WAN 110 ipsec-isakmp{second}!\ninterface Tunnel9"
    )
    text = text.replace(
        "access-list 150 permit ip 192.168.2.0", "access-list 151 permit ip 192.168.2.0"
    )
    assert found(text, NAMED) == []


def test_it_reads_a_dynamic_map_by_the_identity_of_its_profile() -> None:
    text = V2.replace(
        "crypto map WAN 100 ipsec-isakmp",
        "crypto map WAN 65000 ipsec-isakmp dynamic ANY\ncrypto dynamic-map ANY 10",
    )
    text = text.replace(" set peer 203.0.113.10\n", "")
    differences = {one.name: one for one in found(text, NAMED)}
    assert differences["Address of the VPN gateway"].theirs == "any"
    assert differences["Address of the VPN gateway"].severity is Severity.HARMLESS


def test_it_says_that_a_route_based_tunnel_is_another_thing() -> None:
    text = V2.replace(" set peer 203.0.113.10", " set peer 192.0.2.1").replace(
        "tunnel destination 192.0.2.77", "tunnel destination 203.0.113.10"
    )
    sentence = refusal(text, NAMED)
    assert sentence.startswith(f"Line {line_of(text, 'interface Tunnel9')} is a tunnel interface")


def test_it_does_not_take_an_asa_for_ios() -> None:
    asa = "crypto ikev1 policy 10\n encryption aes-256\ntunnel-group 203.0.113.10 type ipsec-l2l\n"
    assert "Cisco ASA" in refusal(asa)


@pytest.mark.parametrize(
    ("written", "encryption"),
    [
        ("aes-cbc-256", "AES-256"),
        ("aes-cbc-128 aes-cbc-192", "AES-128 or AES-192"),
        ("3des", "3DES"),
        ("aes-gcm-128", "AES-128-GCM"),
    ],
)
def test_it_reads_ciphers_of_ikev2(written: str, encryption: str) -> None:
    text, _ = planted(V2, " encryption aes-gcm-256", f" encryption {written}\n!")
    assert encryption in {one.theirs for one in found(text, NAMED) if one.name == "IKE encryption"}


def test_it_takes_the_integrity_for_the_prf_when_none_is_said() -> None:
    spec = replace(
        NAMED,
        ike=replace(
            COMPATIBLE.ike, local_fqdn="gateway.example.net", remote_fqdn="router.example.com"
        ),
    )
    text = V2.replace(
        " encryption aes-gcm-256\n prf sha384\n group 19",
        " encryption aes-cbc-256\n integrity sha256\n group 14",
    )
    assert found(text, spec) == []
    assert [
        one.name
        for one in found(text.replace("sha256\n group", "sha256\n prf sha512\n group"), spec)
    ] == ["IKE PRF"]


def test_it_wants_a_crypto_map() -> None:
    assert "no crypto map with ipsec-isakmp" in refusal(
        "crypto isakmp policy 1\n", grammar="cisco-ios"
    )
