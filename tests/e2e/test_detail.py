from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import factories as make
from tests.e2e.conftest import axe, look
from tunnels.domain.proposals import PRESETS
from tunnels.models import Event, Tunnel
from tunnels.services import actions, editing
from tunnels.services.policy import HealthRequest

pytestmark = pytest.mark.django_db(transaction=True)


def a_busy_tunnel() -> Tunnel:
    """A tunnel with all that a page can show: four mappings, a probe, tags, weak choices, events."""
    legacy = PRESETS["legacy"]
    tunnel = make.a_tunnel(
        *make.SEED_RULES,
        health=HealthRequest(),
        tags={"env": "production", "team": "network"},
        ike=legacy.ike,
        ipsec=legacy.ipsec,
    )
    make.connect(tunnel)
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=PRESETS["compatible"].ike)
    actions.reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    actions.take_down(actor=make.SYSTEM, tunnel=tunnel)
    actions.bring_up(actor=make.SYSTEM, tunnel=tunnel)
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=legacy.ike)
    return make.connect(Tunnel.objects.get(pk=tunnel.pk))


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 1400), ("light", 360)])
def test_its_pages_can_be_read_by_everybody(admin: Page, theme: Any, width: int) -> None:
    tunnel = a_busy_tunnel()
    admin.set_viewport_size({"width": width, "height": 900})
    admin.emulate_media(color_scheme=theme)
    for name, path in (
        ("detail", ""),
        ("log", "log/"),
        ("log-follow", "log/?view=follow&range=7d"),
        ("config", "config/"),
        ("edit-basic", "edit/basic/"),
        ("edit-spd", "edit/spd/"),
    ):
        admin.goto(f"/tunnels/{tunnel.public_id}/{path}")
        for summary in admin.locator("summary").all():
            summary.click()
        look(admin, f"{name}-{theme}-{width}")
        assert axe(admin) == [], name
        assert admin.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_dialogs_can_be_read_by_everybody(admin: Page, theme: Any) -> None:
    tunnel = a_busy_tunnel()
    admin.emulate_media(color_scheme=theme)
    admin.goto(f"/tunnels/{tunnel.public_id}/")
    admin.click("#open-config")
    expect(admin.locator("#dialog #config-text-1")).to_be_visible()
    look(admin, f"dialog-config-{theme}")
    assert axe(admin) == []
    admin.keyboard.press("Escape")
    admin.click("#edit-ike")
    admin.select_option("#id_ike-dh_group", "dh14")
    expect(admin.locator("#impact")).to_contain_text("Saving renegotiates the whole tunnel")
    look(admin, f"dialog-edit-ike-{theme}")
    assert axe(admin) == []


def test_it_says_what_an_edit_does_before_it_is_saved(admin: Page) -> None:
    tunnel = make.connect(make.a_tunnel(*make.SEED_RULES))
    admin.goto(f"/tunnels/{tunnel.public_id}/")
    impact, dialog = admin.locator("#impact"), admin.locator("#dialog")

    admin.click("#edit-basic")
    admin.fill("#id_basic-name", "idc-shanghai-2")
    expect(impact).to_have_text("Saving does not interrupt traffic.")
    dialog.get_by_role("button", name="Save").click()
    expect(admin.locator("h1")).to_have_text("idc-shanghai-2")
    expect(dialog).to_be_hidden()

    admin.click("#edit-spd")
    admin.fill("#id_spd-remotes-0", "192.168.0.0/24")
    expect(impact).to_have_text("Saving takes down 1 mapping and adds 0; the others keep running.")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(admin.locator("#detail-mappings tbody tr")).to_have_count(3)

    admin.click("#edit-ike")
    admin.select_option("#id_ike-encryption", "aes-256")
    expect(impact).to_contain_text("Saving renegotiates the whole tunnel")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()

    admin.click("#edit-ipsec")
    admin.select_option("#id_ipsec-pfs", "")
    expect(impact).to_contain_text("Saving renegotiates every mapping")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()

    fresh = Tunnel.objects.select_related("ike", "ipsec").get()
    assert (fresh.name, fresh.ike.encryption, fresh.ipsec.pfs) == ("idc-shanghai-2", "aes-256", "")
    assert fresh.psk.reveal() == make.CANARY_PSK
    edits = Event.objects.filter(action="tunnel-edited").order_by("pk")
    assert [event.message.split(" of ")[0] for event in edits] == [
        "Basic information",
        "SPD policy",
        "IKE settings",
        "IPsec settings",
    ]


