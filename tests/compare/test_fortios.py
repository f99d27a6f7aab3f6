from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import an_endpoint
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
from tunnels.domain.proposals import Mode

TEXT = SAMPLES["fortios.txt"].text

BARE = """\
config vpn ipsec phase1-interface
    edit "a"
        set proposal aes256-sha256
        set remote-gw 203.0.113.10
        set psksecret ENC abcdefgh
    next
end
config vpn ipsec phase2-interface
    edit "a"
        set phase1name "a"
        set proposal aes256-sha256
    next
end
"""


def phase1(settings: str) -> str:
    """The sample with more in its phase 1."""
    return TEXT.replace(
        "        set dpd-retryinterval 10", f"        set dpd-retryinterval 10\n{settings}"
    )


def phase2(old: str, new: str) -> str:
    """The sample with every phase 2 of it changed."""
    head, mark, rest = TEXT.partition('edit "beijing-1"')
    assert old in rest
    return head + mark + rest.replace(old, new)


def test_it_knows_what_fortios_takes_when_nothing_is_said() -> None:
    """CLI Reference: IKEv1 main, dhgrp 14, keylife 86400, keylifeseconds 43200, no limit by volume, 0.0.0.0/0."""
    differences = {(one.name, one.theirs, one.where) for one in found(BARE, IKEV1)}
    assert {
        ("Mapping", "0.0.0.0/0 ↔ 0.0.0.0/0", "line 9"),
        ("IPsec SA lifetime", "43,200 s", "default"),
        ("Lifetime by volume", "no limit", "default"),
    } <= differences
    assert {name for name, _, _ in differences} == {
        "Mapping",
        "IPsec SA lifetime",
        "Lifetime by volume",
        "Pre-shared key",
    }


def test_it_ignores_a_volume_that_does_not_count() -> None:
    """keylife-type is seconds unless said, and then keylifekbs means nothing."""
    text = TEXT.replace("        set keylife-type both\n", "")
    assert [(one.name, one.theirs) for one in found(text, MODERN)] == [
        ("Lifetime by volume", "no limit")
    ]
    kbs = TEXT.replace("set keylife-type both", "set keylife-type kbs").replace(
        "        set keylifekbs 1843200\n", ""
    )
    assert [one.theirs for one in found(kbs, MODERN)] == ["5,120 KB"]


def test_it_says_that_an_encrypted_key_cannot_be_compared() -> None:
    text, line = planted(TEXT, f"set psksecret {KEY}", "set psksecret ENC Zm9vYmFyYmF6")
    text = text.replace("Zm9vYmFyYmF6 ", "Zm9vYmFyYmF6")
    said = answer(text, MODERN)
    [key] = said.differences
    assert (key.severity, key.lines) == (Severity.UNKNOWN, (line,))
    assert key.sentence == "The key could not be compared: it is encrypted (ENC)."
    assert "Zm9v" not in repr(said)
    assert not said.key_compared
    masked = answer(text.replace("ENC Zm9vYmFyYmF6", "******"), MODERN)
    assert "masked" in masked.differences[0].sentence


@pytest.mark.parametrize(
    ("written", "same"),
    [
        (f'"{KEY}"', True),
        ("0x476f6c64656e2d4b65795f3733353139", True),
        ('"Golden-Key_73519 "', False),
        ('"Golden\\-Key_73519"', True),
    ],
)
def test_it_reads_keys(written: str, same: bool) -> None:
    text, _ = planted(TEXT, f"set psksecret {KEY}", f"set psksecret {written}")
    text = text.replace(f"set psksecret {written} {KEY}", f"set psksecret {written}")
    assert [one.name for one in found(text, MODERN)] == ([] if same else ["Pre-shared key"])


