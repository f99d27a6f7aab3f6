"""From an empty console to two gateways, in a browser; and what keeps them from being deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import factories as make
from tests.e2e.conftest import SignIn, axe, look
from tunnels.models import CustomerGateway, Vpc, VpnGateway
from tunnels.services import networks

PAGES = (
    "/regions/",
    "/vpcs/",
    "/ccns/",
    "/vpn-gateways/",
    "/customer-gateways/",
    "/activity/",
    "/users/",
)


@pytest.fixture
def plain(browser: Browser, base_url: str, sign_in: SignIn) -> Iterator[Page]:
    """An administrator whose browser has JavaScript switched off."""
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    page = context.new_page()
    sign_in(page, "admin")
    yield page
    context.close()


def some_rows() -> None:
    for number in range(3):
        vpc = make.a_vpc(
            f"10.{number}.0.0/16", f"2001:db8:{number}::/48", name=f"production-{number}"
        )
        make.a_tunnel(
            f"10.{number}.0.0/24 192.168.0.0/24",
            name=f"idc-{number}",
            vpn_gateway=make.a_vpn_gateway(vpc=vpc, name=f"frankfurt-{number}"),
            customer_gateway=make.a_customer_gateway(f"idc-{number}-edge"),
        )
    make.a_vpn_gateway(ccn=make.a_ccn(), name="hub")


def test_it_builds_an_inventory_in_dialogs(admin: Page) -> None:
    page = admin
    page.goto("/regions/")
    expect(page.get_by_text("None yet")).to_be_visible()
    page.get_by_role("link", name="Create the first one").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="New region")).to_be_visible()
    expect(dialog.get_by_label("Code")).to_be_focused()
    dialog.get_by_label("Code").fill("EU central")
    dialog.get_by_label("Name").fill("Frankfurt")
    dialog.get_by_role("button", name="Create region").click()
    expect(dialog.get_by_text("Write the code like eu-central")).to_be_visible()
    expect(dialog.get_by_label("Code")).to_be_focused()
    expect(dialog.get_by_label("Name")).to_have_value("Frankfurt")
    assert axe(page) == []
    dialog.get_by_label("Code").fill("eu-central")
    dialog.get_by_role("button", name="Create region").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("cell", name="Frankfurt eu-central")).to_be_visible()
    expect(page.get_by_text("Region Frankfurt was created.")).to_be_visible()

    page.get_by_role("link", name="VPCs").click()
    page.get_by_role("link", name="New VPC").click()
    dialog.get_by_label("Name").fill("production")
    dialog.get_by_label("Region").select_option("Frankfurt")
    dialog.get_by_label("CIDR blocks").fill("10.0.0.0/16\n10.0.5.1/24")
    dialog.get_by_role("button", name="Create VPC").click()
    expect(dialog.get_by_text("Line 2: 10.0.5.1/24 has host bits set")).to_be_visible()
    dialog.get_by_label("CIDR blocks").fill("10.0.0.0/16\n2001:db8:a::/48")
    dialog.get_by_role("button", name="Create VPC").click()
    expect(page.get_by_role("cell", name="10.0.0.0/16")).to_be_visible()

    page.get_by_role("link", name="VPN gateways", exact=True).click()
    page.get_by_role("link", name="New VPN gateway").click()
    dialog.get_by_label("Name").fill("frankfurt-1")
    dialog.get_by_label("Region").select_option("Frankfurt")
    expect(dialog.get_by_label("VPC")).to_contain_text("production")
    expect(dialog.get_by_label("Name")).to_have_value("frankfurt-1")
    dialog.get_by_label("Type").select_option("CCN")
    expect(dialog.get_by_label("CCN")).to_be_visible()
    dialog.get_by_label("Type").select_option("VPC")
    vpc = Vpc.objects.get()
    dialog.get_by_label("VPC").select_option(str(vpc))
    dialog.get_by_label("Public IP address").fill("203.0.113.10")
    assert axe(page) == []
    look(page, "inventory-gateway-dialog")
    dialog.get_by_role("button", name="Create VPN gateway").click()
    expect(page.get_by_role("cell", name="203.0.113.10")).to_be_visible()
    expect(page.get_by_text("never reported")).to_be_visible()

    page.get_by_role("link", name="Customer gateways", exact=True).click()
    page.get_by_role("link", name="New customer gateway").click()
    dialog.get_by_label("Name").fill("idc-shanghai-edge")
    dialog.get_by_label("Public IP address").fill("203.0.113.10")
    dialog.get_by_role("button", name="Create customer gateway").click()
    expect(dialog.get_by_text("belongs to the VPN gateway frankfurt-1")).to_be_visible()
    dialog.get_by_label("Public IP address").fill("198.51.100.10")
    dialog.get_by_role("button", name="Create customer gateway").click()
    expect(page.get_by_role("cell", name="198.51.100.10")).to_be_visible()
    assert (VpnGateway.objects.get().vpc, CustomerGateway.objects.count()) == (vpc, 1)


def test_it_refuses_to_delete_what_is_used(admin: Page) -> None:
    tunnel = make.a_tunnel()
    admin.goto("/vpn-gateways/")
    admin.get_by_role("link", name="Delete frankfurt-1").click()
    dialog = admin.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_text(f"is used by 1 tunnel: {tunnel}")).to_be_visible()
    assert axe(admin) == []
    look(admin, "inventory-refused")
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(admin.get_by_role("link", name="Delete frankfurt-1")).to_be_focused()
    assert VpnGateway.objects.exists()


def test_it_edits_and_searches_in_place(admin: Page) -> None:
    some_rows()
    admin.goto("/customer-gateways/")
    admin.get_by_label("Search Customer gateways").fill("idc-2")
    expect(admin.get_by_role("row")).to_have_count(2)
    admin.get_by_role("link", name="Edit idc-2-edge").click()
    dialog = admin.get_by_role("dialog")
    expect(dialog.get_by_text("A new address takes each of them down")).to_be_visible()
    dialog.get_by_label("Public IP address").fill("198.51.100.222")
    dialog.get_by_role("button", name="Save").click()
    expect(admin.get_by_role("cell", name="198.51.100.222")).to_be_visible()
    expect(admin.get_by_text("1 tunnel waits to be applied")).to_be_visible()
    # The list that fetched itself again kept the search.
    expect(admin.get_by_role("row")).to_have_count(2)
    assert "q=idc-2" in admin.url


def test_it_works_without_javascript(plain: Page) -> None:
    region = networks.create_region(actor=make.SYSTEM, code="eu-central", name="Frankfurt")
    vpc = make.a_vpc(region=region)
    plain.goto("/vpn-gateways/")
    plain.get_by_role("link", name="New VPN gateway").click()
    plain.get_by_label("Name").fill("frankfurt-1")
    plain.get_by_label("Region").select_option("Frankfurt")
    plain.get_by_role("button", name="Show the networks of this region and type").click()
    expect(plain.get_by_label("Name")).to_have_value("frankfurt-1")
    plain.get_by_label("VPC", exact=False).select_option(str(vpc))
    plain.get_by_label("Public IP address").fill("nonsense")
    plain.get_by_role("button", name="Create VPN gateway").click()
    expect(plain.get_by_text("“nonsense” is not an IP address")).to_be_visible()
    plain.get_by_label("Public IP address").fill("203.0.113.10")
    plain.get_by_role("button", name="Create VPN gateway").click()
    expect(plain.get_by_text("VPN gateway frankfurt-1 was created.")).to_be_visible()
    make.a_tunnel(vpn_gateway=VpnGateway.objects.get())
    plain.get_by_role("link", name="Delete frankfurt-1").click()
    plain.get_by_role("button", name="Delete").click()
    expect(plain.get_by_text("It cannot be deleted")).to_be_visible()
    plain.get_by_role("link", name="Cancel").click()
    plain.get_by_label("Search VPN gateways").fill("nothing like it")
    plain.get_by_role("button", name="Search").click()
    expect(plain.get_by_text("Nothing found")).to_be_visible()


def test_it_shows_a_new_users_password_once(admin: Page) -> None:
    admin.goto("/users/")
    admin.get_by_role("link", name="New user").click()
    dialog = admin.get_by_role("dialog")
    dialog.get_by_label("User name").fill("olga")
    dialog.get_by_label("Operator").check()
    assert axe(admin) == []
    look(admin, "users-new")
    dialog.get_by_role("button", name="Create user").click()
    password = dialog.locator("#one-time-password").inner_text()
    assert len(password) >= 16
    assert axe(admin) == []
    look(admin, "users-password")
    dialog.get_by_role("link", name="Done").click()
    expect(admin.get_by_role("cell", name="olga", exact=True)).to_be_visible()
    assert password not in admin.content()


def test_it_filters_the_activity(admin: Page) -> None:
    some_rows()
    admin.goto("/activity/")
    admin.locator("summary", has_text="Filter").click()
    admin.get_by_label("What", exact=True).fill("idc-1")
    admin.get_by_role("button", name="Show").click()
    expect(admin.get_by_role("row")).to_have_count(2)
    admin.locator("summary", has_text="What changed").click()
    expect(admin.get_by_role("rowheader", name="Pre-shared key")).to_be_visible()
    assert axe(admin) == []
    look(admin, "activity-changes")
    admin.reload()
    expect(admin.get_by_label("What", exact=True)).to_have_value("idc-1")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_pages_are_accessible_and_fit_a_phone(admin: Page, theme: str) -> None:
    some_rows()
    admin.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    for address in PAGES:
        name = address.strip("/")
        admin.set_viewport_size({"width": 1280, "height": 800})
        admin.goto(address)
        assert axe(admin) == []
        look(admin, f"{name}-{theme}")
        admin.set_viewport_size({"width": 360, "height": 740})
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not admin.evaluate(wide), address
        assert axe(admin) == []
        look(admin, f"{name}-{theme}-360")