def test_it_reviews_an_edit_without_scripts(
    admin: Page, browser: Browser, live_server: Any
) -> None:
    tunnel = make.connect(make.a_tunnel(*make.SEED_RULES))
    storage = admin.context.storage_state()
    context = browser.new_context(
        java_script_enabled=False, base_url=live_server.url, storage_state=storage
    )
    page = context.new_page()
    page.goto(f"/tunnels/{tunnel.public_id}/edit/basic/")
    page.fill("#id_basic-psk", "Another-Key_12345")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_role("button", name="Review").click()
    expect(page.locator("#impact")).to_contain_text("Saving replaces the pre-shared key")
    assert "Another-Key_12345" not in page.content()
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(rf"/tunnels/{tunnel.public_id}/$"))
    expect(page.locator(".note-success")).to_contain_text(
        "Basic information of idc-shanghai saved."
    )
    assert Tunnel.objects.get().psk.reveal() == "Another-Key_12345"
    context.close()


def test_it_keeps_what_was_typed_when_somebody_else_was_faster(admin: Page) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    admin.goto(f"/tunnels/{tunnel.public_id}/")
    admin.click("#edit-ike")
    admin.fill("#id_ike-lifetime_seconds", "7200")
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=PRESETS["compatible"].ike)
    admin.locator("#dialog").get_by_role("button", name="Save").click()
    expect(admin.locator("#dialog [role=alert]")).to_contain_text("Somebody saved this tunnel")
    expect(admin.locator("#id_ike-lifetime_seconds")).to_have_value("7200")
    admin.get_by_role("link", name="open the newest version").click()
    expect(admin.locator("#id_ike-lifetime_seconds")).to_have_value("86400")
    expect(admin.locator("#id_ike-dh_group")).to_have_value("dh14")


def test_it_reveals_the_key_for_a_while(admin: Page) -> None:
    tunnel = make.a_tunnel()
    admin.clock.install()
    admin.goto(f"/tunnels/{tunnel.public_id}/")
    assert make.CANARY_PSK not in admin.content()
    admin.get_by_role("button", name="Reveal").click()
    expect(admin.locator("#psk-key")).to_have_text(make.CANARY_PSK)
    expect(admin.get_by_role("button", name="Hide")).to_be_focused()
    assert axe(admin) == []
    admin.clock.fast_forward(31_000)
    expect(admin.locator("#psk-key")).to_have_count(0)
    assert make.CANARY_PSK not in admin.content()
    expect(admin.get_by_role("button", name="Reveal")).to_be_focused()
    # What came back works again.
    admin.get_by_role("button", name="Reveal").click()
    expect(admin.locator("#psk-key")).to_be_visible()
    admin.get_by_role("button", name="Hide").click()
    expect(admin.locator("#psk-key")).to_have_count(0)
    assert Event.objects.filter(action="psk-revealed").count() == 2


def test_it_offers_a_viewer_nothing_to_change_or_reveal(viewer: Page) -> None:
    tunnel = make.a_tunnel()
    viewer.goto(f"/tunnels/{tunnel.public_id}/")
    expect(viewer.locator("h1")).to_have_text("idc-shanghai")
    for name in ("Reveal", "Edit"):
        expect(viewer.get_by_role("button", name=name)).to_have_count(0)
        expect(viewer.get_by_role("link", name=name)).to_have_count(0)