@pytest.mark.parametrize(
    ("settings", "theirs"),
    [
        ('set localid "router.example.com"', None),
        ('set localid "router.example.com"\n        set localid-type fqdn', None),
        (
            'set localid "router.example.com"\n        set localid-type keyid',
            "keyid router.example.com",
        ),
        ('set localid "198.51.100.2"', "198.51.100.2 (as a domain name)"),
        ('set localid "198.51.100.2"\n        set localid-type address', "198.51.100.2"),
        ("", "198.51.100.2"),
    ],
)
def test_it_knows_the_types_of_its_identity(settings: str, theirs: str | None) -> None:
    text = phase1(settings)
    spec = replace(MODERN, remote=NAMED.remote)
    assert [one.theirs for one in found(text, spec)] == ([theirs] if theirs else [])


def test_it_sends_an_address_as_a_domain_name_unless_told() -> None:
    [identity] = found(phase1("set localid 198.51.100.2"), MODERN)
    assert (identity.name, identity.theirs) == (
        "Customer gateway identifier",
        "198.51.100.2 (as a domain name)",
    )


def test_it_asks_any_peer_but_with_peertype_one() -> None:
    for kind in ("any", "peer", "dialup"):
        text = TEXT.replace("set peertype one", f"set peertype {kind}")
        assert found(text.replace('set peerid "203.0.113.10"', "set peerid x.com"), MODERN) == []


def test_it_reads_aggressive_mode() -> None:
    text = BARE.replace("set remote-gw", "set mode aggressive\n        set remote-gw")
    assert "Negotiation mode" in {one.name for one in found(text, IKEV1)}
    aggressive = replace(IKEV1, ike=replace(IKEV1.ike, mode=Mode.AGGRESSIVE))
    assert "Negotiation mode" not in {one.name for one in found(text, aggressive)}


def test_it_knows_pfs() -> None:
    [pfs] = found(phase2("set dhgrp 19", "set pfs disable"), MODERN)
    assert (pfs.name, pfs.theirs) == ("PFS", "none")
    assert len(pfs.lines) == 3
    [pfs] = found(phase2("        set dhgrp 19\n", ""), MODERN)
    assert (pfs.theirs, pfs.where) == ("DH14 (2048-bit MODP)", "default")


def test_it_takes_each_proposal_with_each_group() -> None:
    text = TEXT.replace(
        "aes256gcm-prfsha384", "aes128-sha1 aes256gcm-prfsha384 chacha20poly1305-prfsha256"
    )
    text = text.replace(
        "set dhgrp 19\n        set remote", "set dhgrp 14 19 21\n        set remote"
    )
    [more] = found(text, MODERN)
    assert (more.name, more.theirs) == ("IKE proposals", "9 combinations")


@pytest.mark.parametrize(
    ("proposal", "names"),
    [
        ("aes256-null", ["IPsec encryption"]),
        ("aria256-sha256", ["IPsec encryption", "IPsec integrity"]),
        ("aes256gcm", []),
        ("aes128gcm", ["IPsec encryption"]),
    ],
)
def test_it_reads_proposals_of_phase_2(proposal: str, names: list[str]) -> None:
    text = phase2("set proposal aes256gcm", f"set proposal {proposal}")
    assert [one.name for one in found(text, MODERN)] == names


def test_it_follows_groups_of_addresses() -> None:
    text = TEXT.replace('set src-name "office"', 'set src-name "both"').replace(
        "config vpn ipsec phase1-interface",
        'config firewall addrgrp\n    edit "both"\n        set member "office" "warehouse"\n    next\nend\n'
        "config vpn ipsec phase1-interface",
    )
    [difference] = found(text, MODERN)
    assert (difference.theirs, difference.severity) == ("2 × 1 ranges in one SA", Severity.HARMLESS)


def test_it_survives_groups_in_a_circle() -> None:
    text = TEXT.replace('set src-name "office"', 'set src-name "a"').replace(
        "config vpn ipsec phase1-interface",
        'config firewall addrgrp\nedit "a"\nset member "b"\nnext\nedit "b"\nset member "a"\nnext\nend\n'
        "config vpn ipsec phase1-interface",
    )
    assert "Mapping" in {one.name for one in found(text, MODERN)}


