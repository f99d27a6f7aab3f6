"""The collection of RouterOS notices what is planted: a check that cannot fail proves nothing."""

from __future__ import annotations

import pytest

from tests.vendors import routeros_api

# Written by hand from the manual.
SAMPLE = """\
# a comment
/ip ipsec profile add name="office" enc-algorithm=aes-256 hash-algorithm=sha256 dh-group=modp2048 lifetime=1d
/ip ipsec peer add name="office" profile="office" address=203.0.113.10/32 exchange-mode=ike2

/ip ipsec identity add peer="office" secret="a b\\"c\\\\d\\$e\\3Ff" my-id=fqdn:router.example.com
:if ([:len [/ip firewall nat find]] > 1) do={ :put "not ours to parse" }
/ipv6 firewall filter add chain=input protocol=ipsec-esp action=accept comment=""
"""


def test_it_has_nothing_against_a_right_script() -> None:
    assert routeros_api.complaints(SAMPLE, version="7.9") == []


def test_it_decodes_strings() -> None:
    commands = routeros_api.parse(SAMPLE)
    assert [command.menu[-1] for command in commands] == ["profile", "peer", "identity", "filter"]
    assert commands[2].fields["secret"] == 'a b"c\\d$e?f'
    assert commands[3].fields["comment"] == ""


@pytest.mark.parametrize(
    ("right", "planted", "complaint"),
    [
        ("/ip ipsec profile", "/ip ipsec profiles", "no menu /ip ipsec profiles"),
        ("/ip ipsec peer", "/ipv6 ipsec peer", "no menu /ipv6 ipsec peer"),
        ("exchange-mode", "exchange", "no exchange in /ip ipsec peer"),
        ("enc-algorithm=", "enc-algorithms=", "no enc-algorithms in /ip ipsec profile"),
        ("secret=", "preshared-key=", "no preshared-key in /ip ipsec identity"),
        ("protocol=", "proto=", "no proto in /ipv6 firewall filter"),
    ],
)
def test_it_catches(right: str, planted: str, complaint: str) -> None:
    assert SAMPLE.count(right) == 1
    planted_script = SAMPLE.replace(right, planted)
    assert routeros_api.complaints(planted_script, version="7.9") == [complaint]


@pytest.mark.parametrize(
    ("right", "planted"),
    [
        ('\\"c', '"c'),
        ("\\3F", "?"),
        ("\\3F", "\\3f"),
        ("\\$", "\\&"),
        ('name="office" enc', 'name="office enc'),
        ("/ip ipsec profile add", "/ip ipsec profile set"),
        ("lifetime=1d", "lifetime=1d lifetime=2d"),
        ("lifetime=1d", "lifetime"),
        ("/ip ipsec profile", "ip ipsec profile"),
    ],
)
def test_it_refuses_what_it_cannot_parse(right: str, planted: str) -> None:
    assert right in SAMPLE
    with pytest.raises(ValueError, match=r"line [25]"):
        routeros_api.parse(SAMPLE.replace(right, planted, 1))
