"""One customer's key does not open the door as another customer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import a_tunnel_spec, an_endpoint
from tunnels.agent.render import connection_message, secret_messages
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.domain.proposals import IkeSettings
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec
from tunnels.lab import Lab, Side
from tunnels.lab.negotiation import customer_files, document_of

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]

ALICE, BERTA = "alice.example.com", "berta.example.com"
KEYS = {ALICE: Secret("the-key-of-alice-1"), BERTA: Secret("the-key-of-berta-2")}


def _spec(number: int, customer: str) -> TunnelSpec:
    return a_tunnel_spec(
        id=f"vpnx-keytest{number}",
        local=an_endpoint("gateway", "203.0.113.10"),
        remote=an_endpoint(customer, "203.0.113.20", customer),
        ike=IkeSettings(remote_fqdn=customer),
        psk=KEYS[customer],
        health=None,
    )


def _initiates(branch: Side, spec: TunnelSpec) -> str:
    """What the branch hears when it comes with this file."""
    [file] = customer_files(spec)
    branch.install(file.text, "keytest.conf")
    said = branch.swanctl(
        "--initiate", "--ike", spec.id, "--child", f"{spec.id}-1", "--timeout", "10", check=False
    )
    branch.swanctl("--terminate", "--ike", spec.id, "--force", "--timeout", "1", check=False)
    branch.uninstall("keytest.conf")
    return said


def test_a_key_is_good_for_its_own_customer_only(lab: Lab) -> None:
    specs = {customer: _spec(number, customer) for number, customer in enumerate(KEYS)}
    charon = ViciCharon(f"unix://{lab.gateway.vici_socket}")
    try:
        for spec in specs.values():
            for message in secret_messages(document_of(spec)):
                charon.load_shared(message)
            charon.load_connection(connection_message(document_of(spec)))
        assert "initiate completed successfully" in _initiates(lab.branch, specs[BERTA])
        stolen = replace(specs[BERTA], psk=KEYS[ALICE])
        assert "AUTHENTICATION_FAILED" in _initiates(lab.branch, stolen)
    finally:
        for spec in specs.values():
            charon.unload_connection(spec.id)
            charon.unload_shared(spec.id)
        charon.close()
