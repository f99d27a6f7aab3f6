"""Tunnel documents for tests of the agent: every argument may be given instead."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from tunnels.contract import (
    HealthDocument,
    IkeDocument,
    IpsecDocument,
    MappingDocument,
    SyncAnswer,
    TunnelDocument,
)
from tunnels.domain.proposals import IkeSettings, IpsecSettings, Negotiation
from tunnels.domain.status import Intent

GATEWAY = "vpngw-1a2b3c4d"
ONE = "vpnx-aaaaaaa1"
TWO = "vpnx-aaaaaaa2"
KEY = "agent-test-key-4711"


def a_mapping(local: str = "10.0.0.0/24", remote: str = "192.168.0.0/24") -> MappingDocument:
    """One pair."""
    return MappingDocument.model_validate({"local": local, "remote": remote})


def an_ike(**over: Any) -> IkeDocument:
    """The defaults of the domain."""
    settings = {field: getattr(IkeSettings(), field) for field in IkeDocument.model_fields}
    return IkeDocument(**{**settings, **over})


def an_ipsec(**over: Any) -> IpsecDocument:
    """The defaults of the domain."""
    settings = {field: getattr(IpsecSettings(), field) for field in IpsecDocument.model_fields}
    return IpsecDocument(**{**settings, **over})


def a_health(**over: Any) -> HealthDocument:
    """A check between two automatic addresses."""
    fields = {
        "local": "169.254.128.2", "remote": "169.254.128.3",
        "interval_ms": 1000, "threshold": 3, "timeout_ms": 500,
    }  # fmt: skip
    return HealthDocument.model_validate({**fields, **over})


def a_tunnel(tunnel_id: str = ONE, **over: Any) -> TunnelDocument:
    """A tunnel of the lab's gateway to its branch."""
    fields: dict[str, Any] = {
        "id": tunnel_id,
        "revision": 1,
        "intent": Intent.UP,
        "local_address": "203.0.113.10",
        "local_identity": "203.0.113.10",
        "remote_address": "203.0.113.20",
        "remote_identity": "203.0.113.20",
        "psk": SecretStr(KEY),
        "mappings": (a_mapping(),),
        "ike": an_ike(),
        "ipsec": an_ipsec(),
    }
    return TunnelDocument(**{**fields, **over})


def mirrored(tunnel: TunnelDocument) -> TunnelDocument:
    """The same tunnel from the customer's side, which waits to be called."""
    return tunnel.model_copy(
        update={
            "local_address": tunnel.remote_address,
            "local_identity": tunnel.remote_identity,
            "remote_address": tunnel.local_address,
            "remote_identity": tunnel.local_identity,
            "mappings": tuple(
                MappingDocument(local=pair.remote, remote=pair.local) for pair in tunnel.mappings
            ),
            "ike": tunnel.ike.model_copy(update={"negotiation": Negotiation.PASSIVE}),
        }
    )


def an_answer(*tunnels: TunnelDocument, revision: int = 1, **over: Any) -> SyncAnswer:
    """An answer with these tunnels."""
    fields: dict[str, Any] = {
        "gateway": GATEWAY, "revision": revision, "tunnels": tunnels, "poll_seconds": 0.2,
    }  # fmt: skip
    return SyncAnswer(**{**fields, **over})
