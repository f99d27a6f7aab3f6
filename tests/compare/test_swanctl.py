from __future__ import annotations

from dataclasses import replace

import pytest

from tests.compare.texts import (
    COMPATIBLE,
    IKEV1,
    KEY,
    MODERN,
    NAMED,
    SAMPLES,
    answer,
    found,
    line_of,
    planted,
    refusal,
)
from tunnels.compare.reading import Severity
from tunnels.domain.proposals import IkeVersion, Mode, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

TEXT = SAMPLES["swanctl.conf"].text

SMALL = """\
connections {
    a {
        remote_addrs = 203.0.113.10
        local { auth = psk }
        remote { auth = psk }
        children { a { local_ts = 192.168.0.0/24
                       remote_ts = 10.0.0.0/24 } }
    }
}
"""


def small(**changes: str) -> str:
    """The small file with settings in front of its first one."""
    lines = "".join(f"        {name} = {value}\n" for name, value in changes.items())
    return SMALL.replace("        remote_addrs", f"{lines}        remote_addrs", 1)


def said(name: str, text: str, spec: TunnelSpec) -> list[tuple[str, str, str]]:
    """(ours, theirs, where) of the differences of that name."""
    return [(one.ours, one.theirs, one.where) for one in found(text, spec) if one.name == name]


def test_it_knows_what_strongswan_takes_when_nothing_is_said() -> None:
    """swanctl.conf(5): rekey_time 4h and 10 % more, 1h and 10 % more, no limit by volume, no DPD."""
    differences = {one.name: (one.theirs, one.where) for one in found(SMALL, MODERN)}
    assert differences["IKE SA lifetime"] == ("15,840 s", "default")
    assert differences["IPsec SA lifetime"] == ("3,960 s", "default")
    assert differences["Lifetime by volume"] == ("no limit", "default")
    assert differences["Dead peer detection"] == ("off", "default")
    assert differences["IKE proposals"][1] == "default"
    assert "IKE version" not in differences
    assert not {"IKE encryption", "PFS", "IPsec encryption"} & set(differences)


@pytest.mark.parametrize(
    ("changes", "theirs"),
    [
        ({"rekey_time": "1d"}, "95,040 s"),
        ({"rekey_time": "24h", "over_time": "0s"}, None),
        ({"reauth_time": "80000", "over_time": "6400"}, None),
        ({"reauth_time": "10h", "rekey_time": "20h"}, "79,200 s"),
        ({"rekey_time": "0"}, "no limit"),
        ({"rekey_time": "1440 M", "over_time": "0"}, None),
    ],
)
def test_it_adds_up_the_lifetime_of_ike(changes: dict[str, str], theirs: str | None) -> None:
    values = [one[1] for one in said("IKE SA lifetime", small(**changes), MODERN)]
    assert values == ([theirs] if theirs else [])


@pytest.mark.parametrize(
    ("limit", "same"),
    [("1887436800", True), ("1800M", True), ("1843200K", True), ("1843200000", True), ("1843201000", False)],
)  # fmt: skip
def test_it_takes_either_meaning_of_a_kilobyte(limit: str, same: bool) -> None:
    text = TEXT.replace("life_bytes = 1887436800", f"life_bytes = {limit}")
    assert (found(text, COMPATIBLE) == []) is same


@pytest.mark.parametrize(
    ("proposal", "name"),
    [
        ("aes256-sha256-modp2048", None),
        ("AES256-SHA2_256-MODP2048", None),
        ("aes256-sha256-prfsha256-modp2048", None),
        ("3des-sha1-modp1024, aes256-sha256-modp2048", "IKE proposals"),
        ("aes128-aes256-sha256-modp2048-ecp256", "IKE proposals"),
        ("default", "IKE proposals"),
        ("aes256-sha256-dh14", "IKE proposal"),
        ("aes256gcm16-sha256-modp2048", "IKE encryption"),
        ("camellia256-sha256-modp2048", "IKE encryption"),
        ("aes256-sha256-x25519", "IKE DH group"),
    ],
)
def test_it_reads_proposals(proposal: str, name: str | None) -> None:
    text, _ = planted(TEXT, "    proposals = aes256", f"    proposals = {proposal} # aes256")
    names = {one.name for one in found(text, COMPATIBLE)}
    assert (name in names) is (name is not None)
    assert bool(names) is (name is not None)


