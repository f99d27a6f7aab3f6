"""Drafts: what is stored, for how long, and the traps of form wizards."""

from __future__ import annotations

import datetime
import json
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import factories as make
from tests.web.wizard.conftest import Walk, text
from tunnels.models import Tunnel


def _stored(walk: Walk) -> dict[str, dict[str, object]]:
    drafts: dict[str, dict[str, object]] = walk.client.session.get("drafts", {})
    return drafts


def _age(walk: Walk, hours: float) -> None:
    session = walk.client.session
    drafts = session["drafts"]
    for draft in drafts.values():
        draft["touched"] -= datetime.timedelta(hours=hours).total_seconds()
    session["drafts"] = drafts
    session.save()


def test_get_resumes_instead_of_starting_over(walk: Walk) -> None:
    walk.post("basic", **walk.basic(name="half-way"))
    assert 'value="half-way"' in text(walk.get("basic"))
    assert 'value="half-way"' in text(walk.get("basic"))


def test_get_writes_nothing(walk: Walk) -> None:
    walk.to("ike")
    before = json.dumps(_stored(walk))
    for step in ("basic", "spd", "ike", "ipsec", "done"):
        walk.get(step)
    assert json.dumps(_stored(walk)) == before


def test_an_unknown_step_is_not_there(walk: Walk) -> None:
    assert walk.get("review").status_code == 404
    assert walk.post("review").status_code == 404


@pytest.mark.parametrize("forged", ["review", "spd", ""])
def test_a_forged_current_step_is_refused(walk: Walk, forged: str) -> None:
    data = {f"{walk.draft}-current_step": forged}
    assert walk.client.post(walk.url("basic"), data).status_code == 400
    assert walk.client.post(walk.url("basic"), {}).status_code == 400


def test_a_forged_way_back_is_refused(walk: Walk) -> None:
    assert walk.post("basic", **walk.basic(), WIZARD_GOTO_STEP="done").status_code == 400


def test_done_never_creates_on_get(walk: Walk) -> None:
    assert walk.get("done").status_code == 303
    walk.post("basic", **walk.basic())
    assert walk.get("done").headers["Location"] == walk.url("spd")
    walk.to("ipsec")
    walk.post("ipsec", **walk.ipsec(), WIZARD_GOTO_STEP="ike")
    response = walk.get("done")
    assert response.status_code == 303
    assert response.headers["Location"] == walk.url("ipsec")
    assert not Tunnel.objects.exists()


def test_the_session_holds_neither_the_key_nor_the_token(walk: Walk) -> None:
    data = {f"basic-{name}": value for name, value in walk.basic().items()}
    data |= {
        f"{walk.draft}-current_step": "basic",
        "csrfmiddlewaretoken": "token-of-this-page",
        "basic-sneaked-in": "not a field",
    }
    walk.client.post(walk.url("basic"), data)
    stored = json.dumps(_stored(walk))
    assert "idc-shanghai" in stored
    for unwanted in (make.CANARY_PSK, "token-of-this-page", "csrf", "not a field", "basic-psk"):
        assert unwanted not in stored


def test_a_key_that_is_refused_is_not_stored_in_clear_either(walk: Walk) -> None:
    walk.post("basic", **walk.basic(psk="only ünder test"))
    assert "only" not in json.dumps(_stored(walk))
    assert "A key of 15 characters is kept." in text(walk.get("basic"))


def test_the_key_is_kept_until_another_is_typed(walk: Walk) -> None:
    walk.to("ike")
    walk.post("basic", **walk.basic(psk=""))
    walk.post("ike", **walk.ike(), FINISH="1")
    assert Tunnel.objects.get().psk.reveal() == make.CANARY_PSK


def test_back_keeps_what_was_typed(walk: Walk) -> None:
    walk.to("spd")
    half: dict[str, Any] = {"local": ["10.0.7.0/24"], "remotes": ["not yet"]}
    response = walk.post("spd", **half, WIZARD_GOTO_STEP="basic")
    assert response.headers["Location"] == walk.url("basic")
    walk.post("basic", **walk.basic())
    page = text(walk.get("spd"))
    assert 'value="10.0.7.0/24"' in page
    assert "not yet</textarea>" in page


