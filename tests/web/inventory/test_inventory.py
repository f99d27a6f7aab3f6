from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from tests import factories as make
from tunnels.devices.base import Platform
from tunnels.models import Ccn, CustomerGateway, Region, Vpc, VpnGateway
from tunnels.web.inventory.nouns import NOUNS

pytestmark = pytest.mark.django_db
SLUGS = [noun.slug for noun in NOUNS]
HTMX = {"HX-Request": "true", "HX-Target": "dialog-body"}


def signed_in(role: str) -> Client:
    user: User = make.a_user(role or "stranger", role)
    client = Client()
    client.force_login(user)
    return client


def one_of(slug: str) -> Any:
    makers: dict[str, Callable[[], Any]] = {
        "region": make.a_region,
        "vpc": make.a_vpc,
        "ccn": make.a_ccn,
        "vpngateway": make.a_vpn_gateway,
        "customergateway": make.a_customer_gateway,
    }
    return makers[slug]()


def ident_of(thing: Any) -> str:
    return str(thing.code if isinstance(thing, Region) else thing.public_id)


def values_of(slug: str) -> dict[str, Any]:
    """What the form of the noun takes, for something new."""
    if slug == "region":
        return {"code": "ap-southeast", "name": "Singapore"}
    if slug == "vpc":
        return {"name": "staging", "region": make.a_region().pk, "cidrs": "10.9.0.0/16\n"}
    if slug == "ccn":
        return {"name": "spine"}
    if slug == "customergateway":
        return {"name": "osaka", "public_ip": "198.51.100.77"}
    vpc = make.a_vpc(name="for-the-form")
    return {
        "name": "new-gateway",
        "region": vpc.region_id,
        "type": "VPC",
        "vpc": vpc.pk,
        "public_ip": "203.0.113.250",
    }


def address(slug: str, verb: str, thing: Any = None) -> str:
    return reverse(f"tunnels:{slug}-{verb}", args=[ident_of(thing)] if thing else [])


@pytest.mark.parametrize("slug", SLUGS)
def test_it_lists_creates_edits_and_deletes(slug: str) -> None:
    client, values = signed_in("admin"), values_of(slug)
    model = next(noun.model for noun in NOUNS if noun.slug == slug)
    assert client.get(address(slug, "create")).status_code == 200
    created = client.post(address(slug, "create"), values)
    assert (created.status_code, created["Location"]) == (303, address(slug, "list"))
    thing: Any = model._default_manager.get(name=values["name"])
    listed = client.get(address(slug, "list")).content.decode()
    assert values["name"] in listed
    assert ident_of(thing) in listed
    shown = client.get(address(slug, "edit", thing)).content.decode()
    assert f'value="{values["name"]}"' in shown
    edited = client.post(address(slug, "edit", thing), {**values, "name": "Новое имя"})
    assert edited.status_code == 303
    thing.refresh_from_db()
    assert thing.name == "Новое имя"
    asked = client.get(address(slug, "delete-confirm", thing))
    assert address(slug, "delete", thing) in asked.content.decode()
    assert model._default_manager.filter(pk=thing.pk).exists()
    deleted = client.post(address(slug, "delete", thing))
    assert deleted.status_code == 303
    assert not model._default_manager.filter(pk=thing.pk).exists()
    again = client.post(address(slug, "delete", thing), follow=True)
    assert "was deleted already" in again.content.decode()


