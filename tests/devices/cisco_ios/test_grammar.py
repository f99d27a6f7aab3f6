"""The reader of IOS catches what is planted: else it would prove nothing."""

from __future__ import annotations

import pytest

from tests.devices.cases import CASES
from tests.devices.cisco_files import file_of, must_catch
from tests.devices.cisco_ios.grammar import read
from tests.devices.understood import BadFileError, expected
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.spec import TunnelSpec

PLATFORM = PLATFORMS["cisco-ios"]
V1 = CASES["common-ikev1-main"]
AGGRESSIVE = CASES["common-ikev1-aggressive-fqdn"]
V2 = CASES["common-ikev2"]
MODERN = CASES["ikev2-modern"]
PROBED = CASES["common-health-check"]

PLANTED = {
    "a keyword that IOS does not know": (V2, "encryption aes-cbc-256", "encryption aes-256"),
    "a hash of the other IKE version": (V1, "hash sha", "hash sha1"),
    "a netmask for a wildcard": (V2, "permit ip 192.168.0.0 0.0.0.255", "permit ip 192.168.0.0 255.255.255.0"),
    "bits of a host in a range": (V2, "permit ip 192.168.0.0 0.0.0.255", "permit ip 192.168.0.7 0.0.0.255"),
    "sides swapped in the first pair": (
        V2,
        "permit ip 192.168.0.0 0.0.0.255 10.0.0.0 0.0.0.255",
        "permit ip 10.0.0.0 0.0.0.255 192.168.0.0 0.0.0.255",
    ),
    "NAT exempted for another range": (
        V2,
        "2 deny ip 192.168.1.0 0.0.0.127",
        "2 deny ip 192.168.1.128 0.0.0.127",
    ),
    "NAT exempted behind what is there": (V2, " 1 deny ip", " 1001 deny ip"),
    "no room in front of the NAT list": (V2, "resequence NAT 1000 10", "resequence NAT 10 10"),
    "a profile that is not there": (V2, "set ikev2-profile vpnx", "set ikev2-profile vpny"),
    "the profile of the other IKE version": (V2, "set ikev2-profile", "set isakmp-profile"),
    "a lifetime beyond the range": (V2, " lifetime 86400", " lifetime 86401"),
    "a volume below the range": (V2, "kilobytes 1843200", "kilobytes 2559"),
    "a PFS group without the word": (V2, "set pfs group14", "set pfs 14"),
    "a group that IOS does not have": (V2, " group 14\n", " group 31\n"),
    "a key without the type digit": (V2, "pre-shared-key 0 Golden", "pre-shared-key Golden"),
    "a key that asks for help": (V2, "Golden-Key_73519", "Golden?Key_73519"),
    "two keys": (AGGRESSIVE, "example.net key 0 Golden-Key_73519", "example.net key 0 Golden-Key_73518"),
    "no key for the name": (AGGRESSIVE, " pre-shared-key hostname gateway.example.net key 0 Golden-Key_73519\n", ""),
    "an identity as a name without the word": (AGGRESSIVE, "self-identity fqdn ", "self-identity "),
    "a comment behind a command": (V2, "set pfs group14", "set pfs group14 ! as agreed"),
    "a line too many": (V2, " mode tunnel\n", " mode tunnel\n mode transport\n"),
    "a line twice": (V2, " mode tunnel\n", " mode tunnel\n mode tunnel\n"),
    "a missing line": (V2, " authentication local pre-share\n", ""),
    "a mode that is not left": (V2, " mode tunnel\n exit\n", " mode tunnel\n"),
    "an exit too many": (V2, " mode tunnel\n exit\n", " mode tunnel\n exit\nexit\n"),
    "a hash beside GCM": (MODERN, "esp-gcm 256", "esp-gcm 256 esp-sha256-hmac"),
    "no hash beside CBC": (V2, "esp-aes 256 esp-sha256-hmac", "esp-aes 256"),
    "integrity beside GCM": (MODERN, " prf sha384", " integrity sha384"),
    "liveness faster than IOS": (V2, "dpd 10 4 periodic", "dpd 9 4 periodic"),
    "another peer in the map": (V2, "set peer 203.0.113.10", "set peer 203.0.113.11"),
    "the crypto map bound nowhere": (V2, "interface GigabitEthernet0/0/0\n crypto map VPN\n exit\n", ""),
    "an operation that never runs": (MODERN, "ip sla schedule 9001 life forever start-time now\n", ""),
    "a ping beside the pair": (MODERN, "icmp-echo 10.0.1.1 ", "icmp-echo 10.0.2.1 "),
    "a ping from an address that is not there": (PROBED, "source-ip 169.254.129.2", "source-ip 169.254.129.1"),
    "no end of the last line": (V2, " crypto map VPN\n exit\n", " crypto map VPN\n exit"),
}  # fmt: skip


def is_understood(text: str, spec: TunnelSpec) -> bool:
    """Whether the reader finds exactly the tunnel in the text."""
    return read("cisco-ios", {"file": text}) == expected(spec, silent=frozenset())


@pytest.mark.parametrize("planted", PLANTED)
def test_its_reader_catches(planted: str) -> None:
    must_catch(PLATFORM, PLANTED[planted], is_understood)


def test_its_reader_wants_things_in_their_order() -> None:
    blocks = file_of(PLATFORM, V2).split("!\n! ")
    last = next(block for block in blocks if block.startswith("The tunnel"))
    others = [block for block in blocks if block is not last]
    with pytest.raises(BadFileError, match="before it is there"):
        read("cisco-ios", {"file": "!\n! ".join([others[0], last, *others[1:]])})
