from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_tunnel_spec
from tests.devices.cases import CASES, render_case
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.proposals import IkeSettings
from tunnels.domain.spec import TunnelSpec

SHEET = PLATFORMS["generic-sheet"]


def parts_of(spec: TunnelSpec) -> dict[str, list[str]]:
    """The lines under each underlined heading."""
    lines = render_case(SHEET, spec).text.splitlines()
    headings = [
        index
        for index, line in enumerate(lines)
        if line and set(line) <= {"-", "="} and len(line) > 2
    ]
    ends = [*(heading - 1 for heading in headings[1:]), len(lines)]
    return {
        lines[heading - 1]: [line for line in lines[heading + 1 : end] if line]
        for heading, end in zip(headings, ends, strict=True)
    }


def table(lines: list[str]) -> dict[str, str]:
    return {line[:22].strip(): line[22:] for line in lines}


def test_it_names_both_sides_from_the_customers_view() -> None:
    parts = parts_of(CASES["ikev1-aggressive-fqdn"])
    assert table(parts["Your device"]) == {
        "Name": "shanghai-router",
        "Public address": "198.51.100.2",
        "IKE identity": "router.example.com, type domain name (FQDN)",
    }
    assert table(parts["VPN gateway"]) == {
        "Name": "gateway-beijing",
        "Public address": "203.0.113.10",
        "IKE identity": "gateway.example.net, type domain name (FQDN)",
    }
    assert parts["Pre-shared key"] == ["Golden-Key_73519"]


def test_it_says_every_value_of_both_steps() -> None:
    parts = parts_of(CASES["ikev1-main"])
    assert table(parts["IKE (phase 1)"]) == {
        "Version": "IKEv1",
        "Negotiation mode": "main mode",
        "Authentication": "pre-shared key",
        "Encryption": "3DES",
        "Integrity and PRF": "SHA1",
        "Diffie-Hellman": "DH2 (1024-bit MODP)",
        "Lifetime": "28800 s",
        "Who starts": "the VPN gateway, at once; your device may too",
        "Dead peer detection": "on, 45 s",
        "When silent": "negotiate again (restart)",
        "NAT traversal": "automatic",
    }
    assert table(parts["IPsec (phase 2)"]) == {
        "Protocol": "ESP, tunnel mode",
        "Encryption": "AES-128",
        "Integrity": "MD5",
        "PFS": "off",
        "Lifetime": "7200 s",
        "Volume": "4608000 KB (4500.0 MB)",
    }


def test_it_explains_an_aead() -> None:
    parts = parts_of(CASES["health-check"])
    ike, ipsec = table(parts["IKE (phase 1)"]), table(parts["IPsec (phase 2)"])
    assert (ike["Integrity"], ike["PRF"]) == ("none (part of the encryption)", "SHA2-256")
    assert "Negotiation mode" not in ike
    assert ipsec["Integrity"] == "none (part of the encryption)"
    assert ipsec["PFS"] == "DH31 (Curve25519)"


@pytest.mark.parametrize("case", CASES)
def test_it_lists_every_pair_swapped(case: str) -> None:
    spec = CASES[case]
    lines = parts_of(spec)["Mappings"]
    head = next(index for index, line in enumerate(lines) if line.startswith("No."))
    found = [line.split()[:3] for line in lines[head + 1 :]]
    assert found == [
        [str(number), str(mapping.remote), str(mapping.local)]
        for number, mapping in enumerate(spec.mappings, start=1)
    ]


def test_it_says_which_address_the_device_must_own() -> None:
    assert table(parts_of(CASES["health-check"])["Health check"]) == {
        "Asked address": "169.254.128.3 (your device must own it and answer)",
        "Asking address": "169.254.128.2 (VPN gateway)",
        "Probe": "ICMP echo every 3000 ms, lost after 250 ms",
        "Unhealthy": "after 4 lost probes in a row",
    }
    assert table(parts_of(CASES["ikev1-main"])["Health check"]) == {"Health check": "off"}


def test_it_says_that_dpd_is_off() -> None:
    ike = table(parts_of(a_tunnel_spec(ike=IkeSettings(dpd_enabled=False)))["IKE (phase 1)"])
    assert ike["Dead peer detection"] == "off"
    assert "When silent" not in ike


@given(st.text(max_size=60), st.text("\n\r\u2028\x85\x0b\x0c-= a", max_size=60))
def test_it_lets_no_name_make_a_line(name: str, device: str) -> None:
    plain = a_tunnel_spec()
    spec = replace(plain, name=name, remote=replace(plain.remote, name=device))
    lines = render_case(SHEET, spec).text.splitlines()
    assert len(lines) == len(render_case(SHEET, plain).text.splitlines())
