"""The PAN-OS commands that a tunnel's file may hold; the manuals are named in grammar.py."""

from __future__ import annotations

import re

_PIECES = {
    "NAME": r"(?P<name>vpnx-[0-9a-z]{8})",
    "SAME": r"vpnx-[0-9a-z]{8}",
    "PAIR": r"(?P<name>vpnx-[0-9a-z]{8})-(?P<pair>[1-9][0-9]{0,2})",
    "VALUE": r"(?P<value>[^\s\"\[\]]+)",
    "SECOND": r"(?P<second>[^\s\"\[\]]+)",
    "KEY": r"(?P<value>\"[^\"\\]+\"|[^\s\"\\?']+)",
    "TUNNEL": r"tunnel\.(?P<tunnel>[1-9][0-9]{0,3})",
    "ZONE": r"(?P<zone>[A-Za-z0-9][A-Za-z0-9_.-]{0,30})",
    "OTHER": r"(?P<other>[A-Za-z0-9][A-Za-z0-9_.-]{0,30})",
    "AGAIN": r"(?P=zone)",
    "VSYS": r"(?P<vsys>vsys vsys[1-9][0-9]{0,2} )?",
    "ROUTER": r"(?P<router>virtual-router [A-Za-z0-9_.-]{1,31}|logical-router [A-Za-z0-9_.-]{1,31} vrf default)",
}
_IKE, _ESP = (
    f"set network ike crypto-profiles {kind}-crypto-profiles NAME" for kind in ("ike", "ipsec")
)
_GATEWAY, _TUNNEL = "set network ike gateway NAME", "set network tunnel ipsec NAME"
_UNIT = "set network interface tunnel units TUNNEL"
_RULE = "set VSYSrulebase security rules"
_PERMIT = "application any service any action allow"
_USUAL = "service application-default action allow"
# In the order in which they may stand; what is in MAY may be left out, what is in _PAIR stands once a pair.
STATEMENTS = {
    "scripting": "set cli scripting-mode on",
    "configure": "configure",
    "ike_encryption": f"{_IKE} encryption VALUE",
    "ike_hash": f"{_IKE} hash VALUE",
    "ike_group": f"{_IKE} dh-group VALUE",
    "ike_lifetime": f"{_IKE} lifetime SECOND VALUE",
    "esp_encryption": f"{_ESP} esp encryption VALUE",
    "esp_hash": f"{_ESP} esp authentication VALUE",
    "esp_group": f"{_ESP} dh-group VALUE",
    "esp_lifetime": f"{_ESP} lifetime SECOND VALUE",
    "esp_lifesize": f"{_ESP} lifesize SECOND VALUE",
    "gateway_ipv6": f"{_GATEWAY} ipv6 yes",
    "outside": f"{_GATEWAY} local-address interface VALUE",
    "peer": f"{_GATEWAY} peer-address ip VALUE",
    "key": f"{_GATEWAY} authentication pre-shared-key key KEY",
    "local_type": f"{_GATEWAY} local-id type VALUE",
    "local_id": f"{_GATEWAY} local-id id VALUE",
    "peer_type": f"{_GATEWAY} peer-id type VALUE",
    "peer_id": f"{_GATEWAY} peer-id id VALUE",
    "version": f"{_GATEWAY} protocol version VALUE",
    "profile": f"{_GATEWAY} protocol SECOND ike-crypto-profile VALUE",
    "mode": f"{_GATEWAY} protocol ikev1 exchange-mode VALUE",
    "dpd": f"{_GATEWAY} protocol SECOND dpd enable VALUE",
    "dpd_interval": f"{_GATEWAY} protocol SECOND dpd interval VALUE",
    "dpd_retry": f"{_GATEWAY} protocol ikev1 dpd retry VALUE",
    "nat_traversal": f"{_GATEWAY} protocol-common nat-traversal enable yes",
    "passive": f"{_GATEWAY} protocol-common passive-mode no",
    "ping": "set network profiles interface-management-profile NAME ping yes",
    "permitted": "set network profiles interface-management-profile NAME permitted-ip VALUE",
    "mtu": f"{_UNIT} mtu VALUE",
    "unit_ipv6": f"{_UNIT} ipv6 enabled yes",
    "unit_ip": f"{_UNIT} ip VALUE",
    "unit_ip6": f"{_UNIT} ipv6 address VALUE enable-on-interface yes",
    "answering": f"{_UNIT} interface-management-profile VALUE",
    "import": "set VSYSimport network interface TUNNEL",
    "zone": "set VSYSzone ZONE network layer3 TUNNEL",
    "router": "set network ROUTER interface TUNNEL",
    "interface": f"{_TUNNEL} tunnel-interface TUNNEL",
    "gateway": f"{_TUNNEL} auto-key ike-gateway VALUE",
    "esp_profile": f"{_TUNNEL} auto-key ipsec-crypto-profile VALUE",
    "tunnel_ipv6": f"{_TUNNEL} ipv6 yes",
    "local": "set network tunnel ipsec SAME auto-key SECOND PAIR local VALUE",
    "remote": "set network tunnel ipsec SAME auto-key SECOND PAIR remote VALUE",
    "protocol": "set network tunnel ipsec SAME auto-key SECOND PAIR protocol any",
    "monitored": f"{_TUNNEL} tunnel-monitor destination-ip VALUE",
    "monitor_proxy": f"{_TUNNEL} tunnel-monitor proxy-id VALUE",
    "monitor_profile": f"{_TUNNEL} tunnel-monitor tunnel-monitor-profile default",
    "monitor": f"{_TUNNEL} tunnel-monitor enable yes",
    "route": "set network ROUTER routing-table SECOND static-route PAIR destination VALUE interface TUNNEL",
    "ike_rule": (
        f"{_RULE} NAME-ike from ZONE to AGAIN source [ VALUE SECOND ] destination [ (?P=value) (?P=second) ] "
        f"application [ ike ipsec-esp ipsec-esp-udp ] {_USUAL}"
    ),
    "out": f"{_RULE} PAIR-out from ZONE to OTHER source VALUE destination SECOND {_PERMIT}",
    "in": f"{_RULE} PAIR-in from OTHER to ZONE source SECOND destination VALUE {_PERMIT}",
    "ping_rule": (
        f"{_RULE} NAME-ping from ZONE to AGAIN source VALUE destination SECOND application ping {_USUAL}"
    ),
    "ike_top": "move VSYSrulebase security rules NAME-ike top",
    "out_top": "move VSYSrulebase security rules PAIR-out top",
    "in_top": "move VSYSrulebase security rules PAIR-in top",
    "ping_top": "move VSYSrulebase security rules NAME-ping top",
    "nat": "set VSYSrulebase nat rules PAIR from ZONE to OTHER source VALUE destination SECOND service any",
    "nat_top": "move VSYSrulebase nat rules PAIR top",
}
PAIRED = {"local", "remote", "protocol", "out", "in", "out_top", "in_top"}
MAY_PAIRED = {"route", "nat", "nat_top"}
PROBE = {"ping", "permitted", "answering", "ping_rule", "ping_top"}
MONITOR = {"monitored", "monitor_proxy", "monitor_profile", "monitor"}
MAY = PROBE | MONITOR | {
    "gateway_ipv6", "tunnel_ipv6", "unit_ipv6", "unit_ip", "unit_ip6", "mode", "dpd_interval", "dpd_retry",
}  # fmt: skip
# PAN-OS refuses a reference to what it does not know yet: each of these before each of those.
BEFORE = (
    ("scripting", "configure"), ("configure", "ike_encryption"), ("ike_encryption", "profile"), ("mtu", "import"),
    ("import", "zone"), ("mtu", "router"), ("mtu", "interface"), ("outside", "gateway"), ("router", "route"),
    ("esp_encryption", "esp_profile"), ("ping", "answering"), ("ike_rule", "ike_top"), ("out", "out_top"),
    ("in", "in_top"), ("ping_rule", "ping_top"), ("nat", "nat_top"),
)  # fmt: skip


def _compiled(text: str) -> re.Pattern[str]:
    pieces = re.compile("|".join(_PIECES))
    literal = re.sub(
        r"\[ | \]", lambda found: found[0].replace("[", r"\[").replace("]", r"\]"), text
    )
    return re.compile(pieces.sub(lambda found: _PIECES[found[0]], literal), re.ASCII)


PATTERNS = {key: _compiled(text) for key, text in STATEMENTS.items()}
