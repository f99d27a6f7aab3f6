# MikroTik RouterOS for tunnel idc-shanghai (vpnx-7k2m9q4z)
#
# Written:     2026-01-02 03:04 UTC by VPN Console 1.2.3
# For version: 7.9+
# This device: shanghai-router, 198.51.100.2
# VPN gateway: gateway-beijing, 203.0.113.10
#
# Before you load it:
#   - This file holds the pre-shared key: keep it away from others.
#   - MikroTik RouterOS has no lifetime by volume: the agreed 1843200 KB are left out. The VPN
#     gateway still renews its SAs when they have carried so much.
#   - With IKEv2, RouterOS does not count failures: it asks every 10 s, and gives a silent peer up
#     when its own retransmissions end, not after 30 s.
#   - local-address: when this device is behind NAT, replace 198.51.100.2 by the address of its
#     own interface, and write passive=no: it then has to begin. my-id stays as it is.
#   - Load it once: a second time, the import stops at the first command, because its name is
#     taken.
#
# Load it:
#   Copy it to the device (Files in WinBox or WebFig, or scp), then in a terminal:
#   /import file-name=vpnx-7k2m9q4z-routeros.rsc verbose=yes
#   /file remove vpnx-7k2m9q4z-routeros.rsc
#
# See whether it came up:
#   /ip ipsec active-peers print
#   /ip ipsec policy print detail where peer="vpnx-7k2m9q4z"
#   /ip ipsec installed-sa print
#   A ping passes in both directions between the ranges of each pair:
#     1: 192.168.1.0/25 and 10.0.0.0/24 (rule 1)
#
# Around it:
#   - Firewall: UDP 500, UDP 4500 and ESP from 203.0.113.10 and the ranges above are let pass
#     before FastTrack and all other rules. The rules of raw come earlier still: see that none
#     drops them.
#   - NAT: connections that are open already keep their translation until they end; /ip firewall
#     connection remove [find] ends all.
#   - Routes: the policies catch what the default route would send out; without a default route,
#     add one to each range of the VPN gateway. Other routers of your site need one with this
#     device as the next hop.
#
# Remove it:
#   /ip ipsec policy remove [find where comment="vpnx-7k2m9q4z"]
#   /ip ipsec identity remove [find where peer="vpnx-7k2m9q4z"]
#   /ip ipsec peer remove [find where name="vpnx-7k2m9q4z"]
#   /ip ipsec proposal remove [find where name="vpnx-7k2m9q4z"]
#   /ip ipsec profile remove [find where name="vpnx-7k2m9q4z"]
#   /ip firewall filter remove [find where comment="vpnx-7k2m9q4z"]
#   /ip firewall nat remove [find where comment="vpnx-7k2m9q4z"]
#   /ip firewall mangle remove [find where comment="vpnx-7k2m9q4z"]

# What is negotiated
/ip ipsec profile add name="vpnx-7k2m9q4z" enc-algorithm=aes-256 hash-algorithm=sha256 prf-algorithm=auto dh-group=modp2048 lifetime=1d proposal-check=obey nat-traversal=yes dpd-interval=10s dpd-maximum-failures=3
/ip ipsec proposal add name="vpnx-7k2m9q4z" enc-algorithms=aes-256-gcm auth-algorithms="" lifetime=1h pfs-group=modp2048

# What the firewall lets pass: added, then moved before the rules that were there
/ip firewall filter add chain=input action=accept protocol=udp src-address=203.0.113.10 dst-port=500,4500 comment="vpnx-7k2m9q4z"
/ip firewall filter add chain=input action=accept protocol=ipsec-esp src-address=203.0.113.10 comment="vpnx-7k2m9q4z"
:if ([:len [/ip firewall filter find where chain=input and dynamic=no]] > 2) do={ /ip firewall filter move [/ip firewall filter find where chain=input and comment="vpnx-7k2m9q4z"] destination=[:pick [/ip firewall filter find where chain=input and dynamic=no] 0] }
/ip firewall filter add chain=forward action=accept src-address=192.168.1.0/25 dst-address=10.0.0.0/24 ipsec-policy=out,ipsec comment="vpnx-7k2m9q4z"
/ip firewall filter add chain=forward action=accept src-address=10.0.0.0/24 dst-address=192.168.1.0/25 ipsec-policy=in,ipsec comment="vpnx-7k2m9q4z"
:if ([:len [/ip firewall filter find where chain=forward and dynamic=no]] > 2) do={ /ip firewall filter move [/ip firewall filter find where chain=forward and comment="vpnx-7k2m9q4z"] destination=[:pick [/ip firewall filter find where chain=forward and dynamic=no] 0] }
/ip firewall nat add chain=srcnat action=accept src-address=192.168.1.0/25 dst-address=10.0.0.0/24 comment="vpnx-7k2m9q4z"
:if ([:len [/ip firewall nat find where chain=srcnat and dynamic=no]] > 1) do={ /ip firewall nat move [/ip firewall nat find where chain=srcnat and comment="vpnx-7k2m9q4z"] destination=[:pick [/ip firewall nat find where chain=srcnat and dynamic=no] 0] }
/ip firewall mangle add chain=forward action=change-mss new-mss=1300 passthrough=yes protocol=tcp tcp-flags=syn tcp-mss=1301-65535 src-address=192.168.1.0/25 dst-address=10.0.0.0/24 ipsec-policy=out,ipsec comment="vpnx-7k2m9q4z"
/ip firewall mangle add chain=forward action=change-mss new-mss=1300 passthrough=yes protocol=tcp tcp-flags=syn tcp-mss=1301-65535 src-address=10.0.0.0/24 dst-address=192.168.1.0/25 ipsec-policy=in,ipsec comment="vpnx-7k2m9q4z"

# The tunnel
/ip ipsec peer add name="vpnx-7k2m9q4z" profile="vpnx-7k2m9q4z" address=203.0.113.10/32 local-address=198.51.100.2 exchange-mode=ike2 passive=yes send-initial-contact=yes
/ip ipsec identity add peer="vpnx-7k2m9q4z" auth-method=pre-shared-key secret="Golden-Key_73519" my-id=address:198.51.100.2 remote-id=address:203.0.113.10 match-by=remote-id generate-policy=no
/ip ipsec policy add peer="vpnx-7k2m9q4z" proposal="vpnx-7k2m9q4z" tunnel=yes src-address=192.168.1.0/25 dst-address=10.0.0.0/24 protocol=all action=encrypt level=unique ipsec-protocols=esp comment="vpnx-7k2m9q4z"