def test_two_tabs_stay_apart(walk: Walk) -> None:
    walk.post("basic", **walk.basic(name="left-tab"))
    left, walk.draft = walk.draft, uuid4()
    walk.post("basic", **walk.basic(name="right-tab"))
    assert 'value="right-tab"' in text(walk.get("basic"))
    walk.draft = left
    assert 'value="left-tab"' in text(walk.get("basic"))


def test_another_session_cannot_see_a_draft(walk: Walk) -> None:
    walk.post("basic", **walk.basic(name="left-tab"))
    other = Client()
    other.force_login(make.a_user("oscar", "operator"))
    assert "left-tab" not in text(other.get(walk.url("basic")))


@pytest.mark.parametrize("act", ["get", "post"])
def test_an_expired_draft_says_so_and_starts_afresh(walk: Walk, act: str) -> None:
    walk.to("spd")
    _age(walk, 24.5)
    response = walk.get("spd") if act == "get" else walk.post("spd", local=["10.0.0.0/24"])
    assert response.headers["Location"] == reverse("tunnels:create")
    page = text(walk.client.get(response.headers["Location"], follow=True))
    assert "This draft is not there any more" in page
    assert 'value="idc-shanghai"' not in page


def test_a_draft_in_use_does_not_expire(walk: Walk) -> None:
    walk.to("spd")
    _age(walk, 20)
    walk.post("spd", local=["10.0.0.0/24"], remotes=["192.168.0.0/24"])
    _age(walk, 20)
    assert walk.get("spd").status_code == 200


def test_expired_drafts_leave_the_session(walk: Walk) -> None:
    walk.post("basic", **walk.basic())
    old, walk.draft = walk.draft, uuid4()
    _age(walk, 25)
    walk.post("basic", **walk.basic())
    assert list(_stored(walk)) == [str(walk.draft)]
    assert str(old) not in _stored(walk)


def test_of_more_than_ten_drafts_the_oldest_goes(walk: Walk) -> None:
    drafts = []
    for _ in range(11):
        walk.draft = uuid4()
        drafts.append(str(walk.draft))
        walk.post("basic", **walk.basic())
        _age(walk, 0.1)
    assert set(_stored(walk)) == set(drafts[1:])


def test_a_draft_cannot_grow_without_end(walk: Walk) -> None:
    walk.to("spd")
    response = walk.post("spd", local=["10.0.0.0/24"], remotes=["x" * 300_000])
    assert response.status_code == 400


def test_a_draft_survives_a_gateway_that_is_deleted(walk: Walk) -> None:
    walk.to("ike")
    spare = make.a_vpn_gateway(vpc=walk.gateway.vpc, name="spare")
    walk.gateway.delete()
    response = walk.get("spd")
    assert response.headers["Location"] == walk.url("basic")
    response = walk.post("ike", **walk.ike(), FINISH="1")
    assert response.headers["Location"] == walk.url("basic")
    page = text(walk.get("basic"))
    assert "Choose a VPN gateway that fits the choices above." in page
    assert spare.public_id in page


def test_a_key_that_the_vault_cannot_open_is_asked_for_again(walk: Walk) -> None:
    walk.post("basic", **walk.basic())
    session = walk.client.session
    drafts = session["drafts"]
    drafts[str(walk.draft)]["extra_data"]["psk"] = (
        Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    )
    session["drafts"] = drafts
    session.save()
    assert "is kept" not in text(walk.get("basic"))


def test_times_are_those_of_the_server(walk: Walk) -> None:
    before = timezone.now().timestamp()
    walk.post("basic", **walk.basic())
    touched = _stored(walk)[str(walk.draft)]["touched"]
    assert isinstance(touched, float)
    assert touched >= before
