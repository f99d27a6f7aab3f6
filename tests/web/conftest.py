"""What tests of several kinds of pages start from."""

from __future__ import annotations

import pytest
from django.test import Client

from tests import factories as make
from tests.web.stand_in import ACME
from tunnels.devices import registry
from tunnels.devices.base import Platform
from tunnels.devices.sheet.platform import SHEET
from tunnels.devices.strongswan_swanctl.platform import PLATFORM as SWANCTL


@pytest.fixture
def admin(client: Client) -> Client:
    """Somebody who may do everything."""
    client.force_login(make.a_user("ada", "admin"))
    return client


@pytest.fixture
def viewer() -> Client:
    """Somebody else, who may look and see no keys."""
    client = Client()
    client.force_login(make.a_user("vera", "viewer"))
    return client


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> Platform:
    """The stand-in device, offered beside strongSwan's and the settings sheet."""
    offered = {one.id: one for one in (ACME, SWANCTL, SHEET)}
    monkeypatch.setattr(registry, "PLATFORMS", offered)
    return ACME
