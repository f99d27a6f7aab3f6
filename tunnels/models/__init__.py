"""The tables. Rules are in `tunnels.domain`; here are the constraints that hold them against races."""

from __future__ import annotations

from tunnels.models.agent import GatewayAgent, LogLine, Sample
from tunnels.models.chore import Chore
from tunnels.models.gateway import CustomerGateway, GatewayType, VpnGateway
from tunnels.models.network import Ccn, Region, Vpc
from tunnels.models.spd import Mapping, SpdRule
from tunnels.models.telemetry import Event, TunnelState
from tunnels.models.tunnel import IkeConfig, IpsecConfig, Tunnel

__all__ = [
    "Ccn",
    "Chore",
    "CustomerGateway",
    "Event",
    "GatewayAgent",
    "GatewayType",
    "IkeConfig",
    "IpsecConfig",
    "LogLine",
    "Mapping",
    "Region",
    "Sample",
    "SpdRule",
    "Tunnel",
    "TunnelState",
    "Vpc",
    "VpnGateway",
]
