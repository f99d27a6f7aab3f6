"""Fortinet's schema notices what is planted: a check that cannot fail proves nothing."""

from __future__ import annotations

import pytest

from tests.vendors import fortios_schema

# Written by hand from the CLI reference.
SAMPLE = """\
# a comment
config vpn ipsec phase1-interface
    edit "office"
        set type static
        set interface "wan1"
        set ike-version 2
        set remote-gw 203.0.113.10
        set peertype any
        set proposal aes256-sha256
        set dhgrp 14
        set dpd on-idle
        set keylife 86400
        set psksecret "Sample \\"Psk\\" #01"
    next
end
config system interface
    edit "office"
        set ip 169.254.128.3 255.255.255.255
        set allowaccess ping https
        config ipv6
            set ip6-address 2001:db8::1/128
        end
    next
end
config firewall address
    edit "one"
        set subnet 192.168.10.0 255.255.255.0
    next
end
"""


@pytest.mark.parametrize("version", ["7.0", "7.4"])
def test_it_has_nothing_against_a_right_script(version: str) -> None:
    assert fortios_schema.complaints(SAMPLE, version=version) == []
    assert fortios_schema.settings(SAMPLE) == 14


@pytest.mark.parametrize(
    ("right", "planted", "complaint"),
    [
        ("vpn ipsec phase1-interface", "vpn ipsec phase1-tunnel", "line 2: no config vpn ipsec phase1-tunnel"),
        ("set interface", "set outside", "line 5: no option outside"),
        ("ike-version 2", "ike-version 3", "line 6: ike-version cannot be 3"),
        ("peertype any", "peertype all", "line 8: peertype cannot be all"),
        ("aes256-sha256", "aes256-sha257", "line 9: proposal cannot be aes256-sha257"),
        ("dhgrp 14", "dhgrp 24", "line 10: dhgrp cannot be 24"),
        ("dpd on-idle", "dpd always", "line 11: dpd cannot be always"),
        ("keylife 86400", "keylife 1d", "line 12: keylife is no number: 1d"),
        ("203.0.113.10", "203.0.113.10 255.255.255.255", "line 7: remote-gw has 2 values"),
        ("allowaccess ping", "allowaccess pong", "line 19: allowaccess cannot be pong"),
        ("config ipv6", "config ipv7", "line 20: no config ipv7"),
        ("ip6-address", "ip6-adress", "line 21: no option ip6-adress"),
        ("set subnet", "set network", "line 27: no option network"),
    ],
)  # fmt: skip
def test_it_catches(right: str, planted: str, complaint: str) -> None:
    assert SAMPLE.count(right) == 1
    assert fortios_schema.complaints(SAMPLE.replace(right, planted), version="7.4") == [complaint]


@pytest.mark.parametrize(
    "broken", ["end\n", "config a\nnext\n", "config a\n", "set a b\n", "exit\n", 'set a "b\n']
)
def test_it_refuses_what_is_no_script(broken: str) -> None:
    with pytest.raises(ValueError, match=r"line|end|quotation"):
        fortios_schema.complaints(broken, version="7.4")


def test_it_knows_versions() -> None:
    """HDLC interfaces ended with 7.6.3, and SCIM access began with 7.6.0."""
    script = 'config system interface\nedit "x"\nset type hdlc\nset allowaccess scim\nnext\nend\n'
    assert fortios_schema.complaints(script, version="7.4") == [
        "line 4: allowaccess cannot be scim"
    ]
    assert fortios_schema.complaints(script, version="7.6") == ["line 3: type cannot be hdlc"]
