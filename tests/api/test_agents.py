"""The two addresses that agents call: tokens, contract, and answers that change nothing by mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests import factories as make
from tunnels.contract import SyncAnswer
from tunnels.models import GatewayAgent, Tunnel
from tunnels.services.enrolment import revoke_agent, start_enrolment

pytestmark = pytest.mark.django_db

NOON, NO_ZONE = "2026-01-01T12:00:00Z", "2026-01-01T12:00:00"
SYNC, ENROL = "/api/agent/v1/sync", "/api/agent/v1/enrol"


def _enrolled(client: Client, tunnel: Tunnel) -> str:
    one_time = start_enrolment(actor=make.SYSTEM, vpn_gateway=tunnel.vpn_gateway)
    answer = client.post(ENROL, {"token": one_time}, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json()["gateway"] == tunnel.vpn_gateway.public_id
    return str(answer.json()["token"])


def _body(**said: Any) -> dict[str, Any]:
    facts = {"agent_version": "1", "boot_id": "b", "clock": timezone.now().isoformat()}
    return {"schema_version": 1, "facts": facts, **said}


def _sync(client: Client, token: str, body: Any, **headers: str) -> Any:
    return client.post(
        SYNC,
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}", **headers},
    )


@pytest.fixture
def strict() -> Client:
    """Agents have no cookie and no CSRF token."""
    return Client(enforce_csrf_checks=True)


def test_an_agent_enrols_and_gets_its_tunnels(strict: Client, settings: Any) -> None:
    # This answer is the one place besides the file where the key is meant to be.
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "canary" not in name]
    tunnel = make.a_tunnel(*make.SEED_RULES)
    token = _enrolled(strict, tunnel)
    answer = _sync(strict, token, _body())
    assert answer.status_code == 200
    parsed = SyncAnswer.model_validate_json(answer.content)
    assert parsed.gateway == tunnel.vpn_gateway.public_id
    assert parsed.tunnels is not None
    assert parsed.tunnels[0].psk.get_secret_value() == make.CANARY_PSK
    unchanged = _sync(strict, token, _body(revision=parsed.revision))
    assert unchanged.json()["tunnels"] is None


@pytest.mark.parametrize("token", ["", "wrong", "ü", "x" * 5000])
def test_a_wrong_token_is_401_and_shows_on_the_gateway(strict: Client, token: str) -> None:
    tunnel = make.a_tunnel()
    _enrolled(strict, tunnel)
    header = {"VPN-Gateway": tunnel.vpn_gateway.public_id}
    answer = _sync(strict, token.encode().decode("latin-1"), _body(), **header)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    if token:
        assert GatewayAgent.objects.get().refused_at is not None
    tunnel.vpn_gateway.refresh_from_db()
    assert tunnel.vpn_gateway.last_seen is None


def test_a_revoked_token_is_401(strict: Client) -> None:
    tunnel = make.a_tunnel()
    token = _enrolled(strict, tunnel)
    revoke_agent(actor=make.SYSTEM, vpn_gateway=tunnel.vpn_gateway)
    assert _sync(strict, token, _body()).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "<html></html>",
        json.dumps(
            {
                "schema_version": 2,
                "facts": {"agent_version": "1", "boot_id": "b", "clock": NOON},
            }
        ),
        json.dumps({"schema_version": 1}),
        json.dumps(
            {
                "schema_version": 1,
                "facts": {"agent_version": "1", "boot_id": "b", "clock": NO_ZONE},
            }
        ),
    ],
)
def test_what_does_not_follow_the_contract_changes_nothing(strict: Client, body: str) -> None:
    tunnel = make.a_tunnel()
    token = _enrolled(strict, tunnel)
    answer = _sync(strict, token, body)
    assert answer.status_code in (400, 422)
    tunnel.vpn_gateway.refresh_from_db()
    assert tunnel.vpn_gateway.last_seen is None


def test_a_refusal_does_not_repeat_what_was_sent(strict: Client) -> None:
    token = _enrolled(strict, make.a_tunnel())
    answer = _sync(strict, token, _body(tunnels=[{"id": make.CANARY_PSK}]))
    assert answer.status_code == 422
    assert "tunnels" in answer.json()["detail"]


@pytest.mark.parametrize("address", [SYNC, ENROL])
def test_a_get_is_405(strict: Client, address: str) -> None:
    assert strict.get(address).status_code == 405


def test_an_unknown_one_time_token_is_refused_with_the_way_out(strict: Client) -> None:
    answer = strict.post(ENROL, {"token": "nonsense"}, content_type="application/json")
    assert answer.status_code == 422
    assert "make a new one" in answer.json()["detail"]
