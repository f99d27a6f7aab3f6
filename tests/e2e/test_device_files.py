"""Files for three devices in a real browser: questions, a refusal and the way out of it, several files at once."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from tests import factories as make
from tests.e2e.conftest import axe, look
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.proposals import IkeSettings
from tunnels.models import CustomerGateway, Event, Tunnel

pytestmark = pytest.mark.django_db(transaction=True)

LOOKS = [("light", 1280), ("dark", 1280), ("light", 360)]
# The SRX has no DH31.
NOT_FOR_SRX = replace(IkeSettings(), dh_group="dh31")


def open_dialog(page: Page, tunnel: Tunnel) -> None:
    page.goto(f"/tunnels/{tunnel.public_id}/")
    page.click("#open-config")
    expect(page.locator("#dialog #config-vendor")).to_be_focused()


def choose(page: Page, vendor: str, platform: str) -> None:
    page.select_option("#config-vendor", vendor)
    expect(page.locator(f"#config-platform option[value={platform}]")).to_have_count(1)
    page.select_option("#config-platform", platform)


def download(page: Page, button: str = "Download") -> Download:
    with page.expect_download() as downloading:
        page.get_by_role("button", name=button, exact=True).click()
    return downloading.value


def together(archive: Download) -> str:
    """The texts of all files in a downloaded archive."""
    with zipfile.ZipFile(archive.path()) as opened:
        assert len(opened.namelist()) == 2
        return "".join(opened.read(name).decode() for name in opened.namelist())


def compare(page: Page, text: str) -> None:
    page.get_by_label("Configuration", exact=True).fill(text)
    page.get_by_role("button", name="Compare").click()


def test_it_makes_files_for_three_devices(admin: Page) -> None:
    page, tunnel = admin, make.a_tunnel()
    open_dialog(page, tunnel)
    expect(page.locator("#dialog")).to_contain_text("Which device is it?")

    # One that asks: a wrong answer, then a right one.
    choose(page, "Juniper", "juniper-srx")
    interface = page.get_by_label("Outside interface")
    expect(interface).to_have_value("ge-0/0/0.0")
    expect(page.locator("#config-text-1")).to_contain_text("external-interface ge-0/0/0.0")
    interface.fill("ge-0/0/3.0; delete")
    expect(interface).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#dialog .invalid-feedback")).to_contain_text("enter something like")
    expect(page.get_by_role("button", name="Download", exact=True)).to_have_count(0)
    expect(interface).to_be_focused()
    interface.fill("")
    interface.press_sequentially("ge-0/0/3.0", delay=30)
    expect(page.locator("#config-text-1")).to_contain_text("external-interface ge-0/0/3.0")
    expect(interface).to_be_focused()
    expect(interface).to_have_value("ge-0/0/3.0")
    saved = download(page)
    text = Path(saved.path()).read_text(encoding="utf-8")
    assert saved.suggested_filename == f"{tunnel.public_id}-junos.set"
    assert "external-interface ge-0/0/3.0" in text
    assert make.CANARY_PSK in text

    # One with several files.
    choose(page, "strongSwan", "strongswan-ipsec-conf")
    expect(page.locator("#dialog pre.code")).to_have_count(2)
    assert make.CANARY_PSK not in together(download(page, "Download without the key"))
    saved = download(page)
    assert saved.suggested_filename == f"{tunnel.public_id}-strongswan-ipsec-conf.zip"
    files = together(saved)
    assert make.CANARY_PSK in files

    # One for programs.
    choose(page, "Generic", "generic-json")
    expect(page.locator("#config-text-1")).to_contain_text('"version": 2')
    assert download(page).suggested_filename.endswith("-settings.json")
    assert Event.objects.filter(action="config-downloaded").count() == 4

    # The device that was chosen last, with what was answered.
    assert CustomerGateway.objects.get().platform == "strongswan-ipsec-conf"
    page.goto(f"/tunnels/{tunnel.public_id}/")
    expect(
        page.get_by_role("link", name="Download config for strongSwan ipsec.conf")
    ).to_be_visible()
    page.click("#open-config")
    expect(page.locator("#config-platform")).to_have_value("strongswan-ipsec-conf")
    choose(page, "Juniper", "juniper-srx")
    expect(page.get_by_label("Outside interface")).to_have_value("ge-0/0/3.0")

    # What the device runs, as downloaded and after somebody changed it there.
    page.goto(f"/tunnels/{tunnel.public_id}/")
    page.get_by_role("link", name="Compare", exact=True).click()
    compare(page, files)
    expect(page.locator("#answer h2")).to_have_text("These two will negotiate.")
    agreed = "esp=aes256gcm16-ecp256!"
    assert agreed in files
    compare(page, files.replace(agreed, "esp=aes256gcm16-modp2048!"))
    expect(page.locator("#answer")).to_contain_text("DH14")
    expect(page.locator("#answer")).to_contain_text("DH19")


def test_it_refuses_and_leads_to_the_setting_and_to_the_sheet(admin: Page) -> None:
    page, tunnel = admin, make.a_tunnel(ike=NOT_FOR_SRX)
    open_dialog(page, tunnel)
    choose(page, "Juniper", "juniper-srx")
    refusal = page.locator("#dialog .note-error")
    expect(refusal).to_contain_text("has no DH31")
    expect(refusal).to_contain_text("the nearest that it has is DH19")
    expect(page.get_by_role("button", name="Download", exact=True)).to_have_count(0)
    look(page, "device-refused")
    assert axe(page) == []
    refusal.get_by_role("link", name="settings sheet").click()
    expect(page.locator("#config-platform")).to_have_value("generic-sheet")
    assert download(page).suggested_filename == f"{tunnel.public_id}-settings.txt"

    choose(page, "Juniper", "juniper-srx")
    page.get_by_role("link", name="Edit IKE settings").click()
    page.locator("#id_ike-dh_group").select_option("dh19")
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#dialog")).to_be_hidden()
    open_dialog(page, tunnel)
    choose(page, "Juniper", "juniper-srx")
    expect(page.locator("#config-text-1")).to_contain_text("group19")


def test_enter_in_an_answer_shows_the_file_and_downloads_nothing(admin: Page) -> None:
    page, tunnel = admin, make.a_tunnel()
    open_dialog(page, tunnel)
    choose(page, "Juniper", "juniper-srx")
    unit = page.get_by_label("Tunnel unit")
    unit.fill("77")
    unit.press("Enter")
    expect(page.locator("#config-text-1")).to_contain_text("st0.77")
    expect(page.locator("#dialog")).to_be_visible()
    assert not Event.objects.filter(action="config-downloaded").exists()


def test_a_download_takes_what_was_typed_last(admin: Page) -> None:
    page, tunnel = admin, make.a_tunnel()
    open_dialog(page, tunnel)
    choose(page, "Juniper", "juniper-srx")
    expect(page.locator("#config-text-1")).to_contain_text("external-interface ge-0/0/0.0")
    page.get_by_label("Outside interface").fill("reth0.0")
    # No waiting for the preview.
    saved = download(page)
    assert "external-interface reth0.0" in Path(saved.path()).read_text(encoding="utf-8")


def test_it_asks_without_scripts(admin: Page, browser: Browser, live_server: Any) -> None:
    tunnel = make.a_tunnel()
    context = browser.new_context(
        java_script_enabled=False,
        base_url=live_server.url,
        storage_state=admin.context.storage_state(),
    )
    page = context.new_page()
    page.goto(f"/tunnels/{tunnel.public_id}/config/")
    page.select_option("#config-vendor", "Juniper")
    page.get_by_role("button", name="Show").click()
    page.select_option("#config-platform", "juniper-srx")
    page.get_by_role("button", name="Show").click()
    page.get_by_label("Tunnel unit").fill("many")
    with page.expect_navigation() as navigation:
        page.get_by_role("button", name="Download", exact=True).click()
    assert navigation.value.status == HTTPStatus.UNPROCESSABLE_ENTITY
    expect(page.get_by_label("Tunnel unit")).to_have_value("many")
    expect(page.locator(".invalid-feedback")).to_contain_text("enter a number from 0 to 16385")
    page.get_by_label("Tunnel unit").fill("77")
    page.get_by_role("button", name="Show").click()
    assert "csrf" not in page.url
    expect(page.locator("#config-text-1")).to_contain_text("st0.77")
    assert "st0.77" in Path(download(page).path()).read_text(encoding="utf-8")
    context.close()


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_the_wizard_marks_what_a_known_device_cannot_do(
    admin: Page, theme: Any, width: int
) -> None:
    page = admin
    make.a_vpn_gateway()
    customer = make.a_customer_gateway()
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    page.goto("/customer-gateways/")
    page.get_by_role("link", name=f"Edit {customer.name}").click()
    page.get_by_label("Device").select_option("juniper-srx")
    look(page, f"device-customer-{theme}-{width}")
    assert axe(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.locator("table")).to_contain_text("Juniper SRX")

    page.goto("/tunnels/new/")
    page.get_by_label("Tunnel name").fill("idc-shanghai")
    page.locator("#id_basic-customer_gateway").select_option(customer.public_id)
    page.locator("#id_basic-psk").fill(make.CANARY_PSK)
    page.get_by_role("button", name="Next").last.click()
    page.get_by_label("Local range (CIDR), rule 1").fill("10.0.0.0/24")
    page.get_by_label("Customer ranges, one a line, rule 1").fill("192.168.0.0/24")
    expect(page.locator(".mapping-good")).to_have_count(1)
    page.get_by_role("button", name="Next").last.click()
    expect(page.locator("#step-body")).to_contain_text("The device at the other end is Juniper SRX")
    group = page.locator("#id_ike-dh_group")
    expect(group.locator("option[value=dh31]")).to_contain_text("not on SRX")
    expect(group.locator("option[value=dh19]")).not_to_contain_text("not on SRX")
    group.select_option("dh31")
    expect(page.locator(".choice-note")).to_contain_text("the nearest that it has is DH19")
    look(page, f"device-wizard-{theme}-{width}")
    assert axe(page) == []
    page.get_by_role("button", name="Next").last.click()
    expect(page.locator("#step-body .note-warning")).to_contain_text("has no DH31")
    look(page, f"device-wizard-last-{theme}-{width}")
    assert axe(page) == []
    page.get_by_role("button", name="Finish").click()
    page.wait_for_url("**/tunnels/")
    assert Tunnel.objects.get().ike.dh_group == "dh31"


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_it_can_be_read_by_everybody(admin: Page, theme: Any, width: int) -> None:
    page, tunnel = admin, make.a_tunnel()
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    open_dialog(page, tunnel)
    look(page, f"device-sheet-{theme}-{width}")
    assert axe(page) == []
    choose(page, "Juniper", "juniper-srx")
    page.get_by_label("Outside zone").fill("un trust")
    expect(page.locator("#dialog .invalid-feedback")).to_be_visible()
    look(page, f"device-answers-{theme}-{width}")
    assert axe(page) == []
    page.get_by_label("Outside zone").fill("untrust")
    expect(page.locator("#config-text-1")).to_be_visible()
    page.locator("#dialog summary").click()
    look(page, f"device-file-{theme}-{width}")
    assert axe(page) == []
    # The longest name has room beside the other buttons.
    CustomerGateway.objects.update(
        platform=max(PLATFORMS, key=lambda one: len(PLATFORMS[one].label))
    )
    page.goto(f"/tunnels/{tunnel.public_id}/")
    look(page, f"device-detail-{theme}-{width}")
    assert axe(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.goto(f"/tunnels/{tunnel.public_id}/config/?platform=strongswan-ipsec-conf")
    look(page, f"device-page-{theme}-{width}")
    assert axe(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
