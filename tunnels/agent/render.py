"""From a tunnel document to vici messages: what charon is told, and nothing is decided twice.

Settings are those of swanctl.conf(5); `load-conn` and `load-shared` take the same words. A connection is named
by its tunnel's id, a CHILD_SA by the tunnel's id and a short hash of its pair: the name stays while the
pair does, so charon keeps the SA when other pairs of the tunnel change.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

from tunnels.contract import TunnelDocument
from tunnels.domain.proposals import DpdAction, IkeVersion, Mode, Negotiation
from tunnels.domain.spd import Mapping

Value: TypeAlias = "str | bytes | list[str] | list[bytes] | dict[str, Value]"
Message: TypeAlias = dict[str, Value]

# Of an SA's life this much passes before we rekey; the rest is the margin in which it must succeed.
REKEY_SHARE = 0.9


def child_name(tunnel_id: str, mapping: Mapping) -> str:
    """`vpnx-1a2b3c4d-9f8e7d6c`: the same pair always has the same name."""
    digest = hashlib.sha256(f"{mapping.local}|{mapping.remote}".encode()).hexdigest()
    return f"{tunnel_id}-{digest[:8]}"


def connection_message(tunnel: TunnelDocument) -> Message:
    """The argument of `load-conn`: one connection with one CHILD_SA a mapping."""
    ike = tunnel.ike.settings
    connection: Message = {
        "version": str(int(ike.version)),
        "aggressive": _yes(ike.version == IkeVersion.V1 and ike.mode is Mode.AGGRESSIVE),
        "local_addrs": [str(tunnel.local_address)],
        "remote_addrs": [str(tunnel.remote_address)],
        "local": {"auth": "psk", "id": tunnel.local_identity},
        "remote": {"auth": "psk", "id": tunnel.remote_identity},
        "proposals": [ike.proposal],
        "rekey_time": f"{_soft(ike.lifetime_seconds)}s",
        "over_time": f"{ike.lifetime_seconds - _soft(ike.lifetime_seconds)}s",
        "rand_time": "0s",
        # Site-to-site ends do not roam, and MOBIKE would change addresses behind our back.
        "mobike": "no",
        "fragmentation": "yes",
        "keyingtries": "0",
        # A second IKE_SA of the same peer replaces the first: never two for one tunnel.
        "unique": "replace",
        "dpd_delay": f"{ike.dpd_timeout // 3}s" if ike.dpd_enabled else "0s",
        "children": {
            child_name(tunnel.id, pair.mapping): _child(tunnel, pair.mapping)
            for pair in tunnel.mappings
        },
    }
    if ike.version == IkeVersion.V1 and ike.dpd_enabled:
        # IKEv2 has no such setting: there a peer is given up when retransmissions run out.
        connection["dpd_timeout"] = f"{ike.dpd_timeout}s"
    return {tunnel.id: connection}


def secret_messages(tunnel: TunnelDocument) -> list[Message]:
    """The arguments of `load-shared`: the key and, during a rotation, the previous one.

    charon verifies the peer with every matching key, but signs with the one that was loaded last (seen with 5.9.8;
    loading the same id and key again counts), so the key to sign with comes last: the new one.
    """
    keys = [(f"{tunnel.id}-previous", tunnel.previous_psk), (tunnel.id, tunnel.psk)]
    return [
        {
            "id": name,
            "type": "IKE",
            "data": key.get_secret_value().encode("ascii"),
            # Only the peer's identity. charon takes a key for a peer when *any* owner matches either end, so with our
            # own identity here every customer of this gateway could prove to be any other one.
            "owners": [tunnel.remote_identity],
        }
        for name, key in keys
        if key is not None
    ]


def _child(tunnel: TunnelDocument, mapping: Mapping) -> Message:
    ike, ipsec = tunnel.ike.settings, tunnel.ipsec.settings
    life_bytes = ipsec.lifetime_kb * 1024
    trapped = ike.negotiation is Negotiation.ON_TRAFFIC
    restart = trapped and ike.dpd_enabled and ike.dpd_action is DpdAction.RESTART
    return {
        "mode": "tunnel",
        "local_ts": [str(mapping.local)],
        "remote_ts": [str(mapping.remote)],
        "esp_proposals": [ipsec.proposal],
        "life_time": f"{ipsec.lifetime_seconds}s",
        "rekey_time": f"{_soft(ipsec.lifetime_seconds)}s",
        "rand_time": "0s",
        "life_bytes": str(life_bytes),
        "rekey_bytes": str(_soft(life_bytes)),
        "rand_bytes": "0",
        # "start" is not used: charon would then begin when it loads and end when it unloads, unasked and unseen.
        # The agent initiates, and sees what is there before it does.
        "start_action": "trap" if trapped else "none",
        # Nor does charon open again what was lost: when it restarts several CHILD_SAs of one IKE_SA it asks for
        # their old reqids and may get one for two of them (seen with 5.9.8), which then carry nothing. The agent does
        # it. With traps the reqids are held, and charon may restart.
        "close_action": "none",
        "dpd_action": "restart" if restart else "clear",
    }


def _soft(whole: int) -> int:
    return int(whole * REKEY_SHARE)


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
