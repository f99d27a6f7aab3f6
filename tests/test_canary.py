"""A day's work with one pre-shared key, and then a search for it everywhere it must not be.

`tests/canary.py` looks into every response and log line while it happens; here we look at what stays.
"""

from __future__ import annotations

import base64
import json
import subprocess
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests import canary
from tests import factories as make
from tests.web.wizard.conftest import Walk
from tunnels.domain.findings import RuleError
from tunnels.domain.secret import Secret
from tunnels.models import Event, Tunnel, vault
from tunnels.services.editing import update_basics
from tunnels.services.rotation import start_rotation
from tunnels.services.specs import spec_of
from vpnconsole.postgres import programs


def _disguises(text: str) -> list[str]:
    """The key, and what it looks like behind the encodings that our own code uses."""
    raw = text.encode()
    return [
        text,
        quote(text),
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("="),
        json.dumps(text)[1:-1],
    ]


def _dump() -> str:
    settings = connection.settings_dict
    command = [str(programs() / "pg_dump"), "--inserts", "-d", settings["NAME"]]
    for option, key in (("-h", "HOST"), ("-p", "PORT"), ("-U", "USER")):
        if settings[key]:
            command += [option, str(settings[key])]
    environment = {"PGPASSWORD": str(settings["PASSWORD"])} if settings["PASSWORD"] else None
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def _work(client: Client) -> Tunnel:
    """Everything that ever touches a key."""
    client.force_login(make.a_user("ada", "admin"))
    gateway, customer = make.a_vpn_gateway(), make.a_customer_gateway()
    unfinished = Walk(client, gateway, customer)
    unfinished.to("ike")
    mistaken = Walk(client, gateway, customer)
    mistaken.post("basic", **mistaken.basic(name="", psk=make.CANARY_PSK))
    refused = Walk(client, gateway, customer)
    refused.post("basic", **refused.basic(psk=f"{make.CANARY_PSK} with spaces"))
    finished = Walk(client, gateway, customer)
    finished.to("ipsec")
    finished.post("ipsec", **finished.ipsec())
    tunnel = Tunnel.objects.get()
    for name in ("detail", "log", "config", "tags", "reset-confirm", "delete-confirm"):
        client.get(reverse(f"tunnels:{name}", kwargs={"public_id": tunnel.public_id}))
    for step in ("basic", "spd", "ike", "ipsec"):
        client.get(reverse("tunnels:edit", kwargs={"public_id": tunnel.public_id, "step": step}))
    revealed = client.post(reverse("tunnels:reveal-psk", kwargs={"public_id": tunnel.public_id}))
    assert make.CANARY_PSK in revealed.content.decode(), "else this test looks for the wrong key"
    download = {"vendor": "strongSwan", "platform": "strongswan-swanctl", "version": "5.9+"}
    url = reverse("tunnels:config-download", kwargs={"public_id": tunnel.public_id})
    assert make.CANARY_PSK in client.post(url, {**download, "key": "with"}).content.decode()
    assert make.CANARY_PSK not in client.post(url, download).content.decode()
    # A key that changes to itself plus a letter and back, and one that is refused.
    longer = make.CANARY_PSK + "x"
    for text in (longer, make.CANARY_PSK):
        update_basics(
            actor=make.SYSTEM,
            tunnel=tunnel,
            name="renamed",
            health=None,
            tags={},
            psk=Secret(text),
        )
    # It becomes the previous key, and stays that.
    start_rotation(actor=make.SYSTEM, tunnel=tunnel, psk=Secret(longer))
    for name in ("detail", "detail-live", "log", "traffic"):
        client.get(reverse(f"tunnels:{name}", kwargs={"public_id": tunnel.public_id}))
    for action in ("start", "finish", "cancel"):
        client.get(reverse("tunnels:rotation-confirm", args=[tunnel.public_id, action]))
    with pytest.raises(RuleError) as error:
        update_basics(
            actor=make.SYSTEM,
            tunnel=tunnel,
            name="x",
            health=None,
            tags={},
            psk=Secret(f"{make.CANARY_PSK} "),
        )
    assert make.CANARY_PSK not in f"{error.value!r} {error.value} {error.value.findings}"
    return tunnel


@pytest.mark.django_db(transaction=True)
def test_the_key_is_nowhere_that_it_must_not_be(client: Client) -> None:
    tunnel = _work(client)
    spec = spec_of(Tunnel.objects.select_related("ike", "ipsec").get(pk=tunnel.pk))
    places: dict[str, Any] = {
        "the database dump": _dump(),
        "the sessions": [session.get_decoded() for session in Session.objects.all()],
        "the events": list(Event.objects.values()),
        "the repr of rows": [
            f"{row!r} {row} {vars(row)}"
            for model in apps.get_models()
            for row in model._default_manager.all()
        ],
        "the repr of the specification": f"{spec!r} {spec}",
    }
    assert "psk-revealed" in str(places["the events"])
    assert "COPY" in places["the database dump"] or "INSERT" in places["the database dump"]
    for place, content in places.items():
        for disguise in _disguises(make.CANARY_PSK):
            assert disguise not in str(content), f"the key is in {place}"
    assert canary.leaks == []


@pytest.mark.django_db(transaction=True)
def test_the_search_finds_a_key_that_is_there() -> None:
    """Else the search above proves nothing."""
    region = make.a_region()
    region.name = make.CANARY_PSK
    region.save()
    assert make.CANARY_PSK in _dump()
    assert make.CANARY_PSK not in vault.encrypt(Secret(make.CANARY_PSK))