@pytest.mark.parametrize("slug", SLUGS)
def test_it_answers_each_kind_of_visitor(slug: str) -> None:
    thing, values = one_of(slug), values_of(slug)
    pages = [
        ("get", address(slug, "create")),
        ("post", address(slug, "create")),
        ("get", address(slug, "edit", thing)),
        ("post", address(slug, "edit", thing)),
        ("get", address(slug, "delete-confirm", thing)),
        ("post", address(slug, "delete", thing)),
    ]
    nobody, stranger, viewer = Client(), signed_in(""), signed_in("viewer")
    for method, page in pages:
        data = values if method == "post" else {}
        assert getattr(nobody, method)(page, data).status_code == 302
        assert getattr(stranger, method)(page, data).status_code == 404
        assert getattr(viewer, method)(page, data).status_code == 403
    assert stranger.get(address(slug, "list")).status_code == 404
    listed = viewer.get(address(slug, "list"))
    assert listed.status_code == 200
    assert address(slug, "create") not in listed.content.decode()
    assert address(slug, "edit", thing) not in listed.content.decode()
    assert type(thing)._default_manager.filter(pk=thing.pk, name=thing.name).exists()


@pytest.mark.parametrize("slug", SLUGS)
def test_it_never_writes_on_get(slug: str) -> None:
    thing, client = one_of(slug), signed_in("admin")
    assert client.get(address(slug, "delete", thing)).status_code == 405
    assert client.post(address(slug, "list")).status_code == 405
    assert client.post(address(slug, "delete-confirm", thing)).status_code == 405
    assert type(thing)._default_manager.filter(pk=thing.pk).exists()


@pytest.mark.parametrize("slug", SLUGS)
def test_it_answers_404_for_what_is_not_there(slug: str) -> None:
    client = signed_in("admin")
    assert client.get(reverse(f"tunnels:{slug}-edit", args=["nothing"])).status_code == 404
    assert (
        client.get(reverse(f"tunnels:{slug}-delete-confirm", args=["nothing"])).status_code == 404
    )


def test_it_lets_operators_keep_customer_gateways() -> None:
    client, customer = signed_in("operator"), make.a_customer_gateway()
    assert (
        client.post(address("customergateway", "create"), values_of("customergateway")).status_code
        == 303
    )
    assert client.get(address("customergateway", "edit", customer)).status_code == 200
    assert client.post(address("customergateway", "delete", customer)).status_code == 403
    listed = client.get(address("customergateway", "list")).content.decode()
    assert address("customergateway", "edit", customer) in listed
    assert address("customergateway", "delete-confirm", customer) not in listed
    assert client.get(address("vpngateway", "create")).status_code == 403


@pytest.mark.parametrize("slug", SLUGS)
def test_it_counts_users_in_a_constant_number_of_queries(
    slug: str, django_assert_max_num_queries: Any
) -> None:
    client = signed_in("viewer")
    for number in range(3):
        vpc = make.a_vpc(f"10.{number}.0.0/16", name=f"vpc-{number}")
        make.a_tunnel(
            f"10.{number}.0.0/24 192.168.0.0/24",
            vpn_gateway=make.a_vpn_gateway(vpc=vpc, name=f"gateway-{number}"),
        )
    ccn = make.a_ccn()
    make.a_tunnel(vpn_gateway=make.a_vpn_gateway(ccn=ccn, name="hub"))
    client.get(address(slug, "list"))
    # Session, user, its two permission queries, the rows.
    with django_assert_max_num_queries(5):
        client.get(address(slug, "list"))


def test_it_counts_right() -> None:
    client, vpc = signed_in("viewer"), make.a_vpc()
    gateways = [make.a_vpn_gateway(vpc=vpc, name=name) for name in ("a", "b")]
    for number in range(3):
        make.a_tunnel(
            f"10.0.{number}.0/24 192.168.0.0/24", vpn_gateway=gateways[0], name=f"t{number}"
        )
    region = client.get(address("region", "list")).context["page"].rows[0]
    assert (region.vpc_count, region.gateway_count) == (1, 2)
    row = client.get(address("vpc", "list")).context["page"].rows[0]
    assert (row.gateway_count, row.tunnel_count) == (2, 3)
    rows = client.get(address("vpngateway", "list")).context["page"].rows
    assert [(row.name, row.tunnel_count) for row in rows] == [("a", 3), ("b", 0)]
    assert "never reported" in client.get(address("vpngateway", "list")).content.decode()