def test_it_says_which_address_is_not_there() -> None:
    text, _ = planted(TEXT, '    edit "office"', '    edit "renamed"')
    unknown = [one for one in found(text, MODERN) if one.severity is Severity.UNKNOWN]
    assert [(one.name, one.lines) for one in unknown] == [
        ("Address name", (line_of(text, 'set src-name "office"'),))
    ]


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("set ike-version 2", "set ike-version 2\nset authmethod signature", "Authentication"),
        ("set src-name \"warehouse\"", "set src-name \"warehouse\"\nset protocol 6", "Mapping"),
        ("set src-name \"warehouse\"", "set src-name warehouse\nset encapsulation transport-mode", "Encapsulation"),
        ("set ip 198.51.100.2", "set ip 192.0.2.9", "Address of the device"),
    ],
)  # fmt: skip
def test_it_sees_what_else_stops_the_negotiation(old: str, new: str, name: str) -> None:
    assert TEXT.count(old) == 1
    assert name in {
        one.name for one in found(TEXT.replace(old, new), MODERN) if one.severity is Severity.BREAKS
    }


def test_it_reads_what_full_configuration_prints() -> None:
    """All defaults in full, unset addresses included."""
    full = phase1(
        "set local-gw 0.0.0.0\nset localid ''\nset localid-type auto\nset keylife 86400\nset mode main\nset type static"
    )
    assert found(full, MODERN) == []


def test_it_reads_a_vdom() -> None:
    inside = "\n".join(f"    {line}" for line in TEXT.split("\n"))
    text = f"config vdom\nedit root\n{inside}\nnext\nend\n"
    assert found(text, MODERN) == []


def test_it_reads_ipv6() -> None:
    spec = replace(MODERN, local=an_endpoint("gateway-beijing", "2001:db8:a::10"))
    text = TEXT.replace(
        "set remote-gw 203.0.113.10", "set ip-version 6\n        set remote-gw6 2001:db8:a::10"
    )
    text = text.replace('set peerid "203.0.113.10"', 'set peerid "2001:db8:a::10"')
    assert found(text, spec) == []


def test_it_does_not_end_blocks_inside_a_string() -> None:
    """The sample has `end` and `#` in the text of a login page."""
    assert 'set buffer "<html>' in TEXT
    assert answer(TEXT, MODERN).connection == "beijing"


def test_it_reads_typed_commands_behind_a_prompt() -> None:
    lines = BARE.split("\n")
    typed = "\n".join(
        f"edge03 (phase1-interface) # {line.strip()}" if line.strip() else "" for line in lines
    )
    assert found(typed, COMPATIBLE) == found(BARE, COMPATIBLE)


def test_it_says_when_the_text_is_cut_off() -> None:
    cut = TEXT[: TEXT.index("config firewall policy")].rstrip().removesuffix("end")
    said = answer(cut, MODERN)
    assert said.differences == ()
    assert any(
        "may be cut off" in note and f"line {line_of(cut, 'phase2-interface')}" in note
        for note in said.notes
    )


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ('config a\nedit b\nset c "d\n', "Line 3 cannot be read: the string that begins here has no end."),
        ("config a\n" * 70, "Line 65 cannot be read: blocks are nested more than 64 deep."),
        ("config system global\nend\nhello\n", "Line 3 is the first that is no command of FortiOS."),
        ("config vpn ipsec phase1-interface\nend\n", "There is no config vpn ipsec phase1-interface with an edit"),
    ],
)  # fmt: skip
def test_it_names_the_line_that_it_cannot_read(broken: str, sentence: str) -> None:
    assert sentence in refusal(broken, grammar="fortios")


def test_it_refuses_values_that_fortios_refuses() -> None:
    text, line = planted(TEXT, "set ike-version 2", "set ike-version 3\n#")
    assert refusal(text, MODERN).startswith(f"Line {line} cannot be read")
