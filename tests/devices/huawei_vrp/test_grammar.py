"""Mistakes planted in a good file: each must be seen."""

from __future__ import annotations

import pytest

from tests.devices.cases import CASES
from tests.devices.huawei_vrp.grammar import SILENT, read
from tests.devices.huawei_vrp.test_huawei_vrp import IKEV1, NAMED, PROBED, ROUTER, V600, text_of
from tests.devices.understood import BadFileError, expected

FIREWALL_FILE = text_of()
FIREWALL_IKEV1 = text_of(V600, IKEV1)
FIREWALL_PROBED = text_of(V600, PROBED)
ROUTER_FILE = text_of(ROUTER, nat_acl="3000", next_hop="198.51.100.1")
ROUTER_NAMED = text_of(ROUTER, NAMED, ping_source="192.168.0.1")


def changed(text: str, old: str, new: str) -> dict[str, str]:
    """The file with the first `old` among the commands exchanged."""
    at = text.index("\nacl number")
    assert old in text[at:]
    return {"file": text[:at] + text[at:].replace(old, new, 1)}


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (FIREWALL_FILE, "encryption-algorithm aes-256\n dh", "encryption-algorithm aes-cbc-256\n dh"),
        (FIREWALL_FILE, " dh group14\n", " dh group 14\n"),
        (FIREWALL_FILE, " dh group14\n", " dh group14\n dh group5\n"),
        (FIREWALL_FILE, " prf hmac-sha2-256\n", " prf hmac-sha2-512\n"),
        (FIREWALL_FILE, " prf hmac-sha2-256\n", ""),
        (FIREWALL_FILE, " undo version 1\n", " undo version 2\n"),
        (FIREWALL_FILE, " undo version 1\n", ""),
        (FIREWALL_FILE, " version 2\n", " version 2\n exchange-mode main\n"),
        (FIREWALL_FILE, "pre-shared-key Golden", "pre-shared-key cipher Golden"),
        (FIREWALL_FILE, "Golden-Key_73519", 'Golden"Key'),
        (FIREWALL_FILE, "Golden-Key_73519", "Golden?Key"),
        (FIREWALL_FILE, "Golden-Key_73519", "%^%#Golden-Key%^%#"),
        (FIREWALL_FILE, "Golden-Key_73519", "Golden-Key_73519\n reboot"),
        (FIREWALL_FILE, "remote-id-type ip", "remote-id-type fqdn"),
        (FIREWALL_FILE, " local-id 198.51.100.2\n", ""),
        (FIREWALL_FILE, "dpd idle-time 10", "dpd idle-time 9"),
        (FIREWALL_FILE, " dpd retry-limit 3\n", ""),
        (FIREWALL_FILE, " dpd retry-limit 3\n", " dpd retry-limit 3\n dpd msg seq-hash-notify\n"),
        (FIREWALL_IKEV1, " dpd msg seq-hash-notify\n", ""),
        (FIREWALL_IKEV1, " exchange-mode main\n", ""),
        (FIREWALL_FILE, "0.0.0.127", "255.255.255.128"),
        (FIREWALL_FILE, "rule 10 permit", "rule 5 permit"),
        (FIREWALL_FILE, " rule 5 permit ip", " rule 5 deny ip"),
        (FIREWALL_FILE, "security acl 3100", "security acl 3101"),
        (FIREWALL_FILE, "ike-peer vpnx-7k2m9q4z", "ike-peer vpnx-00000000"),
        (FIREWALL_FILE, "\n proposal vpnx-7k2m9q4z", "\n proposal vpnx-00000000"),
        (FIREWALL_FILE, "ike-proposal 10", "ike-proposal 11"),
        (FIREWALL_FILE, "policy vpn-console 10 isakmp", "policy vpn-console 10001 isakmp"),
        (FIREWALL_FILE, "policy vpn-console 10 isakmp", "policy vpn-console-name-1 10 isakmp"),
        (FIREWALL_FILE, "traffic-based 1843200", "traffic-based 7999"),
        (FIREWALL_FILE, "time-based 3600", "time-based 479"),
        (FIREWALL_FILE, " transform esp\n", ""),
        (FIREWALL_FILE, " transform esp\n", " transform esp\n undo esp authentication-algorithm\n"),
        (FIREWALL_FILE, "remote-address 203.0.113.10", "remote-address 203.0.113.11"),
        (FIREWALL_FILE, " ipsec policy vpn-console\n", " ipsec policy other\n"),
        (FIREWALL_FILE, " quit\n#\nike proposal", "#\nike proposal"),
        (FIREWALL_FILE, "#\nike peer", "quit\n#\nike peer"),
        (FIREWALL_FILE, "\nfirewall tcp-mss 1300\n", "\n"),
        (FIREWALL_FILE, "tcp-mss 1300", "tcp-mss 1461"),
        (FIREWALL_FILE, "\nfirewall tcp-mss", "\nipsec authentication sha2 compatible enable\nfirewall tcp-mss"),
        (FIREWALL_FILE, "destination-zone local", "destination-zone trust"),
        (FIREWALL_FILE, "source-address 203.0.113.10 mask", "source-address 203.0.113.11 mask"),
        (FIREWALL_FILE, "  source-address 203.0.113.10 mask 255.255.255.255\n", ""),
        (FIREWALL_FILE, "source-address 10.0.0.0 mask 255.255.255.0", "source-address 10.0.0.0 mask 0.0.0.255"),
        (FIREWALL_FILE, "source-address 10.0.0.0 mask 255.255.255.0", "source-address 10.0.0.0 mask 255.0.0.0"),
        (FIREWALL_FILE, "action permit", "action deny"),
        (FIREWALL_FILE, "rule name vpnx-7k2m9q4z-out", "rule name vpnx-7k2m9q4z-in"),
        (FIREWALL_FILE, " rule move vpnx-7k2m9q4z-2 top\n", ""),
        (FIREWALL_FILE, "rule move vpnx-7k2m9q4z-1 top", "rule move vpnx-7k2m9q4z-1 bottom"),
        (FIREWALL_FILE, "action no-nat", "action source-nat easy-ip"),
        (FIREWALL_PROBED, "vpnx-7k2m9q4z-health\n  source-zone untrust", "vpnx-7k2m9q4z-health\n  source-zone trust"),
        (FIREWALL_PROBED, "169.254.128.2 mask 255.255.255.255", "169.254.128.0 mask 255.255.255.252"),
        (FIREWALL_PROBED, "ip address 169.254.129.2 255.255.255.255", "ip address 169.254.129.2 255.255.255.0"),
        (FIREWALL_PROBED, "ip address 169.254.129.2", "ip address 169.254.130.2"),
        (FIREWALL_PROBED, "trigger-mode auto", "trigger-mode always"),
        (ROUTER_FILE, "pre-shared-key cipher Golden", "pre-shared-key simple Golden"),
        (ROUTER_FILE, " local-address 198.51.100.2\n", ""),
        (ROUTER_FILE, " local-id-type ip\n", " local-id-type fqdn\n"),
        (ROUTER_FILE, " tcp adjust-mss 1300\n", " tcp mss 1300\n"),
        (ROUTER_FILE, " tcp adjust-mss 1300\n", " tcp adjust-mss 127\n"),
        (ROUTER_FILE, "rule 1 deny ip source 192.168.0.0", "rule 1 deny ip source 192.168.9.0"),
        (ROUTER_FILE, "rule 2 deny", "rule 1 deny"),
        (ROUTER_FILE, "ip route-static 10.0.0.0", "ip route-static 10.1.0.0"),
        (ROUTER_FILE, " security acl 3100\n", " security acl 3100\n tunnel local 198.51.100.2\n"),
        (ROUTER_NAMED, "\nike local-name router.example.com\n", "\n"),
        (ROUTER_NAMED, "source-address ipv4 192.168.0.1", "source-address ipv4 192.168.9.1"),
        (ROUTER_NAMED, " start now\n", ""),
        (ROUTER_NAMED, "nqa test-instance vpnx_7k2m9q4z", "nqa test-instance vpnx-7k2m9q4z"),
    ],
)  # fmt: skip
def test_its_reader_refuses_what_is_broken(text: str, old: str, new: str) -> None:
    with pytest.raises(BadFileError):
        read("huawei-vrp", changed(text, old, new))