def test_it_pages_through_a_long_list_both_ways() -> None:
    client = signed_in("viewer")
    Ccn.objects.bulk_create(
        Ccn(public_id=f"ccn-{n:08}", name=f"ccn {n % 40:03}") for n in range(120)
    )
    seen, where, pages = [], address("ccn", "list"), 0
    while True:
        page = client.get(where).context["page"]
        seen += [row.pk for row in page.rows]
        pages += 1
        if not page.next:
            break
        where = address("ccn", "list") + page.next
    assert pages == 3
    assert seen == list(Ccn.objects.order_by("name", "pk").values_list("pk", flat=True))
    back = client.get(address("ccn", "list") + page.previous).context["page"]
    assert [row.pk for row in back.rows] == seen[50:100]
    first = client.get(address("ccn", "list") + back.previous).context["page"]
    assert [row.pk for row in first.rows] == seen[:50]
    assert client.get(address("ccn", "list") + "?after=99999999999999999999").status_code == 200
    assert client.get(address("ccn", "list") + "?after=x&before=%00").status_code == 200


@pytest.mark.parametrize(
    ("slug", "text", "found"),
    [
        ("vpngateway", "203.0.113.0/24", True),
        ("vpngateway", "203.0.113.", True),
        ("vpngateway", "203.0.114.", False),
        ("vpngateway", "FRANK", True),
        ("vpc", "10.0.5.7", True),
        ("vpc", "2001:db8:a:5::/64", True),
        ("vpc", "10.1.0.0", False),
        ("region", "eu-c", True),
        ("region", "%", False),
        ("region", "\0", True),
    ],
)
def test_it_finds_by_name_id_and_address(slug: str, text: str, found: bool) -> None:
    client = signed_in("viewer")
    make.a_vpn_gateway()
    page = client.get(address(slug, "list"), {"q": text}).context["page"]
    assert bool(page.rows) is found


def test_it_finds_by_id() -> None:
    client, gateway = signed_in("viewer"), make.a_vpn_gateway()
    make.a_vpn_gateway(name="other")
    page = client.get(address("vpngateway", "list"), {"q": gateway.public_id[:12]}).context["page"]
    assert page.rows == [gateway]


def test_it_shows_mistakes_beside_what_was_typed() -> None:
    client, region = signed_in("admin"), make.a_region()
    values = {"name": "typed", "region": region.pk, "cidrs": "10.0.0.0/16\n10.0.5.1/24"}
    answer = client.post(address("vpc", "create"), values)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Line 2: 10.0.5.1/24 has host bits set; did you mean 10.0.5.0/24?" in text
    assert 'value="typed"' in text
    assert not Vpc.objects.exists()
    empty = client.post(address("vpc", "create"), {}).content.decode()
    assert "Choose a region." in empty


