"""What the device at the other end cannot do, marked while the tunnel is made and edited."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from tests import factories as make
from tests.web.wizard.conftest import STEPS, Walk, text
from tunnels.devices.base import Platform
from tunnels.domain.proposals import IkeSettings, IpsecSettings
from tunnels.models import CustomerGateway, Tunnel
from tunnels.web.wizard.device import PLACES

PARTS = {"HX-Request": "true", "HX-Target": "step-body"}
LINE = "The device at the other end is <strong>Acme Router 2</strong>; choices that it cannot do are marked."
NO_FILE = "there is no configuration file for this device"


@pytest.fixture
def at_acme(walk: Walk, acme: Platform) -> Walk:
    """A draft whose customer gateway is known to be the stand-in device."""
    CustomerGateway.objects.update(platform=acme.id, platform_version="2")
    return walk


def refresh(walk: Walk, step: str, **values: Any) -> str:
    return text(walk.post(step, headers=PARTS, REFRESH="", **values))


def options(page: str, name: str) -> dict[str, str]:
    found = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)
    assert found, name
    return dict(re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)</option>', found.group()))


def notes(page: str) -> list[str]:
    """The sentences at fields."""
    return re.findall(r'<p class="choice-note"><i[^>]*></i>([^<]*)</p>', page)


def above(page: str) -> list[str]:
    """The sentences above the fields."""
    part = page.partition(NO_FILE)[2].partition("</ul>")[0]
    return re.findall(r"<li>([^<]*)</li>", part)


@pytest.mark.parametrize("step", STEPS)
def test_it_says_nothing_while_the_device_is_not_known(
    walk: Walk, acme: Platform, step: str
) -> None:
    page = text(walk.to(step))
    assert "The device at the other end" not in page
    assert "not on" not in page


def test_it_marks_what_the_device_lacks(at_acme: Walk) -> None:
    at_acme.to("ike")
    page = refresh(at_acme, "ike", **at_acme.ike())
    assert LINE in page
    assert options(page, "ike-dh_group")["dh31"] == "DH31 (Curve25519) (modern, not on Router 2)"
    assert options(page, "ike-dh_group")["dh14"] == "DH14 (2048-bit MODP) (compatible)"
    assert options(page, "ike-encryption")["des"] == "DES (insecure, not on Router 2)"
    assert options(page, "ike-version") == {"1": "IKEv1 (not on Router 2)", "2": "IKEv2"}
    page = text(at_acme.to("ipsec"))
    assert options(page, "ipsec-pfs")["dh1"] == "DH1 (768-bit MODP) (insecure, not on Router 2)"
    assert "not on" not in options(page, "ipsec-encryption")["aes-256"]


def test_a_choice_that_it_lacks_is_noted_at_its_field_and_allowed(at_acme: Walk) -> None:
    at_acme.to("ike")
    chosen = at_acme.ike(dh_group="dh31", encryption="3des")
    page = refresh(at_acme, "ike", **chosen)
    assert notes(page) == [
        "Acme Router with IKEv2 has no 3DES as IKE encryption; the nearest that it has is AES-128.",
        (
            "Acme Router with IKEv2 has no DH31 (Curve25519) as Diffie-Hellman group; "
            "the nearest that it has is DH19 (256-bit elliptic curve)."
        ),
    ]
    assert above(page) == []
    at_acme.post("ike", **chosen, FINISH="1")
    assert Tunnel.objects.get().ike.dh_group == "dh31"


def test_a_version_that_it_does_not_speak_is_noted(at_acme: Walk) -> None:
    at_acme.to("ike")
    page = refresh(at_acme, "ike", **at_acme.ike(version="1", mode="main"))
    assert notes(page) == ["Acme Router does not speak IKEv1; choose IKEv2."]
    assert options(page, "ike-dh_group")["dh1"] == "DH1 (768-bit MODP) (insecure)"


def test_the_rules_are_judged_while_one_types(at_acme: Walk) -> None:
    at_acme.to("spd")
    check = reverse("tunnels:wizard-spd-check", kwargs={"draft": at_acme.draft})
    many = {
        "spd-local": ["10.0.0.0/24"],
        "spd-remotes": ["192.168.0.0/24 192.168.1.0/24 192.168.2.0/24"],
    }
    page = text(at_acme.client.post(check, many))
    sentence = (
        "Acme Router takes at most 2 pairs of ranges in one tunnel, and this one has 3; "
        "split the rules into several tunnels."
    )
    assert notes(page) == [sentence]
    few = {"spd-local": ["10.0.0.0/24"], "spd-remotes": ["192.168.0.0/24"]}
    assert notes(text(at_acme.client.post(check, few))) == []
    at_acme.post("spd", local=many["spd-local"], remotes=many["spd-remotes"])
    page = text(at_acme.get("spd"))
    assert LINE in page
    assert notes(page) == [sentence]


@pytest.mark.parametrize("step", ["ike", "ipsec"])
def test_all_of_the_draft_is_judged_before_it_is_finished(at_acme: Walk, step: str) -> None:
    at_acme.post("basic", **at_acme.basic(psk="Is-this-a-key?"))
    at_acme.post(
        "spd", local=["10.0.0.0/24"], remotes=["192.168.0.0/24 192.168.1.0/24 192.168.2.0/24"]
    )
    if step == "ipsec":
        at_acme.post("ike", **at_acme.ike(lifetime_seconds="100000"))
    page = text(at_acme.get(step))
    expected = [
        (
            "Acme Router takes at most 2 pairs of ranges in one tunnel, and this one has 3; "
            "split the rules into several tunnels."
        ),
        (
            "The pre-shared key holds ?, which cannot be written for Acme Router: it asks for help. "
            "Give the tunnel another key, without ?"
        ),
    ]
    if step == "ipsec":
        expected.insert(
            0,
            "Acme Router takes 120 to 86400 s as IKE lifetime, and 100000 s are set; the nearest is 86400 s.",
        )
    assert above(page) == expected
    assert "Finish" in page
    assert notes(page) == []


def test_mistakes_of_the_step_come_before_the_devices(at_acme: Walk) -> None:
    at_acme.to("ike")
    wrong = at_acme.ike(
        dh_group="dh31", lifetime_seconds="9" * 5_000, negotiation="x", mode="y", version="7", encryption="rot13"
    )  # fmt: skip
    assert notes(refresh(at_acme, "ike", **wrong)) == []
    response = at_acme.post("ike", **wrong)
    assert response.status_code == 422
    assert LINE in text(response)


def test_a_new_customer_gateway_has_no_device_yet(at_acme: Walk) -> None:
    page = text(
        at_acme.to(
            "ike", customer_gateway="new", new_customer_name="new", new_customer_ip="198.51.100.9"
        )
    )
    assert "The device at the other end" not in page


@pytest.mark.parametrize("step", STEPS)
def test_it_costs_one_query(at_acme: Walk, step: str, django_assert_max_num_queries: Any) -> None:
    at_acme.to(step)
    with django_assert_max_num_queries(12):
        at_acme.get(step)


@pytest.mark.parametrize("step", STEPS[1:])
def test_editing_marks_its_own_step(at_acme: Walk, step: str) -> None:
    tunnel = make.a_tunnel(
        *make.SEED_RULES,
        customer_gateway=at_acme.customer,
        ike=IkeSettings(dh_group="dh31"),
        ipsec=IpsecSettings(pfs="dh31"),
    )
    page = text(at_acme.client.get(reverse("tunnels:edit", args=[tunnel.public_id, step])))
    told = {"spd": "at most 2 pairs", "ike": "as Diffie-Hellman group", "ipsec": "as PFS group"}
    assert LINE in page
    assert above(page) == []
    assert len(notes(page)) == 1
    assert told[step] in notes(page)[0]


def test_editing_judges_the_rules_while_one_types(at_acme: Walk) -> None:
    tunnel = make.a_tunnel(customer_gateway=at_acme.customer)
    check = reverse("tunnels:edit-check", args=[tunnel.public_id])
    many = {
        "spd-local": ["10.0.0.0/24"],
        "spd-remotes": ["192.168.0.0/24 192.168.1.0/24 192.168.2.0/24"],
    }
    assert len(notes(text(at_acme.client.post(check, many)))) == 1


@pytest.mark.parametrize("step", STEPS[1:])
def test_editing_asks_the_database_as_often_for_many_mappings_as_for_few(
    at_acme: Walk, step: str, django_assert_max_num_queries: Any
) -> None:
    large = make.a_tunnel(
        *[f"10.0.{n}.0/24 192.168.{n}.0/25 192.168.{n}.128/25" for n in range(9)],
        customer_gateway=at_acme.customer,
    )
    with django_assert_max_num_queries(12):
        at_acme.client.get(reverse("tunnels:edit", args=[large.public_id, step]))


@pytest.mark.parametrize("step", PLACES)
def test_every_place_for_a_sentence_is_in_the_steps_template(step: str) -> None:
    template = (settings.BASE_DIR / "templates" / "tunnels" / "steps" / f"{step}.html").read_text()
    assert set(re.findall(r"notes=form\.device\.at\.(\w+)", template)) == set(PLACES[step])
