"""What the files for Linux and OpenBSD have in common."""

from __future__ import annotations

import pytest

from tests.builders import a_rule, a_tunnel_spec
from tunnels.devices.registry import PLATFORMS

DAEMONS = ("strongswan-swanctl", "strongswan-ipsec-conf", "libreswan", "openiked")


@pytest.mark.parametrize("daemon", DAEMONS)
def test_it_warns_of_a_tunnel_for_everything(daemon: str) -> None:
    """Its policies match what the device answers to its own network, too."""

    def warnings(local: str, remote: str) -> list[str]:
        spec = a_tunnel_spec(rules=(a_rule(local, remote),))
        return [one for one in PLATFORMS[daemon].losses(spec) if "lock yourself out" in one]

    for everything, own in (("0.0.0.0/0", "192.168.0.0/24"), ("::/0", "fd00::/64")):
        [warning] = warnings(everything, own)
        assert "is everything" in warning
        assert "First " in warning
        assert warnings(own, everything) == []
    assert warnings("10.0.0.0/8", "192.168.0.0/16") == []
