"""Every address of the console, found by walking the URL configuration: who gets in, and what GET may not do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests import factories as make
from tunnels.models import Tunnel

pytestmark = pytest.mark.django_db

# One sample for every parameter that an address of ours may have.
SAMPLES = {
    "draft": UUID("7d3c5f9e-58d8-4d2f-9b0c-0d6f3a1e2b4c"),
    "step": "basic",
    "action": "reset",
    "pk": 1,
    "code": "eu-central",
    "username": "somebody",
    "ident": "eu-central",
}


def _walk(
    patterns: list[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, list[str]]]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace in (None, "tunnels"):
                yield from _walk(entry.url_patterns, entry.namespace or prefix)
        elif prefix == "tunnels" and entry.name:
            yield entry.name, re.findall(r"<(?:\w+:)?(\w+)>", str(entry.pattern))


def _names() -> list[tuple[str, list[str]]]:
    return sorted(_walk(get_resolver().url_patterns))


def _address(name: str, parameters: list[str], tunnel: Tunnel) -> str:
    known = {**SAMPLES, "public_id": tunnel.public_id}
    missing = [parameter for parameter in parameters if parameter not in known]
    assert not missing, f"add a sample for {missing} of tunnels:{name}"
    return reverse(
        f"tunnels:{name}", kwargs={parameter: known[parameter] for parameter in parameters}
    )


def test_the_walk_finds_the_console() -> None:
    names = {name for name, _ in _names()}
    assert {
        "list",
        "create",
        "detail",
        "reset",
        "delete",
        "log",
        "config",
        "region-list",
        "activity",
    } <= names


def test_nobody_gets_in_without_signing_in(client: Client) -> None:
    tunnel = make.a_tunnel()
    for name, parameters in _names():
        address = _address(name, parameters, tunnel)
        for response in (client.get(address), client.post(address)):
            assert response.status_code in (302, 405), f"{name} answered {response.status_code}"
            if response.status_code == 302:
                assert response.headers["Location"].startswith("/accounts/login/"), name
    assert Tunnel.objects.get() == tunnel


def test_to_a_stranger_nothing_exists(client: Client) -> None:
    tunnel = make.a_tunnel()
    client.force_login(make.a_user("stranger"))
    for name, parameters in _names():
        address = _address(name, parameters, tunnel)
        for response in (client.get(address), client.post(address)):
            assert response.status_code in (404, 405), f"{name} answered {response.status_code}"
    assert Tunnel.objects.get() == tunnel


def test_every_write_asks_for_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    tunnel = make.a_tunnel()
    client.force_login(make.a_user("ada", "admin"))
    for name, parameters in _names():
        response = client.post(_address(name, parameters, tunnel))
        assert response.status_code in (403, 405), f"{name} answered {response.status_code}"
    assert Tunnel.objects.get() == tunnel
