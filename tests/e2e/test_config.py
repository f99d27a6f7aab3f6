from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Download, Page, expect

from tests import factories as make
from tests.e2e.conftest import answered
from tunnels.devices.base import PSK_PLACEHOLDER
from tunnels.models import CustomerGateway, Event, Tunnel

SHOWN_MS = 3000  # "Copied" is shown for a shorter time

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(download: Download) -> str:
    return Path(download.path()).read_text(encoding="utf-8")


def assert_it_is_the_customers_side(text: str, tunnel: Tunnel) -> None:
    """The two sides are swapped: what is remote to the VPN gateway is the device's own."""
    assert "local_ts = 192.168.1.0/24" in text
    assert "remote_ts = 10.0.2.0/24" in text
    assert f"local_addrs = {tunnel.customer_gateway.public_ip}" in text
    assert f"remote_addrs = {tunnel.vpn_gateway.public_ip}" in text


def open_dialog(page: Page, tunnel: Tunnel) -> None:
    page.goto(f"/tunnels/{tunnel.public_id}/")
    page.click("#open-config")
    expect(page.locator("#dialog")).to_contain_text("Which device is it?")
    page.select_option("#config-vendor", "strongSwan")
    page.select_option("#config-platform", "strongswan-swanctl")
    answered(page)
    expect(page.locator("#dialog #config-text-1")).to_contain_text("connections {")
    expect(page.locator("#dialog #config-text-1")).to_contain_text(PSK_PLACEHOLDER)


def test_it_downloads_the_file_with_the_key(admin: Page) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    open_dialog(admin, tunnel)
    with admin.expect_download() as downloading:
        admin.get_by_role("button", name="Download", exact=True).click()
    download = downloading.value
    assert download.suggested_filename == f"{tunnel.public_id}-swanctl.conf"
    assert make.CANARY_PSK in text_of(download)
    assert_it_is_the_customers_side(text_of(download), tunnel)
    assert Event.objects.filter(action="config-downloaded", level="warning").count() == 1


def test_it_downloads_a_redacted_copy(viewer: Page) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    open_dialog(viewer, tunnel)
    expect(viewer.get_by_role("button", name="Download", exact=True)).to_have_count(0)
    with viewer.expect_download() as downloading:
        viewer.get_by_role("button", name="Download without the key").click()
    text = text_of(downloading.value)
    assert make.CANARY_PSK not in text
    assert PSK_PLACEHOLDER in text
    assert_it_is_the_customers_side(text, tunnel)


def test_it_changes_the_preview_with_the_device_and_keeps_the_focus(admin: Page) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    open_dialog(admin, tunnel)
    admin.focus("#config-vendor")
    admin.select_option("#config-vendor", "Generic")
    expect(admin.locator("#config-platform")).to_have_value("generic-sheet")
    expect(admin.locator("#config-text-1")).not_to_contain_text("swanctl")
    expect(admin.locator("#config-vendor")).to_be_focused()
    with admin.expect_download() as downloading:
        admin.get_by_role("button", name="Download", exact=True).click()
    assert downloading.value.suggested_filename == f"{tunnel.public_id}-settings.txt"
    open_dialog(admin, tunnel)
    with admin.expect_download():
        admin.get_by_role("button", name="Download", exact=True).click()
    # It begins with the device that was chosen last.
    admin.goto(f"/tunnels/{tunnel.public_id}/config/")
    expect(admin.locator("#config-platform")).to_have_value("strongswan-swanctl")


# Chooses a vendor as soon as the lists are in the page, before the browser does anything else.
CHOOSE_AT_ONCE = """() => new MutationObserver((_, observer) => {
  const vendor = document.getElementById("config-vendor");
  if (!vendor) return;
  observer.disconnect();
  vendor.value = "strongSwan";
  vendor.dispatchEvent(new Event("change", { bubbles: true }));
}).observe(document.getElementById("dialog"), { childList: true, subtree: true })"""


def test_it_hears_who_chooses_at_once(admin: Page) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    admin.goto(f"/tunnels/{tunnel.public_id}/")
    admin.evaluate(CHOOSE_AT_ONCE)
    admin.click("#open-config")
    expect(admin.locator("#config-platform")).to_have_value("strongswan-swanctl")


def test_it_copies_the_preview_as_it_is(admin: Page) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admin.clock.install()
    open_dialog(admin, tunnel)
    admin.clock.pause_at(timezone.now() + timedelta(hours=1))
    admin.get_by_role("button", name="Copy preview").click()
    expect(admin.locator("[data-copy-label]")).to_have_text("Copied")
    copied = admin.evaluate("navigator.clipboard.readText()")
    assert copied == admin.locator("#config-text-1").text_content()
    assert copied.startswith("# strongSwan swanctl.conf for tunnel idc-shanghai")
    # The button finds back to its words, also when the preview was fetched anew meanwhile.
    admin.select_option("#config-version", "6.x")
    answered(admin)
    admin.clock.run_for(SHOWN_MS)
    expect(admin.get_by_role("button", name="Copy preview")).to_have_count(1)


def test_it_works_without_scripts(admin: Page, browser: Browser, live_server: Any) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    storage = admin.context.storage_state()
    context = browser.new_context(
        java_script_enabled=False, base_url=live_server.url, storage_state=storage
    )
    page = context.new_page()
    page.goto(f"/tunnels/{tunnel.public_id}/")
    page.get_by_role("link", name="Download config").first.click()
    expect(page.locator("#config-platform")).to_have_value("generic-sheet")
    page.select_option("#config-vendor", "strongSwan")
    page.get_by_role("button", name="Show").click()
    page.select_option("#config-platform", "strongswan-swanctl")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#config-text-1")).to_contain_text("connections {")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download", exact=True).click()
    assert make.CANARY_PSK in text_of(downloading.value)
    assert_it_is_the_customers_side(text_of(downloading.value), tunnel)
    page.goto(f"/tunnels/{tunnel.public_id}/")
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator("#psk-key")).to_have_text(make.CANARY_PSK)
    assert CustomerGateway.objects.get().platform == "strongswan-swanctl"
    context.close()