def test_it_drops_the_integrity_beside_an_aead() -> None:
    """proposal.c: the PRF follows it, and it is removed then."""
    text = small(proposals="aes256gcm16-sha384-ecp256")
    assert not [one for one in found(text, MODERN) if one.name.startswith("IKE e")]
    assert said("IKE PRF", text.replace("sha384", "sha512"), MODERN)
    assert said("IKE integrity", text, MODERN) == []


def test_it_sends_the_first_of_each_kind_in_ikev1() -> None:
    text = TEXT.replace("version = 2\n    dpd", "version = 1\n    dpd_timeout = 30s\n    dpd")
    assert found(text, IKEV1) == []
    several = text.replace("    proposals = aes256-", "    proposals = aes128-aes256-")
    where = f"line {line_of(several, '    proposals')}"
    assert said("IKE encryption", several, IKEV1) == [("AES-256", "AES-128", where)]


def test_it_tells_optional_pfs_from_none() -> None:
    text = TEXT.replace(
        "esp_proposals = aes256-sha256-modp2048", "esp_proposals = aes256-sha256-none-modp2048"
    )
    assert [one.name for one in found(text, COMPATIBLE)] == ["IPsec proposals"]
    none = replace(COMPATIBLE, ipsec=replace(COMPATIBLE.ipsec, pfs=""))
    assert [one.name for one in found(text, none)] == ["IPsec proposals"]
    [pfs] = [one for one in found(TEXT, none) if one.name == "PFS"]
    assert (pfs.ours, pfs.theirs) == ("none", "DH14 (2048-bit MODP)")
    assert "renewed" in pfs.sentence


def test_it_refuses_a_device_that_insists_on_extended_sequence_numbers() -> None:
    text = TEXT.replace(
        "esp_proposals = aes256-sha256-modp2048", "esp_proposals = aes256-sha256-modp2048-esn"
    )
    [difference] = found(text, COMPATIBLE)
    assert difference.theirs == "extended sequence numbers"
    assert found(text.replace("-esn", "-esn-noesn"), COMPATIBLE) == []


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("gateway.example.net", True),
        ("@gateway.example.net", True),
        ("fqdn:gateway.example.net", True),
        ("GATEWAY.example.net", True),
        ("*.example.net", True),
        ("%any", True),
        ("@@gateway.example.net", False),
        ("keyid:gateway.example.net", False),
        ("other.example.net", False),
        ("203.0.113.10", False),
    ],
)
def test_it_knows_the_types_of_identities(value: str, fits: bool) -> None:
    text = TEXT.replace("id = 203.0.113.10     #", f"id = {value} #").replace(
        "id = 198.51.100.2\n        }", "id = router.example.com\n        }"
    )
    names = {
        one.name for one in found(text, replace(COMPATIBLE, local=NAMED.local, remote=NAMED.remote))
    }
    assert ("VPN gateway identifier" not in names) is fits
    assert "Customer gateway identifier" not in names


def test_it_takes_the_address_for_the_identity_when_none_is_said() -> None:
    bare = TEXT.replace("            id = 198.51.100.2\n        }", "        }")
    assert bare != TEXT
    assert found(bare, COMPATIBLE) == []
    [device, gateway] = found(bare, replace(COMPATIBLE, local=NAMED.local, remote=NAMED.remote))
    assert (device.name, device.ours) == ("Customer gateway identifier", "router.example.com")
    assert device.theirs == "198.51.100.2"
    assert "local_addrs" in bare.split("\n")[(device.line or 0) - 1]
    assert gateway.name == "VPN gateway identifier"


