"""Step 1: each list narrowed by the choices before it, the key, the health check, the tags."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests import factories as make
from tests.web.wizard.conftest import Walk, text
from tunnels.models import CustomerGateway, Tunnel

PARTS = {"HX-Request": "true", "HX-Target": "step-body"}


def _refresh(walk: Walk, **values: Any) -> str:
    response = walk.post("basic", headers=PARTS, REFRESH="", **values)
    assert response.status_code == 200
    page = text(response)
    assert "invalid" not in page
    return page


def _value(page: str, name: str) -> str:
    field = re.search(rf'<input[^>]*name="basic-{name}"[^>]*>', page)
    found = re.search(r'value="([^"]*)"', field.group()) if field else None
    return found.group(1) if found else ""


def test_a_change_brings_the_fields_alone(walk: Walk) -> None:
    page = _refresh(walk, **walk.basic())
    assert "<form" not in page
    assert "sheet-foot" not in page
    assert _value(page, "name") == "idc-shanghai"


def test_the_only_choice_is_made_already(walk: Walk) -> None:
    page = text(walk.get("basic"))
    for value in (walk.gateway.region.code, walk.gateway.public_id):
        assert re.search(rf'<option value="{value}" selected', page)


def test_lists_are_narrowed_by_the_choices_before_them(walk: Walk) -> None:
    here = walk.gateway
    sibling = make.a_vpn_gateway(vpc=make.a_vpc("10.9.0.0/16", name="staging"), name="frankfurt-2")
    far = make.a_region("ap-east", "Hong Kong")
    away = make.a_vpn_gateway(vpc=make.a_vpc("10.8.0.0/16", region=far), name="hongkong-1")
    ccn = make.a_vpn_gateway(ccn=make.a_ccn(), name="frankfurt-ccn")

    page = _refresh(walk, **walk.basic())
    assert here.public_id in page
    assert not any(other.public_id in page for other in (sibling, away, ccn))

    page = _refresh(walk, **walk.basic(vpc=sibling.vpc.public_id if sibling.vpc else ""))
    assert sibling.public_id in page
    assert here.public_id not in page

    page = _refresh(walk, **walk.basic(region="ap-east", vpc="", vpn_gateway=""))
    assert re.search(rf'<option value="{away.public_id}" selected', page)
    assert here.public_id not in page

    page = _refresh(walk, **walk.basic(type="CCN"))
    assert ccn.public_id in page
    assert here.public_id not in page
    assert 'name="basic-vpc"' not in page


def test_a_gateway_that_does_not_fit_is_refused(walk: Walk) -> None:
    far = make.a_region("ap-east", "Hong Kong")
    make.a_vpn_gateway(vpc=make.a_vpc("10.8.0.0/16", region=far), name="hongkong-1")
    response = walk.post("basic", **walk.basic(region="ap-east"))
    assert response.status_code == 422
    assert "Choose a VPN gateway that fits the choices above." in text(response)


def test_it_shows_the_customer_gateways_address(walk: Walk) -> None:
    page = _refresh(walk, **walk.basic())
    assert re.search(rf"<output[^>]*>{walk.customer.public_ip}</output>", page)


def test_a_new_customer_gateway_is_asked_for_in_place(walk: Walk) -> None:
    page = _refresh(walk, **walk.basic(customer_gateway="new"))
    assert 'name="basic-new_customer_ip"' in page
    assert _value(page, "name") == "idc-shanghai"
    response = walk.post(
        "basic",
        **walk.basic(
            customer_gateway="new", new_customer_name="", new_customer_ip=str(walk.customer.public_ip)
        ),
    )  # fmt: skip
    assert response.status_code == 422
    assert "Give the customer gateway a name." in text(response)
    assert "already has this address; choose that one." in text(response)


def test_a_broadcast_address_is_no_customer_gateway(walk: Walk) -> None:
    over = {"customer_gateway": "new", "new_customer_name": "x", "new_customer_ip": "203.0.113.255"}
    response = walk.post("basic", **walk.basic(**over))
    assert response.status_code == 422
    assert "203.0.113.255 is a broadcast address" in text(response)


def test_a_new_customer_gateway_is_of_the_family_of_ours(walk: Walk) -> None:
    over = {"customer_gateway": "new", "new_customer_name": "x", "new_customer_ip": "2001:db8::7"}
    response = walk.post("basic", **walk.basic(**over))
    assert response.status_code == 422
    assert "both must be IPv4, or both IPv6" in text(response)


def test_a_new_customer_gateway_needs_the_permission(client: Client, db: None) -> None:
    user = make.a_user("olivia", "operator")
    group = user.groups.get()
    group.permissions.remove(group.permissions.get(codename="add_customergateway"))
    client.force_login(user)
    walk = Walk(client, make.a_vpn_gateway(), make.a_customer_gateway())
    assert 'value="new"' not in text(walk.get("basic"))
    over = {"customer_gateway": "new", "new_customer_name": "x", "new_customer_ip": "203.0.113.9"}
    assert walk.post("basic", **walk.basic(**over)).status_code == 422
    assert not CustomerGateway.objects.filter(name="x").exists()


def test_the_key_is_never_shown_again(walk: Walk) -> None:
    page = _refresh(walk, **walk.basic())
    assert make.CANARY_PSK not in page
    assert _value(page, "psk") == ""
    assert "A key of 26 characters is kept. Type to replace it." in page


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("", "Type a key, or generate one."),
        ("short", "must have 8 to 128 characters"),
        ("with some spaces", "without spaces"),
        ("x" * 129, "must have 8 to 128 characters"),
    ],
)
def test_a_bad_key_is_refused(walk: Walk, key: str, sentence: str) -> None:
    response = walk.post("basic", **walk.basic(psk=key))
    assert response.status_code == 422
    assert sentence in text(response)


def test_the_server_generates_a_key_where_no_script_runs(walk: Walk) -> None:
    response = walk.post("basic", **walk.basic(psk=""), GENERATE_PSK="1")
    assert response.status_code == 303
    assert "A key of 32 characters is kept." in text(walk.get("basic"))
    walk.post("basic", **walk.basic(psk=""))
    walk.post("spd", local=["10.0.0.0/24"], remotes=["192.168.0.0/24"])
    walk.post("ike", **walk.ike(), FINISH="1")
    assert len(Tunnel.objects.get().psk) == 32


def test_the_health_check_asks_for_addresses_only_when_on(walk: Walk) -> None:
    assert 'name="basic-health_local"' not in _refresh(walk, **walk.basic())
    assert 'name="basic-health_local"' in _refresh(walk, **walk.basic(health_enabled="on"))


def test_empty_health_addresses_are_assigned(walk: Walk) -> None:
    walk.to("ike", health_enabled="on", health_local="", health_remote="")
    walk.post("ike", **walk.ike(), FINISH="1")
    tunnel = Tunnel.objects.get()
    assert (str(tunnel.health_local), str(tunnel.health_remote)) == (
        "169.254.128.2",
        "169.254.128.3",
    )
    assert tunnel.mappings.count() == 2


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ({"health_local": "10.0.0.9"}, "use an address outside the VPC"),
        ({"health_remote": "224.0.0.5"}, "use a unicast address"),
        ({"health_remote": "169.254.1.1"}, "only 169.254.128.0/17 may be used"),
        ({"health_local": "nowhere"}, "is not an IP address"),
        ({"health_interval_ms": "10"}, "The interval in ms must be 1000 to 5000."),
        ({"health_threshold": "two"}, "Enter a whole number."),
    ],
)
def test_a_bad_health_check_is_refused(walk: Walk, over: dict[str, str], sentence: str) -> None:
    response = walk.post("basic", **walk.basic(health_enabled="on", **over))
    assert response.status_code == 422
    assert sentence in text(response)


def test_tags_come_and_go_row_by_row(walk: Walk) -> None:
    page = _refresh(walk, **walk.basic())
    assert 'name="basic-tag_key"' not in page
    values = walk.basic(tag_key=["env", "team"], tag_value=["prod", "net"])
    response = walk.post("basic", headers=PARTS, ADD_TAG="1", **values)
    assert text(response).count('name="basic-tag_key"') == 3
    assert '"id": "id_basic-tag_key-2"' in response.headers["HX-Trigger-After-Settle"]
    page = text(walk.post("basic", headers=PARTS, REMOVE_TAG="0", **values))
    assert re.findall(r'name="basic-tag_key" value="(\w*)"', page) == ["team"]
    assert re.findall(r'name="basic-tag_value" value="(\w*)"', page) == ["net"]


def test_a_bad_tag_is_told_at_its_row(walk: Walk) -> None:
    tags = {"tag_key": ["env", "", "env"], "tag_value": ["prod", "", "test"]}
    response = walk.post("basic", **walk.basic(**tags))
    assert response.status_code == 422
    page = text(response)
    assert "The tag “env” is there twice" in page
    assert page.count("id_basic-tag_key-2_error") == 2
    assert "id_basic-tag_key-0_error" not in page


@pytest.mark.parametrize("operation", ["ADD_TAG", "GENERATE_PSK", "REFRESH"])
def test_without_htmx_the_page_is_fetched_again(walk: Walk, operation: str) -> None:
    pressed: dict[str, Any] = {operation: "1"}
    response = walk.post("basic", **walk.basic(), **pressed)
    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{walk.url('basic')}#")
