"""Planted mistakes: a reader that does not notice them proves nothing."""

from __future__ import annotations

import pytest

from tests.devices.cases import CASES, render_case
from tests.devices.paloalto_panos.grammar import read
from tests.devices.understood import BadFileError, Understood
from tunnels.devices.paloalto_panos.platform import PLATFORM

ID = "vpnx-7k2m9q4z"
GOOD = render_case(PLATFORM, CASES["common-ikev1-main"]).text
HEALTH = render_case(PLATFORM, CASES["common-health-check"]).text
IPV6 = render_case(PLATFORM, CASES["common-ipv6"]).text


def understood(text: str) -> Understood:
    return read("paloalto-panos", {"file": text})


def commands(text: str) -> str:
    """What is to be pasted."""
    return text[text.index("\nset cli scripting-mode on\n") + 1 :]


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (GOOD, "set cli scripting-mode on\n", ""),
        (GOOD, "configure\n", ""),
        (GOOD, "encryption aes-256-cbc", "encryption aes256"),
        (GOOD, "hash sha1", "hash sha-1"),
        (GOOD, "hash sha1", "hash non-auth"),
        (GOOD, "esp authentication sha1", "esp authentication none"),
        (GOOD, "dh-group group14", "dh-group 14"),
        (GOOD, "lifetime days 1", "lifetime seconds 86400"),
        (GOOD, "lifetime hours 1", "lifetime minutes 2"),
        (GOOD, "lifesize mb 4500", "lifesize kb 4608000"),
        (GOOD, "lifesize mb 4500", "lifesize mib 4500"),
        (GOOD, "key Golden-Key_73519", 'key "Golden-Key_73519'),
        (GOOD, "key Golden-Key_73519", "key Golden Key"),
        (GOOD, "key Golden-Key_73519", "key -AQ==Golden-Key_73519"),
        (GOOD, "key Golden-Key_73519", 'key "Golden\\"Key"'),
        (GOOD, "local-id type ipaddr", "local-id type fqdn-ip"),
        (GOOD, "peer-id id 203.0.113.10", "peer-id id 203.0.113.310"),
        (GOOD, "protocol version ikev1", "protocol version ikev2"),
        (GOOD, "exchange-mode main", "exchange-mode auto"),
        (GOOD, f"set network ike gateway {ID} protocol ikev1 exchange-mode main\n", ""),
        (GOOD, "dpd interval 15", "dpd interval 1"),
        (GOOD, "dpd enable yes", "dpd enable no"),
        (GOOD, "passive-mode no", "passive-mode yes"),
        (GOOD, "nat-traversal enable yes", "nat-traversal enable no"),
        (GOOD, "auto-key ike-gateway vpnx-7k2m9q4z", "auto-key ike-gateway vpnx-7k2m9q4y"),
        (GOOD, "tunnel-interface tunnel.10", "tunnel-interface tunnel.11"),
        (GOOD, "set import network interface tunnel.10\n", ""),
        (GOOD, "set import network", "set vsys vsys2 import network"),
        (GOOD, "proxy-id vpnx-7k2m9q4z-2 local 192.168.2.0/24", "proxy-id vpnx-7k2m9q4z-2 local 192.168.0.0/16"),
        (GOOD, f"{ID}-1 protocol any", f"{ID}-1 protocol tcp"),
        (GOOD, "auto-key proxy-id vpnx-7k2m9q4z-1 l", "auto-key proxy-id-v6 vpnx-7k2m9q4z-1 l"),
        (GOOD, f"static-route {ID}-2 destination 10.0.1.0/26", f"static-route {ID}-2 destination 10.0.0.0/24"),
        (GOOD, "set network virtual-router default interface", "set network virtual-router other interface"),
        (GOOD, f"rules {ID}-1-in from vpn to trust", f"rules {ID}-1-in from vpn to untrust"),
        (GOOD, "from trust to vpn source 192.168.0.0/24", "from trust to vpn source any"),
        (GOOD, "action allow", "action deny"),
        (GOOD, "application [ ike ", "application [ ike-v2 "),
        (GOOD, f"move rulebase nat rules {ID}-1 top\n", ""),
        (GOOD, f"move rulebase security rules {ID}-ike top", f"move rulebase security rules {ID}-ike bottom"),
        (GOOD, f"rulebase nat rules {ID}-2 from trust to vpn", f"rulebase nat rules {ID}-2 from trust to untrust"),
        (GOOD, "mtu 1340", "mtu 1500"),
        (GOOD, "configure\n", "configure\nset deviceconfig system telnet yes\n"),
        (GOOD, "configure\n", "configure\n# a comment\n"),
        (GOOD, "configure\n", f"configure\nset network ike crypto-profiles ike-crypto-profiles {ID} hash sha1\n"),
        (HEALTH, "permitted-ip 169.254.128.2", "permitted-ip 169.254.128.1"),
        (HEALTH, f"tunnel-monitor proxy-id {ID}-1", f"tunnel-monitor proxy-id {ID}-2"),
        (HEALTH, f"set network tunnel ipsec {ID} tunnel-monitor enable yes\n", ""),
        (HEALTH, f"set network profiles interface-management-profile {ID} ping yes\n", ""),
        (HEALTH, "ip 169.254.129.2/32", "ip 169.254.129.1/32"),
        (IPV6, f"set network ike gateway {ID} ipv6 yes\n", ""),
        (IPV6, f"set network tunnel ipsec {ID} ipv6 yes\n", ""),
        (IPV6, "set network interface tunnel units tunnel.10 ipv6 enabled yes\n", ""),
        (IPV6, "routing-table ipv6", "routing-table ip"),
    ],
)  # fmt: skip
def test_its_reader_notices(text: str, old: str, new: str) -> None:
    understood(text)
    pasted = commands(text)
    assert old in pasted
    with pytest.raises(BadFileError):
        understood(pasted.replace(old, new, 1))


def test_its_reader_wants_an_object_before_what_names_it() -> None:
    lines = commands(GOOD).splitlines()
    zone = lines.index("set zone vpn network layer3 tunnel.10")
    lines.insert(zone - 1, lines.pop(zone))
    with pytest.raises(BadFileError, match="before"):
        understood("\n".join(lines))
