from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import factories as make
from tests.devices.cases import render_case
from tests.e2e.conftest import axe, look
from tunnels.devices.registry import PLATFORMS
from tunnels.models import Event, Tunnel
from tunnels.services.specs import spec_of

pytestmark = pytest.mark.django_db(transaction=True)


def own_file(tunnel: Tunnel) -> str:
    """The file that the device was given, key included."""
    return render_case(PLATFORMS["strongswan-swanctl"], spec_of(tunnel)).text


def changed_file(tunnel: Tunnel) -> str:
    """The device's own file after somebody has changed it here and there."""
    text = own_file(tunnel)
    for old, new in (
        ("remote_ts = 10.0.2.0/24", "remote_ts = 10.0.20.0/24"),
        ("esp_proposals = aes256gcm16-ecp256", "esp_proposals = aes256gcm16-modp2048"),
        ("over_time = ", "over_time = 1"),
        (f'secret = "{make.CANARY_PSK}"', "secret = 0xZZ"),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


def paste(page: Page, text: str) -> None:
    page.get_by_label("Configuration", exact=True).fill(text)
    page.get_by_role("button", name="Compare").click()


def test_it_compares_a_pasted_configuration(admin: Page) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    admin.goto(f"/tunnels/{tunnel.public_id}/")
    admin.get_by_role("link", name="Compare", exact=True).click()
    expect(admin.get_by_role("heading", name="Compare a configuration")).to_be_visible()
    assert axe(admin) == []
    look(admin, "compare-empty")

    text = changed_file(tunnel)
    paste(admin, text)
    answer = admin.locator("#answer")
    expect(answer.get_by_role("heading", level=2)).to_contain_text("differences must be resolved")
    expect(answer).to_contain_text("192.168.2.0/24 ↔ 10.0.20.0/24")
    expect(answer).to_contain_text("DH14 (2048-bit MODP)")
    # What was pasted stays in the browser's own field, and nowhere in the answer.
    expect(admin.get_by_label("Configuration", exact=True)).to_have_value(text)
    assert make.CANARY_PSK not in answer.inner_text()

    # Repaired, it is pasted once more.
    paste(admin, own_file(tunnel))
    expect(answer.get_by_role("heading", level=2)).to_have_text("These two will negotiate.")
    assert axe(admin) == []
    look(admin, "compare-fine")
    assert Event.objects.filter(action="config-compared").count() == 2


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_it_can_be_read_by_everybody(admin: Page, theme: Any, width: int) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    admin.emulate_media(color_scheme=theme, reduced_motion="reduce")
    admin.set_viewport_size({"width": width, "height": 800})
    admin.goto(f"/tunnels/{tunnel.public_id}/compare/")
    paste(admin, changed_file(tunnel))
    expect(admin.locator("#answer")).to_contain_text("Not compared")
    assert axe(admin) == []
    assert admin.evaluate("document.documentElement.scrollWidth") <= width
    look(admin, f"compare-differences-{theme}-{width}")
    admin.get_by_label("Kind of configuration").select_option("fortios")
    admin.get_by_role("button", name="Compare").click()
    refusal = admin.locator("#answer").get_by_role("alert")
    expect(refusal).to_contain_text("The text looks like strongSwan swanctl.conf.")
    assert axe(admin) == []
    look(admin, f"compare-refused-{theme}-{width}")


def test_it_says_why_a_huge_paste_is_refused(admin: Page) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    admin.goto(f"/tunnels/{tunnel.public_id}/compare/")
    admin.evaluate("document.getElementById('compare-text').value = '{'.repeat(6_000_000)")
    admin.get_by_role("button", name="Compare").click()
    expect(admin.locator("#answer").get_by_role("alert")).to_contain_text("This is more than 1 MB.")


def test_it_works_without_scripts(viewer: Page, browser: Browser, live_server: Any) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    context = browser.new_context(
        java_script_enabled=False,
        base_url=live_server.url,
        storage_state=viewer.context.storage_state(),
    )
    page = context.new_page()
    page.goto(f"/tunnels/{tunnel.public_id}/compare/")
    expect(page.get_by_text("paste it again to compare again")).to_be_visible()
    paste(page, changed_file(tunnel))
    expect(page.locator("#answer")).to_contain_text("192.168.2.0/24 ↔ 10.0.20.0/24")
    expect(page.get_by_label("Configuration", exact=True)).to_have_value("")
    assert make.CANARY_PSK not in page.content()
    context.close()
