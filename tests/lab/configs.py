"""swanctl.conf texts written by hand, for tests of the lab itself."""

from __future__ import annotations

from tunnels.lab import Side

PAIRS = {4: ("10.0.0.0/24", "192.168.0.0/24"), 6: ("2001:db8:a::/64", "2001:db8:b::/64")}
KEY = "lab-test-key-0123456789"


def gateway_conf(gateway: Side, customer: Side, *, family: int = 4, name: str = "hand") -> str:
    """The gateway's side of a tunnel with one CHILD_SA a family, over public addresses of `family`."""
    return _conf(gateway, customer, family=family, name=name, swapped=False)


def customer_conf(gateway: Side, customer: Side, *, family: int = 4, name: str = "hand") -> str:
    """The customer's side of it."""
    return _conf(customer, gateway, family=family, name=name, swapped=True)


def _conf(own: Side, other: Side, *, family: int, name: str, swapped: bool) -> str:
    here, there = _public(own, family), _public(other, family)
    children = ""
    for version, pair in PAIRS.items():
        local, remote = pair[::-1] if swapped else pair
        children += f"""
            {name}-{version} {{
                local_ts = {local}
                remote_ts = {remote}
                esp_proposals = aes256-sha256
            }}"""
    return f"""
connections {{
    {name} {{
        version = 2
        local_addrs = {here}
        remote_addrs = {there}
        proposals = aes256-sha256-ecp256
        unique = replace
        local {{
            auth = psk
        }}
        remote {{
            auth = psk
        }}
        children {{{children}
        }}
    }}
}}
secrets {{
    ike-{name} {{
        id-1 = {here}
        id-2 = {there}
        secret = "{KEY}"
    }}
}}
"""


def _public(side: Side, family: int) -> str:
    return next(address for address in side.addresses if (":" in address) == (family == 6))
