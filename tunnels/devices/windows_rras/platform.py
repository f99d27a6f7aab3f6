"""Windows Server RRAS, 2016 to 2025: a PowerShell script. IKEv2 only.

Cmdlets, parameters and their values: Microsoft, "RemoteAccess" module (Add-VpnS2SInterface, New-VpnTrafficSelector,
Install-RemoteAccess, Connect- and Remove-VpnS2SInterface), "NetSecurity" (New-NetFirewallRule), "NetTCPIP"
(New-NetIPAddress); limits of lifetimes: mprapi.h, ROUTER_IKEv2_IF_CUSTOM_CONFIG0. An interface has two lists of traffic
selectors and offers all of both at once: only tunnels of one pair are written. It has no identity but its address.

Quoting: PowerShell, about_Quoting_Rules: between single quotes everything stands for itself, and a quote is doubled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices.abilities import cannot
from tunnels.devices.base import SAFE_MSS, Order, Part, Platform
from tunnels.devices.heading import commented, heading
from tunnels.devices.questions import Question, is_probed, number
from tunnels.devices.rendering import fill
from tunnels.devices.routes import gateway_inside
from tunnels.devices.viewpoint import Viewpoint, customer_viewpoint
from tunnels.devices.windows_rras.words import ABILITIES, NO_OUTAGE, OUTAGES, TRANSFORMS
from tunnels.domain.addresses import Network, is_default_route
from tunnels.domain.findings import Finding
from tunnels.domain.spec import TunnelSpec

VERSIONS = ("2022", "2025", "2019", "2016")
# The headers of IPv4 or IPv6, and of TCP, without options.
_HEADERS = {4: 40, 6: 60}
# Echo requests (RFC 792, RFC 4443).
_PINGS = {4: "-Protocol ICMPv4 -IcmpType 8", 6: "-Protocol ICMPv6 -IcmpType 128"}
# The longest that Windows has (mprapi.h): an idle tunnel stays.
_NEVER_IDLE = 17_279_999


QUESTIONS = (
    number(
        "metric",
        "Metric of the routes into the tunnel",
        100,
        (1, 9_999),
        explained="Lower than that of another route to the same ranges, if there is one.",
    ),
    Question(
        id="inside",
        label="Inside interface",
        usual="Ethernet",
        grammar=re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ._()#-]{0,62}[A-Za-z0-9)])?", re.ASCII),
        help="Its alias, as Get-NetAdapter shows it. It gets the address that answers the health check.",
        asked=is_probed,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Commands under a comment."""

    title: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the template prints; `settings` are entries of a hashtable."""

    header: tuple[str, ...]
    local_selector: str
    remote_selector: str
    settings: tuple[str, ...]
    around: tuple[Section, ...]


def quote(text: str) -> str:
    """The text as a PowerShell string that nothing in it can end or expand."""
    return "'" + text.replace("'", "''") + "'"


def write(order: Order) -> str:
    """The text of the script."""
    view = customer_viewpoint(order.spec)
    [pair] = view.pairs
    return fill(
        "windows_rras/template.ps1.j2",
        Document(
            header=commented(_header(order, view), "#"),
            local_selector=_selector(pair.local),
            remote_selector=_selector(pair.remote),
            settings=tuple(f"{name} = {value}" for name, value in _settings(order, view)),
            around=tuple(_around(order, view)),
        ),
    )


def unsupported(spec: TunnelSpec) -> list[Finding]:
    """What no table says: identities that are other addresses, and a tunnel for everything."""
    view, findings = customer_viewpoint(spec), []
    for name, whose, side in (
        ("ike.remote_fqdn", "this device", view.device),
        ("ike.local_fqdn", "the VPN gateway", view.gateway),
    ):
        if side.identity.is_address and side.identity.text != str(side.address):
            message = (
                f"RRAS identifies {whose} by its address {side.address}, and by nothing else; leave the identifier "
                "empty."
            )
            findings.append(cannot(message, name))
    if any(is_default_route(pair.remote) for pair in view.pairs):
        message = (
            "RRAS sends into a tunnel what its routes send there: a route for everything would take its own packets to "
            "the VPN gateway, too. Name the VPN gateway's ranges."
        )
        findings.append(cannot(message, "spd.rules"))
    return findings


def losses(spec: TunnelSpec) -> list[str]:
    """What RRAS does differently from what was agreed."""
    ike = spec.ike
    if not ike.dpd_enabled:
        return [
            f"RRAS cannot turn dead peer detection off: it is set to the longest time that there is, {NO_OUTAGE} s."
        ]
    nearest = _outage(ike.dpd_timeout)
    if nearest != ike.dpd_timeout:
        return [
            f"RRAS has few values for dead peer detection: {nearest} s instead of the agreed {ike.dpd_timeout} s."
        ]
    return []


def _outage(timeout: int) -> int:
    """The nearest time that RRAS has; the longer of two."""
    return min(OUTAGES, key=lambda seconds: (abs(seconds - timeout), -seconds))


def _selector(network: Network) -> str:
    first, last = quote(str(network[0])), quote(str(network[-1]))
    return (
        f"New-VpnTrafficSelector -IPAddressRange {first}, {last} -PortRange 0, 65535 -ProtocolId 0 "
        f"-Type 'IPv{network.version}' -TsPayloadId 0"
    )


def _settings(order: Order, view: Viewpoint) -> Iterator[tuple[str, str]]:
    spec = order.spec
    ike, ipsec = spec.ike, spec.ipsec
    one, two = order.abilities.ike[ike.version], order.abilities.esp[ike.version]
    yield "Name", quote(spec.id)
    yield "Protocol", "'IKEv2'"
    yield "Destination", quote(str(view.gateway.address))
    yield "SourceIpAddress", quote(str(view.device.address))
    yield "AuthenticationMethod", "'PSKOnly'"
    yield "ResponderAuthenticationMethod", "'PSKOnly'"
    yield "SharedSecret", quote(spec.psk.reveal())
    yield "CustomPolicy", "$true"
    yield "EncryptionMethod", quote(one.encryption[ike.encryption])
    yield "IntegrityCheckMethod", quote(one.integrity[ike.integrity])
    yield "DHGroup", quote(one.dh[ike.dh_group])
    yield "CipherTransformConstants", quote(two.encryption[ipsec.encryption])
    transform = TRANSFORMS.get(ipsec.encryption) or two.integrity[ipsec.integrity]
    yield "AuthenticationTransformConstants", quote(transform)
    yield "PfsGroup", quote(two.dh[ipsec.pfs] if ipsec.pfs else "None")
    yield "MMSALifeTimeSeconds", str(ike.lifetime_seconds)
    yield "SALifeTimeSeconds", str(ipsec.lifetime_seconds)
    yield "SADataSizeForRenegotiationKilobytes", str(ipsec.lifetime_kb)
    outage = _outage(ike.dpd_timeout) if ike.dpd_enabled else NO_OUTAGE
    yield "NetworkOutageTimeSeconds", str(outage)
    # 0 tries: again and again.
    yield "Persistent", "$true" if view.starts else "$false"
    yield "AutoConnectEnabled", "$true" if view.starts else "$false"
    yield "NumberOfTries", "0"
    yield "RetryIntervalSeconds", "30"
    yield "IdleDisconnectSeconds", str(_NEVER_IDLE)
    # The VPN gateway gives out no addresses.
    yield "InitiateConfigPayload", "$false"
    remote = view.pairs[0].remote
    route = quote(f"{remote}:{order.answers['metric']}")
    yield f"IPv{remote.version}Subnet", f"@({route})"


def _around(order: Order, view: Viewpoint) -> Iterator[Section]:
    yield Section(
        title="Firewall: what the VPN gateway sends to this server",
        commands=tuple(_firewall(order.spec.id, view)),
    )
    if view.probe:
        asked, _ = view.probe
        address = (
            f"New-NetIPAddress -InterfaceAlias {quote(order.answers['inside'])} -IPAddress {quote(str(asked))} "
            f"-PrefixLength {asked.max_prefixlen} -SkipAsSource $true"
        )
        yield Section(title="The address that answers the health check", commands=(address,))
    if view.starts:
        yield Section(
            title="The VPN gateway waits for this server",
            commands=(f"Connect-VpnS2SInterface -Name {quote(order.spec.id)}",),
        )


def _firewall(name: str, view: Viewpoint) -> Iterator[str]:
    gateway = quote(str(view.gateway.address))
    yield f"{_rule(name, 'IKE')} -Protocol UDP -LocalPort 500, 4500 -RemoteAddress {gateway}"
    yield f"{_rule(name, 'ESP')} -Protocol 50 -RemoteAddress {gateway}"
    if view.probe:
        asked, asking = (quote(str(address)) for address in view.probe)
        kind = _PINGS[view.probe[0].version]
        yield f"{_rule(name, 'ping')} {kind} -LocalAddress {asked} -RemoteAddress {asking}"


def _rule(name: str, what: str) -> str:
    names = f"-Name {quote(f'{name}-{what.lower()}')} -DisplayName {quote(f'{name} {what}')}"
    return f"New-NetFirewallRule {names} -Direction Inbound -Action Allow"


def _header(order: Order, view: Viewpoint) -> tuple[str, ...]:
    name = order.spec.id
    return heading(
        order,
        before=_before(view),
        load=(
            "As an administrator, in the folder of this file:",
            f"powershell -ExecutionPolicy Bypass -File {name}-rras.ps1",
        ),
        verify=(
            f"Get-VpnS2SInterface -Name {name}",
            "ConnectionState is Connected. Otherwise connect it, and look at LastError:",
            f"Connect-VpnS2SInterface -Name {name}",
            f"Get-VpnS2SInterface -Name {name} | Format-List -Property *",
            "RRAS may want a restart, which interrupts all its connections: Restart-Service RemoteAccess",
        ),
        around=_advice(view),
        remove=(
            f"Disconnect-VpnS2SInterface -Name {name} -Force",
            f"Remove-VpnS2SInterface -Name {name} -Force",
            f"Remove-NetFirewallRule -Name {name}-*",
            *(f"Remove-NetIPAddress -IPAddress {asked}" for asked in (view.probe or ())[:1]),
        ),
    )


def _before(view: Viewpoint) -> Iterator[str]:
    yield (
        "Once for each server, when it has no site-to-site VPN yet:\n"
        "Install-WindowsFeature -Name RemoteAccess, Routing -IncludeManagementTools\n"
        "Install-RemoteAccess -VpnType VpnS2S"
    )
    yield (
        f"SourceIpAddress: when this server is behind NAT, replace {view.device.address} by its own address. It then "
        "identifies itself by that one: the VPN gateway must expect it."
    )
    yield (
        "Windows has one interface with a pre-shared key for each address: none may lead to "
        f"{view.gateway.address} yet."
    )
    yield (
        "Connection security rules of Windows for the same ranges would answer in its place: Get-NetIPsecRule shows "
        "them."
    )
    yield from gateway_inside(view)
    if view.probe:
        yield (
            "New-NetIPAddress turns DHCP off on its interface: take one whose address is fixed, or leave the line out "
            f"when this server has {view.probe[0]} already."
        )


def _advice(view: Viewpoint) -> Iterator[str]:
    yield (
        "NAT: what goes into the tunnel is not translated, as long as its interface is not added to NAT in Routing and "
        "Remote Access."
    )
    yield (
        "Routes: those into the tunnel come with it. Other routers of your site need one to each range of the VPN "
        "gateway, with this server as the next hop."
    )
    version = view.pairs[0].local.version
    mtu = SAFE_MSS + _HEADERS[version]
    yield (
        "Large TCP packets: RRAS cannot change the TCP segments. When connections hang, set the MTU of the hosts:\n"
        f'netsh interface ipv{version} set subinterface "Ethernet" mtu={mtu} store=persistent'
    )
    yield (
        f"Firewalls in front of this server: let UDP 500, UDP 4500 and ESP pass between it and {view.gateway.address}."
    )


PLATFORM = Platform(
    id="windows-rras",
    vendor="Microsoft",
    name="Windows Server RRAS",
    abilities=dict.fromkeys(VERSIONS, ABILITIES),
    parts=(Part(filename="{tunnel_id}-rras.ps1", write=write),),
    questions=QUESTIONS,
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS = (PLATFORM,)