def test_it_changes_by_itself_when_the_gateway_reports(viewer: Page) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    viewer.goto(f"/tunnels/{tunnel.public_id}/")
    expect(viewer.locator("#detail-status .state")).to_have_text("Provisioning")
    make.connect(tunnel)
    expect(viewer.locator("#detail-status .state")).to_have_text("Connected", timeout=15_000)
    expect(viewer.locator("#detail-mappings .state")).to_have_text(["Up"] * 4)


def test_it_follows_the_log(viewer: Page) -> None:
    tunnel = make.a_tunnel()
    viewer.goto(f"/tunnels/{tunnel.public_id}/log/")
    viewer.get_by_role("link", name="Follow").click()
    lines = viewer.locator(".log-line")
    expect(lines).to_have_count(1, timeout=15_000)
    actions.reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    expect(lines.last).to_contain_text("Reset of idc-shanghai requested", timeout=15_000)
    expect(lines).to_have_count(2)


def test_it_leaves_whoever_reads_further_up(viewer: Page) -> None:
    tunnel = make.a_tunnel()
    for number in range(90):
        Event.objects.create(
            action="note",
            target_kind="tunnel",
            target_id=tunnel.public_id,
            message=f"line {number}",
        )
    viewer.goto(f"/tunnels/{tunnel.public_id}/log/?view=follow")
    window, lines = viewer.locator("[data-follow]"), viewer.locator(".log-line")
    expect(lines).to_have_count(91, timeout=15_000)
    at_bottom = "box => box.scrollHeight - box.scrollTop - box.clientHeight < 40"
    assert window.evaluate(at_bottom)
    actions.reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    expect(lines).to_have_count(92, timeout=15_000)
    viewer.wait_for_function(f"({at_bottom})(document.querySelector('[data-follow]'))")
    window.evaluate("box => { box.scrollTop = 100; }")
    actions.take_down(actor=make.SYSTEM, tunnel=tunnel)
    expect(lines).to_have_count(93, timeout=15_000)
    assert window.evaluate("box => box.scrollTop") == 100


def test_it_filters_the_log_as_one_types(viewer: Page) -> None:
    tunnel = make.a_tunnel()
    actions.reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    viewer.goto(f"/tunnels/{tunnel.public_id}/log/")
    expect(viewer.locator(".log-line")).to_have_count(2)
    viewer.fill("#log-text", "reset")
    expect(viewer.locator(".log-line")).to_have_count(1)
    expect(viewer.locator("#log-text")).to_be_focused()
    expect(viewer).to_have_url(re.compile("text=reset"))
    viewer.select_option("#log-level", "error")
    expect(viewer.get_by_role("heading", name="No line matches")).to_be_visible()


def test_it_shows_the_range_of_ones_own_only_when_it_counts(viewer: Page) -> None:
    tunnel = make.a_tunnel()
    viewer.goto(f"/tunnels/{tunnel.public_id}/log/")
    expect(viewer.get_by_label("From (UTC)")).to_be_hidden()
    viewer.select_option("#log-range", "custom")
    expect(viewer.get_by_label("From (UTC)")).to_be_visible()


def test_it_takes_down_and_brings_up_from_its_menu(operator: Page) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    operator.goto(f"/tunnels/{tunnel.public_id}/")
    status = operator.locator("#detail-status .state")
    operator.get_by_role("button", name="More actions").click()
    operator.get_by_role("link", name="Take down").click()
    operator.locator("#dialog button[type=submit]").click()
    expect(status).to_have_text("Disabled")
    operator.get_by_role("button", name="More actions").click()
    operator.get_by_role("button", name="Bring up").click()
    expect(status).to_have_text("Provisioning")
    expect(operator.locator(".events p").first).to_have_text("Tunnel idc-shanghai brought up")
