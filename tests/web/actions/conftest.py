"""Who acts, and on what."""

from __future__ import annotations

import pytest
from django.test import Client

from tests import factories as make
from tunnels.models import Tunnel
from tunnels.services.access import sync_roles


@pytest.fixture
def tunnel(db: None) -> Tunnel:
    """A tunnel on a gateway that was never seen."""
    return make.a_tunnel(tags={"env": "prod"})


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    """A browser of somebody who runs tunnels."""
    sync_roles()
    client.force_login(make.a_user("olga", "operator"))
    return client


def browser_of(role: str) -> Client:
    """A browser of somebody with this role."""
    sync_roles()
    client = Client()
    client.force_login(make.a_user(f"some-{role or 'stranger'}", role))
    return client