@pytest.mark.parametrize(
    ("written", "same"),
    [
        (f'"{KEY}"', True),
        (KEY, True),
        ("0x476f6c64656e2d4b65795f3733353139", True),
        ("0X476F6C64656E2D4B65795F3733353139", True),
        ("0sR29sZGVuLUtleV83MzUxOQ==", True),
        ('"0sR29sZGVuLUtleV83MzUxOQ=="', True),
        ("0sR29sZGVuLUtleV83MzUxOQ", True),
        (f'"{KEY} "', False),
        (f'"{KEY.lower()}"', False),
    ],
)
def test_it_decodes_keys_as_swanctl_does(written: str, same: bool) -> None:
    text = TEXT.replace(f'"{KEY}"', written)
    names = [one.name for one in found(text, COMPATIBLE)]
    assert names == ([] if same else ["Pre-shared key"])


@pytest.mark.parametrize("broken", ["0xzz", "0s%%%%", "0x123"])
def test_it_says_when_a_key_cannot_be_decoded(broken: str) -> None:
    [difference] = found(TEXT.replace(f'"{KEY}"', broken), COMPATIBLE)
    assert difference.severity is Severity.UNKNOWN
    assert "is not valid" in difference.sentence


def test_it_compares_keys_that_look_encoded_as_what_they_become() -> None:
    spec = replace(COMPATIBLE, psk=Secret("0xGolden-Key"))
    assert [one.name for one in found(TEXT.replace(f'"{KEY}"', '"0xGolden-Key"'), spec)] == [
        "Pre-shared key"
    ]
    assert found(TEXT.replace(f'"{KEY}"', f"0x{b'0xGolden-Key'.hex()}"), spec) == []


def test_it_takes_the_key_that_charon_takes() -> None:
    """The one whose owners fit best, not the first one of the file."""
    for_all = TEXT.replace(
        "secrets {", 'secrets {\n    ike-all {\n        secret = "For-Everybody_1"\n    }'
    )
    assert found(for_all, COMPATIBLE) == []
    without = for_all.replace("id-2 = 203.0.113.10", "id-2 = 192.0.2.1")
    without = without.replace("id-1 = 198.51.100.2", "id-1 = 192.0.2.2")
    assert [one.lines for one in found(without, COMPATIBLE)] == [
        (line_of(without, "For-Everybody"),)
    ]


def test_it_says_that_there_is_no_key() -> None:
    said_ = answer(TEXT.split("secrets {")[0], COMPATIBLE)
    assert not said_.key_compared
    assert "no pre-shared key for this connection" in said_.notes[0]
    assert said_.headline.endswith("provided that their keys are equal.")


def test_it_reads_lists_of_ranges_as_all_their_combinations() -> None:
    merged = SMALL.replace("192.168.0.0/24", "192.168.0.0/24, 192.168.1.0/25")
    names = [
        (one.theirs, one.severity) for one in found(merged, COMPATIBLE) if one.name == "Mapping"
    ]
    assert names == [("missing", Severity.BREAKS), ("2 × 1 ranges in one SA", Severity.HARMLESS)]
    wide = merged.replace("10.0.0.0/24", "10.0.0.0/24,10.0.1.0/26")
    mappings = {one.theirs: one for one in found(wide, COMPATIBLE) if one.name == "Mapping"}
    assert mappings["2 × 2 ranges in one SA"].severity is Severity.BREAKS
    assert "192.168.0.0/24 ↔ 10.0.1.0/26" in mappings


def test_it_cuts_host_bits_as_charon_does() -> None:
    assert found(TEXT.replace("192.168.1.0/25", "192.168.1.77/25"), COMPATIBLE) == []


@pytest.mark.parametrize(
    ("range_", "theirs"),
    [
        ("10.0.0.0/24[tcp/80]", "a part of 10.0.0.0/24 only (protocol or port)"),
        ("dynamic", "203.0.113.10"),
        ("10.0.0.0-10.0.0.254", "10.0.0.0-10.0.0.254"),
    ],
)
def test_it_names_ranges_that_are_none(range_: str, theirs: str) -> None:
    text = SMALL.replace("10.0.0.0/24", range_)
    assert any(theirs in one.theirs for one in found(text, COMPATIBLE) if one.name == "Mapping")


def test_it_reads_a_range_of_addresses_that_is_a_block() -> None:
    assert found(TEXT.replace("192.168.1.0/25", "192.168.1.0-192.168.1.127"), COMPATIBLE) == []


