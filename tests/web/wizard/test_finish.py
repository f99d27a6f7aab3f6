"""Finish: once, whatever is pressed how often, and back to the step that has to be corrected."""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests import factories as make
from tests.web.wizard.conftest import Walk, text
from tunnels.domain.proposals import IkeSettings
from tunnels.models import CustomerGateway, Event, Tunnel
from tunnels.services.access import sync_roles

NEW = {
    "customer_gateway": "new",
    "new_customer_name": "idc-osaka-edge",
    "new_customer_ip": "198.51.100.77",
}


def test_a_second_finish_lands_on_the_same_tunnel(walk: Walk) -> None:
    walk.to("ipsec")
    first, second = (walk.post("ipsec", **walk.ipsec(), FINISH="1") for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"] == reverse("tunnels:list")
    assert Tunnel.objects.count() == 1
    assert Event.objects.filter(action="tunnel-created").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("over", [{}, NEW], ids=["existing customer", "new customer"])
def test_two_finishes_at_once_make_one_tunnel(over: dict[str, str]) -> None:
    sync_roles()
    client = Client()
    client.force_login(make.a_user("olivia", "operator"))
    walk = Walk(client, make.a_vpn_gateway(), make.a_customer_gateway())
    walk.to("ipsec", **over)
    together = threading.Barrier(2)
    answers: list[tuple[int, str]] = []

    def press() -> None:
        browser = Client()
        browser.cookies.load(client.cookies.output(header="", sep=";"))
        twin = Walk(browser, walk.gateway, walk.customer)
        twin.draft = walk.draft
        together.wait()
        response = twin.post("ipsec", **twin.ipsec(), FINISH="1")
        answers.append((response.status_code, response.headers["Location"]))
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(303, reverse("tunnels:list"))] * 2
    assert Tunnel.objects.count() == 1


def test_a_finished_draft_leads_to_its_tunnel(walk: Walk) -> None:
    walk.to("ipsec")
    walk.post("ipsec", **walk.ipsec(), FINISH="1")
    address = reverse("tunnels:detail", kwargs={"public_id": Tunnel.objects.get().public_id})
    assert walk.get("basic").headers["Location"] == address
    assert walk.post("basic", **walk.basic(name="again")).headers["Location"] == address
    assert str(walk.draft) not in walk.client.session.get("drafts", {})


def test_it_creates_the_customer_gateway_with_the_tunnel(walk: Walk) -> None:
    walk.to("ike", **NEW)
    assert not CustomerGateway.objects.filter(name="idc-osaka-edge").exists()
    walk.post("ike", **walk.ike(), FINISH="1")
    tunnel = Tunnel.objects.get()
    assert tunnel.customer_gateway.name == "idc-osaka-edge"
    assert str(tunnel.customer_gateway.public_ip) == "198.51.100.77"


def test_it_creates_neither_when_the_tunnel_is_refused(walk: Walk) -> None:
    walk.to("ike", **NEW)
    make.a_tunnel("10.0.0.0/24 192.168.0.0/24", vpn_gateway=walk.gateway, name="faster")
    response = walk.post("ike", **walk.ike(), FINISH="1")
    assert response.headers["Location"] == walk.url("spd")
    assert not CustomerGateway.objects.filter(name="idc-osaka-edge").exists()
    page = text(walk.get("spd"))
    assert "of tunnel faster" in page
    assert 'aria-invalid="true"' in page


def test_an_address_taken_meanwhile_is_told_at_its_field(walk: Walk) -> None:
    walk.to("ike", **NEW)
    CustomerGateway.objects.create(name="faster", public_ip="198.51.100.77")
    response = walk.post("ike", **walk.ike(), FINISH="1")
    assert response.headers["Location"] == walk.url("basic")
    page = text(walk.get("basic"))
    assert "already has this address" in page
    assert 'value="idc-osaka-edge"' in page


def test_an_identifier_in_use_leads_back_to_step_3(walk: Walk) -> None:
    taken = IkeSettings(local_fqdn="vpn.example.com", remote_fqdn="edge.example.net")
    make.a_tunnel("10.0.9.0/24 172.16.9.0/24", vpn_gateway=walk.gateway, ike=taken, name="twin")
    walk.to("ike")
    names = {
        "local_identity": "fqdn",
        "local_fqdn": "vpn.example.com",
        "remote_identity": "fqdn",
        "remote_fqdn": "edge.example.net",
    }
    walk.post("ike", **walk.ike(**names))
    response = walk.post("ipsec", **walk.ipsec(), FINISH="1")
    assert response.headers["Location"] == walk.url("ike")
    page = text(walk.get("ike"))
    assert "already uses the customer identifier edge.example.net" in page
    assert 'value="edge.example.net"' in page
    walk.post("ike", **walk.ike(**{**names, "remote_fqdn": "other.example.net"}), FINISH="1")
    assert Tunnel.objects.filter(draft=walk.draft).exists()


def test_a_pair_of_gateways_with_a_tunnel_is_told_in_step_1(walk: Walk) -> None:
    make.a_tunnel(vpn_gateway=walk.gateway, customer_gateway=walk.customer, name="twin")
    response = walk.post("basic", **walk.basic())
    assert response.status_code == 422
    assert "already joins these two gateways" in text(response)


def test_what_became_wrong_meanwhile_is_told_at_its_step(walk: Walk) -> None:
    walk.to("ipsec")
    make.a_tunnel(
        "10.0.9.0/24 172.16.9.0/24",
        vpn_gateway=walk.gateway,
        customer_gateway=walk.customer,
        name="faster",
    )
    response = walk.post("ipsec", **walk.ipsec(), FINISH="1")
    assert response.headers["Location"] == walk.url("basic")
    page = text(walk.get("basic"))
    assert "Tunnel faster" in page
    assert "already joins these two gateways" in page
    assert 'value="idc-shanghai"' in page


def test_nothing_is_left_of_a_refused_finish_after_correcting_it(walk: Walk) -> None:
    walk.to("ike")
    rival = make.a_tunnel("10.0.0.0/24 192.168.0.0/24", vpn_gateway=walk.gateway, name="faster")
    walk.post("ike", **walk.ike(), FINISH="1")
    walk.post("spd", local=["10.0.1.0/24"], remotes=["192.168.0.0/24"])
    assert "of tunnel faster" not in text(walk.get("spd"))
    walk.post("ike", **walk.ike(), FINISH="1")
    assert set(Tunnel.objects.values_list("name", flat=True)) == {rival.name, "idc-shanghai"}


def test_each_draft_makes_its_own_tunnel(walk: Walk) -> None:
    walk.to("ike")
    walk.post("ike", **walk.ike(), FINISH="1")
    walk.draft = uuid4()
    walk.post("basic", **walk.basic(name="second", **NEW))
    walk.post("spd", local=["10.0.1.0/24"], remotes=["192.168.0.0/24"])
    walk.post("ike", **walk.ike(), FINISH="1")
    assert Tunnel.objects.count() == 2