def test_it_offers_the_networks_of_the_region_and_type() -> None:
    client = signed_in("admin")
    here = make.a_vpc(name="here")
    there = make.a_vpc(region=make.a_region("ap-southeast", "Singapore"), name="there")
    make.a_ccn("backbone")
    typed = {"name": "typed", "region": here.region_id, "type": "VPC", "public_ip": "junk"}
    answer = client.post(address("vpngateway", "create"), {**typed, "refresh": "1"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'value="typed"' in text
    assert 'value="junk"' in text
    assert str(here) in text
    assert str(there) not in text
    assert "is-invalid" not in text
    headers = {"HX-Request": "true", "HX-Target": "network-choice"}
    part = client.post(
        address("vpngateway", "create"), {**typed, "type": "CCN", "refresh": "1"}, headers=headers
    ).content.decode()
    assert part.strip().startswith('<div id="network-choice">')
    assert "backbone" in part
    assert str(here) not in part
    assert not VpnGateway.objects.exists()


def test_it_survives_a_region_that_is_none() -> None:
    client = signed_in("admin")
    for nonsense in ("x", "9" * 30, "-1", "²"):
        answer = client.post(address("vpngateway", "create"), {"region": nonsense, "refresh": "1"})
        assert answer.status_code == 200
        assert client.post(address("vpngateway", "create"), {"region": nonsense}).status_code == 422


def test_it_creates_a_ccn_gateway_and_forgets_the_vpc() -> None:
    client, vpc, ccn = signed_in("admin"), make.a_vpc(), make.a_ccn()
    values = {"name": "hub", "region": vpc.region_id, "type": "CCN", "ccn": ccn.pk, "vpc": vpc.pk}
    client.post(address("vpngateway", "create"), {**values, "public_ip": "203.0.113.8"})
    gateway = VpnGateway.objects.get()
    assert (gateway.type, gateway.ccn, gateway.vpc) == ("CCN", ccn, None)


def test_it_says_how_many_tunnels_wait_for_a_new_address() -> None:
    client, tunnel = signed_in("admin"), make.a_tunnel()
    customer = tunnel.customer_gateway
    shown = client.get(address("customergateway", "edit", customer)).content.decode()
    assert "A new address takes each of them down" in shown
    saved = client.post(
        address("customergateway", "edit", customer),
        {"name": customer.name, "public_ip": "198.51.100.3"},
        follow=True,
    )
    assert "1 tunnel waits to be applied with the new address" in saved.content.decode()


def test_it_refuses_to_delete_what_is_used_and_names_the_users() -> None:
    client, tunnel = signed_in("admin"), make.a_tunnel()
    gateway = tunnel.vpn_gateway
    answer = client.post(address("vpngateway", "delete", gateway), headers=HTMX)
    assert answer.status_code == 422
    assert escape(f"is used by 1 tunnel: {tunnel}.") in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert VpnGateway.objects.exists()


def test_it_closes_the_dialog_and_tells_the_list() -> None:
    client = signed_in("admin")
    part = client.get(address("customergateway", "create"), headers=HTMX).content.decode()
    assert "<html" not in part
    assert 'id="dialog-title"' in part
    answer = client.post(
        address("customergateway", "create"), values_of("customergateway"), headers=HTMX
    )
    assert answer.status_code == 204
    assert "customergateway-changed" in answer["HX-Trigger"]
    assert "was created." in answer["HX-Trigger"]
    assert CustomerGateway.objects.count() == 1


def test_it_takes_the_kind_of_device_of_a_customer_gateway(acme: Platform) -> None:
    client = signed_in("admin")
    form = client.get(address("customergateway", "create")).content.decode()
    assert '<optgroup label="Acme">' in form
    assert '<option value="acme-router">Acme Router</option>' in form
    assert "Settings sheet" not in form
    values = {**values_of("customergateway"), "platform": acme.id}
    client.post(address("customergateway", "create"), values)
    customer = CustomerGateway.objects.get()
    assert (customer.platform, customer.platform_version) == (acme.id, "")
    assert ">Acme Router<" in client.get(address("customergateway", "list")).content.decode()
    edit = client.get(address("customergateway", "edit", customer)).content.decode()
    assert '<option value="acme-router" selected>' in edit
    CustomerGateway.objects.update(platform_version="1")
    assert ">Acme Router 1<" in client.get(address("customergateway", "list")).content.decode()
    refused = client.post(address("customergateway", "edit", customer), {**values, "platform": "x"})
    assert refused.status_code == 422
    client.post(address("customergateway", "edit", customer), {**values, "platform": ""})
    assert "not known yet" in client.get(address("customergateway", "list")).content.decode()


def test_it_lists_a_device_that_is_not_offered_any_more_as_unknown(acme: Platform) -> None:
    make.a_customer_gateway()
    CustomerGateway.objects.update(platform="toaster-9")
    listed = signed_in("viewer").get(address("customergateway", "list")).content.decode()
    assert "not known yet" in listed
    assert "toaster" not in listed
