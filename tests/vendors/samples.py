"""Files written by hand from the manuals, for tests of the checks themselves. Local is the device."""

from __future__ import annotations

from tests.devices.understood import Understood

# ipsec.conf(5) of Libreswan 4.10.
LIBRESWAN = """\
config setup
    ikev1-policy=accept
conn office-base
    ikev2=insist
    type=tunnel
    authby=secret
    left=198.51.100.2
    leftid=198.51.100.2
    right=203.0.113.10
    rightid=@vpn-gw.example.net
    ike=aes256-sha2_256;dh14
    esp=aes256-sha2_256;dh14
    pfs=yes
    ikelifetime=86400s
    salifetime=3600s
    ipsec-max-bytes=4608000KiB
    dpddelay=10
    dpdtimeout=30
    dpdaction=restart
conn office-1
    also=office-base
    leftsubnet=192.168.10.0/24
    rightsubnet=10.0.1.0/24
    auto=start
conn office-2
    also=office-base
    leftsubnet=192.168.20.0/24
    rightsubnet=10.0.2.0/24
    auto=start
"""

# iked.conf(5) of OpenIKED 7.2. The key is `Sample-Psk_01` in hex.
_POLICY = """\
ikev2 "office-{number}" active tunnel esp \\
    from 192.168.{number}0.0/24 to 10.0.{number}.0/24 \\
    local 198.51.100.2 peer 203.0.113.10 \\
    ikesa enc aes-256 prf hmac-sha2-256 auth hmac-sha2-256 group modp2048 \\
    childsa enc aes-256 auth hmac-sha2-256 group modp2048 noesn \\
    srcid 198.51.100.2 dstid vpn-gw.example.net \\
    ikelifetime 86400 lifetime 3600 bytes 4608000K \\
    psk 0x53616d706c652d50736b5f3031
"""
OPENIKED = "set dpd_check_interval 10\n" + "".join(
    _POLICY.format(number=number) for number in (1, 2)
)

# What both say.
UNDERSTOOD = Understood(
    version=2,
    ike_encryption="aes-256",
    ike_integrity="sha2-256",
    ike_dh="dh14",
    ike_seconds=86_400,
    esp_encryption="aes-256",
    esp_integrity="sha2-256",
    pfs="dh14",
    esp_seconds=3_600,
    esp_kb=4_608_000,
    local_address="198.51.100.2",
    remote_address="203.0.113.10",
    local_identity="198.51.100.2",
    remote_identity="vpn-gw.example.net",
    pairs=(("192.168.10.0/24", "10.0.1.0/24"), ("192.168.20.0/24", "10.0.2.0/24")),
    starts=True,
)
