# Microsoft Windows Server RRAS for tunnel idc-shanghai (vpnx-7k2m9q4z)
#
# Written:     2026-01-02 03:04 UTC by VPN Console 1.2.3
# For version: 2022
# This device: shanghai-router, 198.51.100.2
# VPN gateway: gateway-beijing, 203.0.113.10
#
# Before you load it:
#   - This file holds the pre-shared key: keep it away from others.
#   - Once for each server, when it has no site-to-site VPN yet:
#       Install-WindowsFeature -Name RemoteAccess, Routing -IncludeManagementTools
#       Install-RemoteAccess -VpnType VpnS2S
#   - SourceIpAddress: when this server is behind NAT, replace 198.51.100.2 by its own address. It
#     then identifies itself by that one: the VPN gateway must expect it.
#   - Windows has one interface with a pre-shared key for each address: none may lead to
#     203.0.113.10 yet.
#   - Connection security rules of Windows for the same ranges would answer in its place:
#     Get-NetIPsecRule shows them.
#
# Load it:
#   As an administrator, in the folder of this file:
#   powershell -ExecutionPolicy Bypass -File vpnx-7k2m9q4z-rras.ps1
#
# See whether it came up:
#   Get-VpnS2SInterface -Name vpnx-7k2m9q4z
#   ConnectionState is Connected. Otherwise connect it, and look at LastError:
#   Connect-VpnS2SInterface -Name vpnx-7k2m9q4z
#   Get-VpnS2SInterface -Name vpnx-7k2m9q4z | Format-List -Property *
#   RRAS may want a restart, which interrupts all its connections: Restart-Service RemoteAccess
#   A ping passes in both directions between the ranges of each pair:
#     1: 192.168.1.0/25 and 10.0.0.0/24 (rule 1)
#
# Around it:
#   - NAT: what goes into the tunnel is not translated, as long as its interface is not added to
#     NAT in Routing and Remote Access.
#   - Routes: those into the tunnel come with it. Other routers of your site need one to each
#     range of the VPN gateway, with this server as the next hop.
#   - Large TCP packets: RRAS cannot change the TCP segments. When connections hang, set the MTU
#     of the hosts:
#       netsh interface ipv4 set subinterface "Ethernet" mtu=1340 store=persistent
#   - Firewalls in front of this server: let UDP 500, UDP 4500 and ESP pass between it and
#     203.0.113.10.
#
# Remove it:
#   Disconnect-VpnS2SInterface -Name vpnx-7k2m9q4z -Force
#   Remove-VpnS2SInterface -Name vpnx-7k2m9q4z -Force
#   Remove-NetFirewallRule -Name vpnx-7k2m9q4z-*

$ErrorActionPreference = 'Stop'

# The range of this side
$localSelectors = @(
    New-VpnTrafficSelector -IPAddressRange '192.168.1.0', '192.168.1.127' -PortRange 0, 65535 -ProtocolId 0 -Type 'IPv4' -TsPayloadId 0
)

# The range of the VPN gateway
$remoteSelectors = @(
    New-VpnTrafficSelector -IPAddressRange '10.0.0.0', '10.0.0.255' -PortRange 0, 65535 -ProtocolId 0 -Type 'IPv4' -TsPayloadId 0
)

$tunnel = @{
    Name = 'vpnx-7k2m9q4z'
    Protocol = 'IKEv2'
    Destination = '203.0.113.10'
    SourceIpAddress = '198.51.100.2'
    AuthenticationMethod = 'PSKOnly'
    ResponderAuthenticationMethod = 'PSKOnly'
    SharedSecret = 'Golden-Key_73519'
    CustomPolicy = $true
    EncryptionMethod = 'AES256'
    IntegrityCheckMethod = 'SHA256'
    DHGroup = 'Group14'
    CipherTransformConstants = 'GCMAES256'
    AuthenticationTransformConstants = 'GCMAES256'
    PfsGroup = 'PFS2048'
    MMSALifeTimeSeconds = 86400
    SALifeTimeSeconds = 3600
    SADataSizeForRenegotiationKilobytes = 1843200
    NetworkOutageTimeSeconds = 30
    Persistent = $false
    AutoConnectEnabled = $false
    NumberOfTries = 0
    RetryIntervalSeconds = 30
    IdleDisconnectSeconds = 17279999
    InitiateConfigPayload = $false
    IPv4Subnet = @('10.0.0.0/24:100')
    LocalVpnTrafficSelector = $localSelectors
    RemoteVpnTrafficSelector = $remoteSelectors
}
Add-VpnS2SInterface @tunnel

# Firewall: what the VPN gateway sends to this server
New-NetFirewallRule -Name 'vpnx-7k2m9q4z-ike' -DisplayName 'vpnx-7k2m9q4z IKE' -Direction Inbound -Action Allow -Protocol UDP -LocalPort 500, 4500 -RemoteAddress '203.0.113.10'
New-NetFirewallRule -Name 'vpnx-7k2m9q4z-esp' -DisplayName 'vpnx-7k2m9q4z ESP' -Direction Inbound -Action Allow -Protocol 50 -RemoteAddress '203.0.113.10'
