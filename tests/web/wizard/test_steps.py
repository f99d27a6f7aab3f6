"""The way through the four steps."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories as make
from tests.web.wizard.conftest import STEPS, Walk, text
from tunnels.models import Tunnel

DIALOG = {"HX-Request": "true", "HX-Target": "dialog-body"}


@pytest.mark.parametrize("step", STEPS)
def test_it_shows_each_step_in_few_queries(
    walk: Walk, step: str, django_assert_max_num_queries: Any
) -> None:
    walk.to(step)
    with django_assert_max_num_queries(12):
        response = walk.get(step)
    assert response.status_code == 200
    assert f'action="{walk.url(step)}"' in text(response)
    assert text(response).count('aria-current="step"') == 1


@pytest.mark.parametrize("step", STEPS)
def test_it_shows_each_step_in_the_dialog(walk: Walk, step: str) -> None:
    walk.to(step)
    page = text(walk.get(step, **DIALOG))
    assert "<html" not in page
    assert 'hx-boost="true"' in page
    assert 'id="dialog-title"' in page


def test_it_begins_with_a_draft_of_its_own(operator: Client) -> None:
    first, second = (operator.get(reverse("tunnels:create")) for _ in range(2))
    assert first.status_code == 303
    assert re.fullmatch(r"/tunnels/new/[0-9a-f-]{36}/basic/", first.headers["Location"])
    assert first.headers["Location"] != second.headers["Location"]
    assert "drafts" not in operator.session


def test_it_makes_the_tunnel_on_the_last_step(walk: Walk) -> None:
    walk.to("ipsec", tag_key=["env"], tag_value=["prod"])
    response = walk.post("ipsec", **walk.ipsec(), FINISH="1")
    assert response.status_code == 303
    assert response.headers["Location"] == reverse("tunnels:list")
    tunnel = Tunnel.objects.get()
    assert tunnel.name == "idc-shanghai"
    assert tunnel.vpn_gateway == walk.gateway
    assert tunnel.customer_gateway == walk.customer
    assert tunnel.psk.reveal() == make.CANARY_PSK
    assert tunnel.tags == {"env": "prod"}
    assert [str(mapping) for mapping in tunnel.mappings.all()] == ["10.0.0.0/24 ↔ 192.168.0.0/24"]
    assert (tunnel.ike.encryption, tunnel.ike.dh_group) == ("aes-256", "dh14")
    assert (tunnel.ipsec.encryption, tunnel.ipsec.pfs) == ("aes-256", "dh14")


def test_it_names_the_new_tunnel(walk: Walk) -> None:
    walk.to("ipsec")
    response = walk.post("ipsec", **walk.ipsec(), FINISH="1")
    told = [str(message) for message in response.wsgi_request._messages]
    assert told == ["Tunnel idc-shanghai was created. Its gateway will bring it up."]


def test_it_closes_the_dialog_and_tells_the_list(walk: Walk) -> None:
    walk.to("ipsec")
    response = walk.post("ipsec", headers=DIALOG, **walk.ipsec(), FINISH="1")
    assert response.status_code == 204
    assert {"dialog:close", "tunnels-changed", "toasts"} <= set(
        re.findall(r'"([a-z:-]+)": ', response.headers["HX-Trigger"])
    )


def test_next_stays_in_the_dialog(walk: Walk) -> None:
    response = walk.post("basic", headers=DIALOG, **walk.basic())
    assert response.status_code == 303
    assert response.headers["Location"] == walk.url("spd")


def test_it_finishes_on_step_3_with_the_modern_preset_for_step_4(walk: Walk) -> None:
    walk.to("ike")
    walk.post("ike", **walk.ike(), FINISH="1")
    tunnel = Tunnel.objects.get()
    assert (tunnel.ike.encryption, tunnel.ike.dh_group) == ("aes-256", "dh14")
    assert (tunnel.ipsec.encryption, tunnel.ipsec.pfs) == ("aes-256-gcm", "dh19")


def test_it_finishes_on_step_3_with_the_preset_that_was_chosen(walk: Walk) -> None:
    walk.to("ike")
    walk.post("ike", **walk.ike(), PRESET="legacy")
    page = text(walk.get("ike"))
    assert "These are the defaults of consoles of the past." in page
    legacy = walk.ike(version="1", mode="main", encryption="3des", integrity="sha1", dh_group="dh1")
    walk.post("ike", **legacy, FINISH="1")
    tunnel = Tunnel.objects.get()
    assert (tunnel.ike.version, tunnel.ike.encryption, tunnel.ike.dh_group) == (1, "3des", "dh1")
    assert (tunnel.ipsec.encryption, tunnel.ipsec.integrity, tunnel.ipsec.pfs) == (
        "aes-128",
        "sha1",
        "",
    )


def test_finish_does_not_pass_over_required_steps(walk: Walk) -> None:
    response = walk.post("basic", **walk.basic(), FINISH="1")
    assert response.headers["Location"] == walk.url("spd")
    assert not Tunnel.objects.exists()


@pytest.mark.parametrize("step", ["spd", "ike", "ipsec"])
def test_it_begins_again_where_a_step_is_missing(walk: Walk, step: str) -> None:
    walk.post("basic", **walk.basic(name=""))
    response = walk.get(step)
    assert response.status_code == 303
    assert response.headers["Location"] == walk.url("basic")


def test_a_mistake_stands_by_its_field_and_keeps_what_was_typed(walk: Walk) -> None:
    response = walk.post("basic", **walk.basic(name="  ", tag_key=["env"], tag_value=["prod"]))
    assert response.status_code == 422
    page = text(response)
    assert "Give the tunnel a name." in page
    assert re.search(r'<input[^>]*name="basic-name"[^>]*aria-invalid="true"', page)
    assert 'value="env"' in page
    assert "A key of 26 characters is kept." in page


def test_it_leads_to_the_gateways_when_there_are_none(operator: Client) -> None:
    start = operator.get(reverse("tunnels:create"), follow=True)
    assert "No VPN gateway yet" in text(start)
    assert f'href="{reverse("tunnels:vpngateway-list")}"' in text(start)
