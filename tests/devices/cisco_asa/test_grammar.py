"""The reader of the ASA catches what is planted: else it would prove nothing."""

from __future__ import annotations

import pytest

from tests.devices.cases import CASES
from tests.devices.cisco_asa.grammar import SILENT, read
from tests.devices.cisco_files import file_of, must_catch
from tests.devices.understood import BadFileError, expected
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.spec import TunnelSpec

PLATFORM = PLATFORMS["cisco-asa"]
V1 = CASES["common-ikev1-main"]
V2 = CASES["common-ikev2"]
MODERN = CASES["ikev2-modern"]
SIX = CASES["common-ipv6"]

PLANTED = {
    "the spelling of the other place": (V2, "integrity sha-256", "integrity sha256"),
    "the spelling of ESP for IKE": (V2, " integrity sha256", " integrity sha-256"),
    "SHA-2 with IKEv1": (V1, " hash sha\n", " hash sha256\n"),
    "a cipher as IOS calls it": (V1, "encryption aes-256", "encryption aes 256"),
    "a group that IKEv1 does not have": (V1, " group 14\n", " group 19\n"),
    "no PRF": (V2, " prf sha256\n", ""),
    "another PRF": (V2, " prf sha256\n", " prf sha\n"),
    "integrity beside GCM": (MODERN, " integrity null\n", " integrity sha256\n"),
    "ESP integrity beside GCM": (MODERN, "protocol esp integrity null", "protocol esp integrity sha-256"),
    "a wildcard for a netmask": (V2, "subnet 192.168.0.0 255.255.255.0", "subnet 192.168.0.0 0.0.0.255"),
    "bits of a host in a range": (V2, "subnet 192.168.0.0 ", "subnet 192.168.0.7 "),
    "bits of a host in an IPv6 range": (SIX, "2001:db8:1::/64", "2001:db8:1::7/64"),
    "sides swapped in the first pair": (
        V2,
        "permit ip object vpnx-7k2m9q4z-1-local object vpnx-7k2m9q4z-1-remote",
        "permit ip object vpnx-7k2m9q4z-1-remote object vpnx-7k2m9q4z-1-local",
    ),
    "a pair that is not exempted": (V2, "nat (inside,outside) 1 source static vpnx-7k2m9q4z-2", "! nat "),
    "NAT that translates": (V2, "-7k2m9q4z-1-local destination", "-7k2m9q4z-2-local destination"),
    "NAT behind all other rules": (V2, "(inside,outside) 1 source", "(inside,outside) after-auto source"),
    "an object that is not there": (V2, "network vpnx-7k2m9q4z-2-remote", "network vpnx-7k2m9q4z-3-remote"),
    "a group named after something else": (V2, "tunnel-group 203.0.113.10 type", "tunnel-group vpnx type"),
    "another peer in the map": (V2, "set peer 203.0.113.10", "set peer 203.0.113.11"),
    "two peers": (V2, "set peer 203.0.113.10", "set peer 203.0.113.10 203.0.113.11"),
    "two keys": (V2, "remote-authentication pre-shared-key Golden", "remote-authentication pre-shared-key Silver"),
    "one key": (V2, " ikev2 local-authentication pre-shared-key Golden-Key_73519\n", ""),
    "the key of the other IKE version": (V2, " ikev2 remote-authentication pre", " ikev1 pre"),
    "a key that asks for help": (V2, "Golden-Key_73519", "Golden?Key_73519"),
    "the other IKE version enabled": (V2, "crypto ikev2 enable", "crypto ikev1 enable"),
    "IKE enabled elsewhere": (V2, "crypto ikev2 enable outside", "crypto ikev2 enable inside"),
    "the other protocol in the group policy": (V2, "vpn-tunnel-protocol ikev2", "vpn-tunnel-protocol ikev1"),
    "a tunnel that ends when idle": (V2, " vpn-idle-timeout none\n", ""),
    "a group policy that nobody uses": (V2, "default-group-policy vpnx-7k2m9q4z", "default-group-policy DfltGrpPolicy"),
    "retries slower than the ASA": (V2, "threshold 10 retry 5", "threshold 10 retry 11"),
    "a lifetime below the range": (V2, "lifetime seconds 86400", "lifetime seconds 119"),
    "a lifetime without its unit": (V2, " lifetime seconds 86400", " lifetime 86400"),
    "a setting of another entry": (V2, "outside_map 100 set pfs", "outside_map 101 set pfs"),
    "a setting twice": (V2, "set pfs group14\n", "set pfs group14\ncrypto map outside_map 100 set pfs group19\n"),
    "a setting that is missing": (V2, "crypto map outside_map 100 match address vpnx-7k2m9q4z\n", ""),
    "another map bound": (V2, "crypto map outside_map interface", "crypto map inside_map interface"),
    "a map bound nowhere": (V2, "crypto map outside_map interface outside\n", ""),
    "a comment behind a command": (V2, "set pfs group14", "set pfs group14 ! as agreed"),
    "a line too many": (V2, " tcpmss 1300\n", " tcpmss 1300\nno sysopt connection permit-vpn\n"),
    "no limit of segments": (V2, "sysopt connection tcpmss 1300\n", ""),
    "a mode that is not left": (V2, " lifetime seconds 86400\n exit\n", " lifetime seconds 86400\n"),
    "no end of the last line": (V2, "_map interface outside\n", "_map interface outside"),
}  # fmt: skip


def is_understood(text: str, spec: TunnelSpec) -> bool:
    """Whether the reader finds exactly the tunnel in the text."""
    return read("cisco-asa", {"file": text}) == expected(spec, silent=SILENT)


@pytest.mark.parametrize("planted", PLANTED)
def test_its_reader_catches(planted: str) -> None:
    must_catch(PLATFORM, PLANTED[planted], is_understood)


def test_its_reader_wants_things_in_their_order() -> None:
    blocks = file_of(PLATFORM, V2).split("!\n! ")
    last = next(block for block in blocks if block.startswith("The tunnel"))
    others = [block for block in blocks if block is not last]
    with pytest.raises(BadFileError, match="no access list"):
        read("cisco-asa", {"file": "!\n! ".join([others[0], last, *others[1:]])})
