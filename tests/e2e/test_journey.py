"""A newcomer's first hour, from the login page to a deleted tunnel, as the README tells it.

Every step is recorded as var/screenshots/journey-NN-….png; `make screenshots` puts two of them into the README.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from tests import factories as make
from tests.e2e.conftest import look
from tunnels.models import Event, Tunnel
from tunnels.services.access import sync_roles

CONFLICT = (
    "10.0.0.0/24 ↔ 192.168.1.0/24 overlaps 10.0.0.0/24 ↔ 192.168.1.0/24 of tunnel idc-shanghai"
)


@pytest.fixture
def shot(page: Page) -> Callable[[str], Path]:
    """Record a step: the page as it is now, numbered."""
    numbers = itertools.count(1)

    def record(name: str) -> Path:
        return look(page, f"journey-{next(numbers):02}-{name}")

    return record


@pytest.mark.django_db(transaction=True)
def test_a_newcomer_makes_uses_and_deletes_a_tunnel(
    page: Page, shot: Callable[[str], Path]
) -> None:
    sync_roles()
    make.a_user("admin", "admin")
    call_command("load_example", verbosity=0)
    page.set_viewport_size({"width": 1600, "height": 900})

    # Sign in with the password that the first run printed.
    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(make.PASSWORD)
    shot("sign-in")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tunnels")).to_be_visible()
    page.goto("/tunnels/")
    shot("tunnels")

    # Which tunnel carries 192.168.2.7?
    page.get_by_role("searchbox").fill("192.168.2.7")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("idc-shanghai")
    shot("search")
    page.goto("/tunnels/")

    # The wizard, in the dialog over the list, with a customer gateway made in place.
    page.get_by_role("link", name="Create tunnel").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Tunnel name").fill("branch-lyon")
    dialog.locator("#id_basic-region").select_option("eu-central")
    gateway = dialog.locator("#id_basic-vpn_gateway")
    gateway.locator("option", has_text="frankfurt-1").first.wait_for(state="attached")
    gateway.select_option(gateway.locator("option", has_text="frankfurt-1").get_attribute("value"))
    dialog.locator("#id_basic-customer_gateway").select_option(label="Create a new one …")
    dialog.locator("#id_basic-new_customer_name").fill("lyon-edge")
    dialog.locator("#id_basic-new_customer_ip").fill("198.51.100.77")
    dialog.locator("#id_basic-psk").fill(make.CANARY_PSK)
    shot("wizard-basic")
    dialog.get_by_role("button", name="Next").click()

    # 10.0.0.0/24 with 192.168.1.0/24 is taken; 10.0.1.0/24 with 192.168.1.0/24 is free.
    local = dialog.get_by_label("Local range (CIDR), rule 1")
    local.fill("10.0.0.0/24")
    dialog.get_by_label("Customer ranges, one a line, rule 1").fill("192.168.1.0/24")
    expect(dialog.locator("tr.is-bad")).to_contain_text(CONFLICT)
    shot("wizard-conflict")
    local.fill("10.0.1.0/24")
    expect(dialog.locator("tr.is-good")).to_have_count(1)
    dialog.get_by_role("button", name="Next").click()
    expect(dialog.locator("[aria-current=step]")).to_contain_text("IKE")
    shot("wizard-ike")
    dialog.get_by_role("button", name="Next").click()
    expect(dialog.locator("[aria-current=step]")).to_contain_text("IPsec")
    shot("wizard-ipsec")
    dialog.get_by_role("button", name="Finish").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("tbody")).to_contain_text("branch-lyon")
    shot("created")
    tunnel = Tunnel.objects.get(name="branch-lyon")

    # The file for the other end.
    page.goto(f"/tunnels/{tunnel.public_id}/")
    shot("detail")
    page.get_by_role("link", name="Download config").first.click()
    page.get_by_label("Vendor").select_option("strongSwan")
    page.get_by_label("Platform").select_option("strongswan-swanctl")
    expect(page.get_by_role("dialog")).to_contain_text("remote_ts")
    shot("config")
    with page.expect_download() as downloading:
        page.get_by_role("dialog").get_by_role("button", name="Download", exact=True).click()
    text = Path(downloading.value.path()).read_text(encoding="utf-8")
    assert "local_ts = 192.168.1.0/24" in text
    assert "remote_ts = 10.0.1.0/24" in text
    assert make.CANARY_PSK in text

    # Tags, reset, log.
    page.goto(f"/tunnels/{tunnel.public_id}/tags/")
    page.get_by_label("Key of tag 1").fill("site")
    page.get_by_label("Value of tag 1").fill("lyon")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("body")).to_contain_text("Tags of branch-lyon saved.")
    page.goto(f"/tunnels/{tunnel.public_id}/reset/confirm/")
    shot("reset")
    page.get_by_role("button", name="Reset tunnel").click()
    expect(page.locator("body")).to_contain_text("Reset of branch-lyon requested.")
    page.goto(f"/tunnels/{tunnel.public_id}/log/")
    for line in ("created", "downloaded", "Tags of branch-lyon", "Reset of branch-lyon requested"):
        expect(page.locator("main")).to_contain_text(line)
    shot("log")

    # Delete asks for the name; no gateway ever had the tunnel, so it is gone at once.
    page.goto(f"/tunnels/{tunnel.public_id}/delete/confirm/")
    page.get_by_label("Type branch-lyon to confirm").fill("branch-lyon")
    shot("delete")
    page.get_by_role("button", name="Delete").last.click()
    page.wait_for_url("**/tunnels/")
    expect(page.locator("tbody")).not_to_contain_text("branch-lyon")
    assert not Tunnel.objects.filter(pk=tunnel.pk).exists()
    told = (
        Event.objects.filter(target_id=tunnel.public_id)
        .order_by("at")
        .values_list("action", flat=True)
    )
    assert list(told) == [
        "tunnel-created",
        "config-downloaded",
        "tunnel-retagged",
        "tunnel-reset",
        "tunnel-deleted",
    ]