@pytest.mark.parametrize(
    "text",
    [
        FIREWALL_FILE.replace("\nipsec sha2 compatible enable\n", "\n"),
        FIREWALL_FILE.rstrip("\n"),
        FIREWALL_FILE.replace("\nike proposal 10\n", "\nike\tproposal 10\n"),
        # A peer before the proposal that it refers to.
        "\nike peer".join(FIREWALL_FILE.split("\nike proposal 10")) + "ike proposal 10\n",
        ROUTER_FILE + "undo ike peer vpnx-7k2m9q4z\n",
    ],
)
def test_its_reader_refuses_a_broken_file(text: str) -> None:
    with pytest.raises(BadFileError):
        read("huawei-vrp", {"file": text})


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (FIREWALL_FILE, "Golden-Key_73519", "Golden-Key_73518"),
        (FIREWALL_FILE, "pfs dh-group14", "pfs dh-group5"),
        (FIREWALL_FILE, "time-based 3600", "time-based 3601"),
        (FIREWALL_FILE, "sa duration 86400", "sa duration 86399"),
        (ROUTER_FILE, "remote-address 203.0.113.10", "remote-address 203.0.113.11"),
        (ROUTER_FILE, "local-address 198.51.100.2", "local-address 198.51.100.3"),
    ],
)
def test_a_changed_value_is_another_tunnel(text: str, old: str, new: str) -> None:
    found = read("huawei-vrp", changed(text, old, new))
    assert found != expected(CASES["common-ikev2"], silent=SILENT)
