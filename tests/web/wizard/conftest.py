"""A walk through the wizard, as a browser without JavaScript does it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories as make
from tunnels.models import CustomerGateway, VpnGateway

STEPS = ("basic", "spd", "ike", "ipsec")


class Walk:
    """One draft in one browser."""

    def __init__(self, client: Client, gateway: VpnGateway, customer: CustomerGateway) -> None:
        self.client = client
        self.gateway = gateway
        self.customer = customer
        self.draft: UUID = uuid4()

    def url(self, step: str) -> str:
        """The step's address."""
        return reverse("tunnels:wizard", kwargs={"draft": self.draft, "step": step})

    def get(self, step: str, **headers: str) -> Any:
        """The step's page."""
        return self.client.get(self.url(step), headers=headers)

    def post(self, step: str, headers: dict[str, str] | None = None, **values: Any) -> Any:
        """Send the step's form with these fields, prefixed, and these buttons (upper-case names)."""
        data: dict[str, Any] = {f"{self.draft}-current_step": step}
        for name, value in values.items():
            data[name.lower() if name.isupper() else f"{step}-{name}"] = value
        return self.client.post(self.url(step), data, headers=headers)

    def basic(self, **over: Any) -> dict[str, Any]:
        """Step 1 in order."""
        return {
            "name": "idc-shanghai",
            "region": self.gateway.region.code,
            "type": self.gateway.type,
            "vpc": self.gateway.vpc.public_id if self.gateway.vpc else "",
            "vpn_gateway": self.gateway.public_id,
            "customer_gateway": self.customer.public_id,
            "psk": make.CANARY_PSK,
            **over,
        }

    def ike(self, **over: Any) -> dict[str, Any]:
        """Step 3 in order."""
        return {
            "version": "2",
            "encryption": "aes-256",
            "integrity": "sha2-256",
            "dh_group": "dh14",
            "lifetime_seconds": "86400",
            "local_identity": "ip",
            "remote_identity": "ip",
            "negotiation": "active",
            **over,
        }

    def ipsec(self, **over: Any) -> dict[str, Any]:
        """Step 4 in order."""
        return {
            "encryption": "aes-256",
            "integrity": "sha2-256",
            "pfs": "dh14",
            "lifetime_seconds": "3600",
            "lifetime_kb": "1843200",
            **over,
        }

    def to(self, step: str, **basic: Any) -> Any:
        """Walk to this step and open it."""
        if step != "basic":
            self.post("basic", **self.basic(**basic))
        if step in ("ike", "ipsec"):
            self.post("spd", local=["10.0.0.0/24"], remotes=["192.168.0.0/24"])
        if step == "ipsec":
            self.post("ike", **self.ike())
        return self.get(step)


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    """A browser in which somebody who runs tunnels is signed in."""
    client.force_login(make.a_user("olivia", "operator"))
    return client


@pytest.fixture
def walk(operator: Client) -> Walk:
    """A fresh draft, and gateways to choose."""
    return Walk(operator, make.a_vpn_gateway(), make.a_customer_gateway())


def text(response: Any) -> str:
    """The page as text."""
    return str(response.content.decode())
