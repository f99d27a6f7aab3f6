from __future__ import annotations

from dataclasses import replace

import pytest

from tests.compare.texts import (
    COMPATIBLE,
    IKEV1,
    MODERN,
    SAMPLES,
    answer,
    found,
    line_of,
    planted,
    refusal,
)
from tunnels.compare.reading import Severity
from tunnels.domain.proposals import Mode
from tunnels.domain.secret import Secret

TEXT = SAMPLES["ipsec.conf"].text

SMALL = """\
conn a
    authby=secret
    right=203.0.113.10
    leftsubnet=192.168.0.0/24
    rightsubnet=10.0.0.0/24
    auto=add
"""


def test_it_knows_what_strongswan_takes_when_nothing_is_said() -> None:
    """confread.c: ikelifetime 3h, lifetime 1h, no limit by volume, dpdaction none."""
    differences = {one.name: (one.theirs, one.where) for one in found(SMALL, MODERN)}
    assert differences["IKE SA lifetime"] == ("10,800 s", "default")
    assert differences["Lifetime by volume"] == ("no limit", "default")
    assert differences["Dead peer detection"] == ("off", "default")
    assert "IPsec SA lifetime" not in differences
    assert not {"IKE encryption", "PFS", "IPsec encryption", "IKE version"} & set(differences)


def test_it_takes_the_default_timeout_of_dpd_for_ikev1() -> None:
    """confread.c: dpdtimeout 150 s."""
    text = TEXT.replace("\tdpdtimeout=30s\n", "")
    assert [(one.theirs, one.where) for one in found(text, IKEV1)] == [("after 150 s", "default")]


def test_it_offers_the_defaults_as_well_without_an_exclamation_mark() -> None:
    text, line = planted(TEXT, "ike=aes256-sha256-modp2048!", "\tike=aes256-sha256-modp2048")
    [difference] = found(text, IKEV1)
    assert (difference.name, difference.severity) == ("IKE proposals", Severity.HARMLESS)
    assert difference.lines == (line,)
    modern = TEXT.replace("keyexchange=ikev1\n", "keyexchange=ikev2\n").replace(
        "ike=aes256-sha256-modp2048!", "ike=aes256-sha256-modp2048"
    )
    names = {one.name for one in found(modern, replace(COMPATIBLE, ike=MODERN.ike))}
    assert names == {"IKE proposals"}


def test_it_inherits_as_strongswan_does() -> None:
    """conf_parser.c: its own settings first, then the last also=, then earlier ones, then %default."""
    text = TEXT.replace(
        "conn beijing-base\n",
        "conn older\n\tikelifetime=1h\nconn newer\n\tikelifetime=2h\n\nconn beijing-base\n",
    )
    text = text.replace(
        "\talso=beijing-base\n", "\talso=beijing-base\n\talso=older\n\talso=newer\n"
    )
    [difference] = found(text, IKEV1)
    assert difference.theirs == "7,200 s"
    own = text.replace(
        "\tleft=198.51.100.2\n\tleftid", "\tikelifetime=3h\n\tleft=198.51.100.2\n\tleftid"
    )
    assert [one.theirs for one in found(own, IKEV1)] == ["7,200 s"]
    nearest = text.replace("\tauto=start\n\nconn", "\tikelifetime=4h\n\tauto=start\n\nconn")
    assert "14,400 s" in {one.theirs for one in found(nearest, IKEV1)}


def test_it_says_which_conn_is_not_there() -> None:
    text, line = planted(
        TEXT, "\trightsubnet=10.0.1.0/26", "\trightsubnet=10.0.1.0/26\n\talso=elsewhere"
    )
    [difference] = found(text, IKEV1)
    assert (difference.name, difference.severity) == ("also=", Severity.UNKNOWN)
    assert difference.lines == (line + 1,)


def test_it_survives_conns_that_inherit_from_each_other() -> None:
    text = TEXT.replace("conn beijing-base\n", "conn beijing-base\n\talso=beijing-1\n")
    assert answer(text, IKEV1).breaking == 0


def test_it_counts_only_conns_that_are_loaded() -> None:
    more = "conn beijing-4\n\talso=beijing-base\n\tleftsubnet=192.168.9.0/24\n\trightsubnet=10.0.9.0/24\n"
    text = TEXT.replace("# --- /etc", f"{more}\tauto=ignore\n\n# --- /etc")
    assert found(text, IKEV1) == []
    [extra] = found(text.replace("auto=ignore", "auto=route"), IKEV1)
    assert (extra.ours, extra.theirs) == ("missing", "192.168.9.0/24 ↔ 10.0.9.0/24")


def test_it_says_when_no_conn_is_loaded_at_all() -> None:
    text = TEXT.replace("auto=start", "auto=ignore")
    [difference] = found(text, IKEV1)
    assert (difference.name, difference.theirs) == ("Loading", "ignored")
    assert difference.severity is Severity.BREAKS
    one = TEXT.replace(
        "rightsubnet=10.0.1.0/26\n\talso=beijing-base\n\tauto=start",
        "rightsubnet=10.0.1.0/26\n\talso=beijing-base",
    )
    [missing] = found(one, IKEV1)
    assert (missing.name, missing.ours) == ("Mapping", "192.168.2.0/24 ↔ 10.0.1.0/26")


def test_it_swaps_the_ends_when_the_file_calls_the_gateway_left() -> None:
    swapped = TEXT.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")
    said = answer(swapped, IKEV1)
    assert said.differences == ()
    assert any("swaps" in note for note in said.notes)


