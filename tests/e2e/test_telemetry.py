"""What gateways report, in a real browser: the agent's card, the charts, the rotation of a key, the cause."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests import factories as make
from tests import reports
from tests.e2e.conftest import axe, look
from tests.services.test_diagnosis import REFUSED
from tests.services.test_rotation import prove
from tests.web.detail.test_traffic import samples
from tunnels.contract import HealthReport, ResetReport
from tunnels.models import Sample, Tunnel
from tunnels.services import actions
from tunnels.services.policy import HealthRequest

pytestmark = pytest.mark.django_db(transaction=True)

THEMES = [("light", 1400), ("dark", 1400), ("light", 360)]


def a_reporting_tunnel() -> Tunnel:
    """A tunnel with everything that an agent can report: counters, a reset, a probe, one mapping that is down."""
    tunnel = make.a_tunnel(*make.SEED_RULES, health=HealthRequest())
    # Then the first report leaves a sample, and so does none after it.
    reports.report(tunnel, pair={"bytes_in": 3_000_000, "bytes_out": 2_048})
    actions.reset_tunnel(actor=make.SYSTEM, tunnel=tunnel)
    outcome = ResetReport(number=1, before=5, between=0, after=5, seconds=0.4, ok=True)
    probe = HealthReport(healthy=True, rtt_ms=12.34, loss=0.05)
    pair = {"bytes_in": 3_000_000, "bytes_out": 2_048}
    reports.report(tunnel, up=4, reset=outcome, resets_done=1, health=probe, pair=pair, nat=True)
    Sample.objects.all().delete()
    samples(tunnel, 110)
    return tunnel


def fits(page: Page, width: int) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


@pytest.mark.parametrize(("theme", "width"), THEMES)
def test_its_pages_can_be_read_by_everybody(admin: Page, theme: Any, width: int) -> None:
    tunnel = a_reporting_tunnel()
    trouble = reports.facts(
        clock=timezone.now() + timedelta(seconds=90),
        foreign=("office", "branch-2"),
        problems=("charon's log cannot be read: Permission denied.",),
    )
    probe = HealthReport(healthy=True, rtt_ms=12.34, loss=0.05)
    reports.report(tunnel, up=4, facts=trouble, health=probe)
    admin.set_viewport_size({"width": width, "height": 900})
    admin.emulate_media(color_scheme=theme)
    for name, path in (
        ("reporting", f"/tunnels/{tunnel.public_id}/"),
        ("traffic", f"/tunnels/{tunnel.public_id}/traffic/"),
        ("gateway", f"/vpn-gateways/{tunnel.vpn_gateway.public_id}/"),
    ):
        admin.goto(path)
        if name == "reporting":
            expect(admin.locator("#detail-traffic canvas").nth(2)).to_be_visible()
        look(admin, f"{name}-{theme}-{width}")
        assert axe(admin) == [], name
        assert fits(admin, width), name
    admin.get_by_role("button", name="Enrol again").click()
    expect(admin.locator("#enrol-command")).to_contain_text("--one-time-token")
    look(admin, f"enrol-{theme}-{width}")
    assert axe(admin) == []


def test_it_enrols_and_revokes_an_agent(admin: Page, context: Any) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    tunnel = make.a_tunnel()
    gateway = tunnel.vpn_gateway
    admin.goto("/vpn-gateways/")
    admin.get_by_role("link", name=gateway.name, exact=True).click()
    state = admin.locator("#gateway-agent .state")
    expect(state).to_have_text("Not enrolled")
    admin.get_by_role("button", name="Enrol an agent").click()
    admin.locator("[data-copy=enrol-command]").click()
    expect(admin.locator("[data-copy=enrol-command]")).to_have_text("Copied")
    command = str(admin.evaluate("navigator.clipboard.readText()"))
    assert re.search(
        r"enrol --console http://\S+ --gateway vpngw-\w+ --one-time-token \S+$", command
    )
    admin.get_by_role("link", name="Done").click()
    assert command.split()[-1] not in admin.content()
    expect(state).to_have_text("Waiting", timeout=15_000)
    # The agent comes, reports, and the page shows it by itself.
    reports.report(tunnel)
    expect(state).to_have_text("Reporting", timeout=15_000)
    expect(admin.locator("#gateway-tunnels .state")).to_have_text("Connected")
    admin.get_by_role("link", name="Revoke").click()
    assert axe(admin) == []
    admin.get_by_role("button", name="Revoke agent").click()
    expect(state).to_have_text("Not enrolled")


def test_its_chart_follows_the_range_and_the_pointer(viewer: Page) -> None:
    tunnel = a_reporting_tunnel()
    viewer.goto(f"/tunnels/{tunnel.public_id}/")
    chart, now = viewer.locator("[data-traffic-rate]"), viewer.locator("[data-traffic-now]")
    expect(chart).to_have_attribute("aria-label", re.compile(r"in at most 40\.0 kb/s"))
    expect(now).to_contain_text("latest: in")
    chart.locator(".u-over").hover(position={"x": 250, "y": 60})
    expect(now).to_contain_text("in 40.0 kb/s, out 4.0 kb/s, 4 of 5 up")
    with viewer.expect_response(re.compile("range=7d")):
        viewer.get_by_role("link", name="7 days").click()
    expect(viewer.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
    expect(chart.locator("canvas")).to_have_count(1)
    viewer.get_by_role("link", name="As a table").click()
    expect(viewer).to_have_url(re.compile(r"/traffic/\?range=7d$"))
    expect(viewer.get_by_role("table")).to_contain_text("kb/s")


def test_its_charts_come_back_when_the_page_fetches_itself(operator: Page) -> None:
    tunnel = a_reporting_tunnel()
    operator.goto(f"/tunnels/{tunnel.public_id}/")
    expect(operator.locator("#detail-traffic canvas")).to_have_count(3)
    operator.get_by_role("button", name="More actions").click()
    operator.get_by_role("link", name="Take down").click()
    operator.locator("#dialog button[type=submit]").click()
    expect(operator.locator(".toast-box")).to_contain_text("is being taken down")
    expect(operator.locator("#detail-traffic canvas")).to_have_count(3)


def test_it_shows_the_numbers_without_scripts(
    browser: Browser, base_url: str, page: Page, sign_in: Any
) -> None:
    tunnel = a_reporting_tunnel()
    sign_in(page, "viewer")
    cookies: Any = page.context.cookies()
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    context.add_cookies(cookies)
    plain = context.new_page()
    plain.goto(f"/tunnels/{tunnel.public_id}/")
    plain.get_by_role("link", name="1 hour").click()
    expect(plain.get_by_role("table")).to_contain_text("40.0 kb/s")
    context.close()


@pytest.mark.parametrize(("theme", "width"), THEMES)
def test_it_rotates_a_key_with_the_state_in_sight(admin: Page, theme: Any, width: int) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    reports.report(tunnel)
    admin.set_viewport_size({"width": width, "height": 900})
    admin.emulate_media(color_scheme=theme)
    admin.goto(f"/tunnels/{tunnel.public_id}/")
    admin.get_by_role("link", name="Rotate").click()
    assert axe(admin) == []
    look(admin, f"rotation-start-{theme}-{width}")
    admin.get_by_role("button", name="Start rotation").click()
    card = admin.locator("#detail-rotation")
    expect(card).to_contain_text("has still to take over both keys")
    reports.report(tunnel, signing="previous")
    expect(card).to_contain_text("still uses the old key", timeout=15_000)
    card.get_by_role("link", name="Finish").click()
    expect(admin.get_by_label("Drop the old key all the same")).to_be_visible()
    assert axe(admin) == []
    look(admin, f"rotation-forced-{theme}-{width}")
    admin.get_by_role("link", name="Cancel").last.click()
    reports.report(tunnel)
    prove(tunnel)
    expect(card).to_contain_text("The device has the new key.", timeout=15_000)
    look(admin, f"rotation-{theme}-{width}")
    assert axe(admin) == []
    assert fits(admin, width)
    card.get_by_role("link", name="Finish").click()
    admin.get_by_role("button", name="Drop the old key").click()
    expect(admin.locator("#rotation-title")).to_have_count(0)
    expect(admin.get_by_role("link", name="Rotate")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), THEMES)
def test_it_says_why_and_leads_to_the_field(admin: Page, theme: Any, width: int) -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    reports.report(tunnel, up=0)
    admin.set_viewport_size({"width": width, "height": 900})
    admin.emulate_media(color_scheme=theme)
    admin.goto(f"/tunnels/{tunnel.public_id}/")
    expect(admin.locator("#cause-title")).to_have_count(0)
    reports.log(tunnel, *REFUSED)
    expect(admin.locator("#cause-title")).to_contain_text(
        "refused to authenticate us", timeout=15_000
    )
    expect(admin.locator("#detail-cause code")).to_have_text(REFUSED[2])
    look(admin, f"cause-{theme}-{width}")
    assert axe(admin) == []
    assert fits(admin, width)
    admin.get_by_role("link", name="Edit the basic information").click()
    expect(admin.locator("#dialog-title")).to_have_text("Basic information")
    admin.goto("/tunnels/")
    expect(admin.locator(".list-status")).to_contain_text("refused to authenticate us")