def test_it_knows_modes_of_ikev1() -> None:
    aggressive = replace(IKEV1, ike=replace(IKEV1.ike, mode=Mode.AGGRESSIVE))
    text = TEXT.replace(
        "version = 2\n    dpd", "version = 1\n    aggressive = yes\n    dpd_timeout = 30\n    dpd"
    )
    assert found(text, aggressive) == []
    assert [(one.name, one.theirs) for one in found(text, IKEV1)] == [
        ("Negotiation mode", "aggressive")
    ]


def test_it_minds_who_begins_when_both_versions_are_spoken() -> None:
    text = small(proposals="aes256-sha256-modp2048")
    [answers] = [one for one in found(text, IKEV1) if one.name == "IKE version"]
    assert (answers.severity, answers.theirs) == (
        Severity.HARMLESS,
        "IKEv1 or IKEv2, beginning with IKEv2",
    )
    waiting = replace(IKEV1, ike=replace(IKEV1.ike, negotiation=Negotiation.PASSIVE))
    [begins] = [one for one in found(text, waiting) if one.name == "IKE version"]
    assert begins.severity is Severity.BREAKS
    assert IKEV1.ike.version is IkeVersion.V1


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("auth = psk\n            id = 198", "auth = pubkey\n            id = 198", "Authentication"),
        ("auth = psk\n            id = 203", "id = 203", "Authentication"),
        ("local_ts = 192.168.2.0/24", "mode = transport\n local_ts = 192.168.2.0/24", "Encapsulation"),
        ("local_ts = 192.168.2.0/24", "ah_proposals = sha256\n local_ts = 192.168.2.0/24", "IPsec protocol"),
        ("local_addrs = 198.51.100.2\n    children", "local_addrs = 192.0.2.9\n    children", "Address of the device"),
    ],
)  # fmt: skip
def test_it_sees_what_else_stops_the_negotiation(old: str, new: str, name: str) -> None:
    assert TEXT.count(old) == 1
    [difference] = found(TEXT.replace(old, new), COMPATIBLE)
    assert (difference.name, difference.severity) == (name, Severity.BREAKS)


def test_it_takes_a_device_behind_nat_as_it_is() -> None:
    text = TEXT.replace(
        "    local_addrs = 198.51.100.2\n    children",
        "    local_addrs = 192.168.9.2\n    children",
    )
    [difference] = found(text, COMPATIBLE)
    assert difference.severity is Severity.HARMLESS
    assert "NAT" in difference.sentence


def test_it_says_which_section_is_not_there() -> None:
    text, line = planted(
        TEXT, "    cloud-beijing : site-defaults {", "    cloud-beijing : no.such {"
    )
    unknown = [one for one in found(text, COMPATIBLE) if one.severity is Severity.UNKNOWN]
    assert [(one.name, one.lines) for one in unknown] == [("Reference", (line,))]


def test_it_survives_references_in_a_circle() -> None:
    text = TEXT.replace(
        "site-defaults {\n    version", "site-defaults : child-defaults {\n    version"
    ).replace("child-defaults {\n    esp", "child-defaults : site-defaults {\n    esp")
    assert answer(text, COMPATIBLE).connection == "cloud-beijing"


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("connections {\n a {\n", 2),
        ("connections {\n}\n}", 3),
        ("a = b\nc\n", 2),
        ('connections {\n a {\n  secret = "x\n y\n', 3),
        ("a = b\n: c", 2),
        ('a = b\n"c" = d', 2),
        ("a { b : {\n", 1),
        ("x {\n" * 40, 33),
    ],
)
def test_it_names_the_line_that_it_cannot_read(broken: str, line: int) -> None:
    assert f"Line {line} cannot be read" in refusal(broken, grammar="swanctl")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("version", "3"), ("rekey_time", "soon"), ("rekey_time", "5w"), ("over_time", "")],
)
def test_it_refuses_values_that_strongswan_refuses(setting: str, value: str) -> None:
    text = small(**{setting: value})
    assert refusal(text).startswith(f"Line {line_of(text, setting)} cannot be read")


def test_it_wants_a_connection() -> None:
    assert "no section “connections”" in refusal("secrets {\n ike-1 {\n secret = abcdefgh\n }\n}\n")