@pytest.mark.parametrize("written", ["%any", "%defaultroute", ""])
def test_it_takes_any_address_of_the_device(written: str) -> None:
    text = TEXT.replace(
        "conn beijing-base\n\tleft=198.51.100.2\n", f"conn beijing-base\n\tleft={written}\n"
    )
    assert text != TEXT
    assert found(text, IKEV1) == []


def test_it_takes_only_one_pair_for_ikev1() -> None:
    text = TEXT.replace("leftsubnet=192.168.1.0/25", "leftsubnet=192.168.1.0/25,192.168.3.0/24")
    differences = {one.theirs: one.severity for one in found(text, IKEV1)}
    assert differences["2 × 1 ranges in one SA"] is Severity.BREAKS


def test_it_reads_aggressive_mode() -> None:
    text, _ = planted(TEXT, "ikelifetime=24h", "\tikelifetime=24h\n\taggressive=yes")
    assert [one.name for one in found(text, IKEV1)] == ["Negotiation mode"]
    aggressive = replace(IKEV1, ike=replace(IKEV1.ike, mode=Mode.AGGRESSIVE))
    assert found(text, aggressive) == []


@pytest.mark.parametrize(
    ("old", "new", "name", "severity"),
    [
        ("authby=secret", "authby=rsasig", "Authentication", Severity.BREAKS),
        (
            "lifebytes=1887436800",
            "lifebytes=1887436800\n\tleftauth=pubkey",
            "Authentication",
            Severity.BREAKS,
        ),
        (
            "lifebytes=1887436800",
            "lifebytes=1887436800\n\ttype=transport",
            "Encapsulation",
            Severity.BREAKS,
        ),
        (
            "lifebytes=1887436800",
            "lifebytes=1887436800\n\tah=sha256",
            "IPsec protocol",
            Severity.BREAKS,
        ),
        (
            "lifebytes=1887436800",
            "lifebytes=1887436800\n\tleftprotoport=tcp",
            "Mapping",
            Severity.BREAKS,
        ),
        ("dpdaction=restart", "dpdaction=none", "Dead peer detection", Severity.HARMLESS),
    ],
)
def test_it_sees_what_else_differs(old: str, new: str, name: str, severity: Severity) -> None:
    text, _ = planted(TEXT, old, f"\t{new}")
    assert {(one.name, one.severity) for one in found(text, IKEV1)} == {(name, severity)}


def test_it_says_that_pfs_follows_from_the_group() -> None:
    text, line = planted(TEXT, "esp=aes256-sha256-modp2048!", "\tesp=aes256-sha256!\n\tpfs=yes")
    said = answer(text, IKEV1)
    assert [one.name for one in said.differences] == ["PFS"]
    assert said.notes == (
        f"Line {line + 1}: pfs= has no effect in strongSwan. PFS is on when esp= ends with a group.",
    )


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ('198.51.100.2 203.0.113.10 : PSK "Golden-Key_73519"', True),
        ("203.0.113.10 : PSK 'Golden-Key_73519'", True),
        (": PSK Golden-Key_73519", True),
        (": PSK 0x476f6c64656e2d4b65795f3733353139", True),
        ('203.0.113.10 : PSK "0sR29sZGVuLUtleV83MzUxOQ=="', False),
        (': PSK "Golden-Key_73519 "', False),
    ],
)
def test_it_reads_secrets_as_stroke_does(line: str, same: bool) -> None:
    """stroke_cred.c: a quoted secret is taken as it is, even when it looks encoded."""
    text, _ = planted(TEXT, "198.51.100.2 203.0.113.10 : PSK", line)
    text = text.replace(line + " 0sR29sZGVuLUtleV83MzUxOQ==", line)
    assert [one.name for one in found(text, IKEV1)] == ([] if same else ["Pre-shared key"])


def test_it_takes_a_quoted_key_that_looks_encoded_as_it_is() -> None:
    text, _ = planted(TEXT, "0sR29sZGVuLUtleV83MzUxOQ==", ': PSK "0sLooks-Encoded"')
    assert (
        found(
            text.replace("203.0.113.10 : PSK : PSK", "203.0.113.10 : PSK"),
            replace(IKEV1, psk=Secret("0sLooks-Encoded")),
        )
        == []
    )


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("conn a\n\tleft 1.2.3.4\n", 2),
        ('conn a\n\tleftid="x\n', 2),
        ("left=1.2.3.4\n", 1),
        ("conn a\n\tright=1.2.3.4\n1.2.3.4: PSK abc\n", 3),
        (': PSK "abc\n', 1),
        ("conn\n\tleft=1.2.3.4\n", 1),
        ("hello\n", 1),
    ],
)
def test_it_names_the_line_that_it_cannot_read(broken: str, line: int) -> None:
    assert refusal(broken, grammar="ipsec-conf").startswith(f"Line {line} cannot be read")


def test_it_doubts_settings_at_the_margin() -> None:
    flat = "\n".join(line.strip() for line in TEXT.split("\n"))
    [difference] = found(flat, IKEV1)
    assert (difference.name, difference.severity) == ("Indentation", Severity.UNKNOWN)
    assert difference.lines == (line_of(flat, "uniqueids=no"),)


def test_it_does_not_take_libreswan_for_strongswan() -> None:
    text = (
        TEXT.replace("keyexchange=ikev1", "ikev2=no")
        .replace("modp2048!", "dh14")
        .replace("-dh14", ";dh14")
    )
    assert "Libreswan" in refusal(text, IKEV1)


def test_it_wants_a_conn() -> None:
    assert "no conn section" in refusal("config setup\n\tuniqueids=no\n\n# nothing\n")
