from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import factories as make
from tests.e2e.conftest import SignIn, answered, axe, look
from tunnels.models import Tunnel, VpnGateway
from tunnels.models.telemetry import TunnelState

pytestmark = pytest.mark.django_db(transaction=True)

SITES = ("Berlin office", "tokyo-plant", "são-paulo-idc", "Лондон-склад", "idc-shanghai", "lab")


@pytest.fixture
def tunnels(transactional_db: None) -> list[Tunnel]:
    """Six tunnels on two gateways, in six states."""
    vpc, ccn = make.a_vpc(name="production"), make.a_ccn("backbone")
    gateways = [
        make.a_vpn_gateway(vpc=vpc, name="frankfurt-1"),
        make.a_vpn_gateway(ccn=ccn, name="singapore-1"),
    ]
    made = []
    for number, name in enumerate(SITES):
        made.append(
            make.a_tunnel(
                f"10.0.{number}.0/24 192.168.{number}.0/24 172.16.{number}.0/24",
                name=name,
                vpn_gateway=gateways[number % 2],
                customer_gateway=make.a_customer_gateway(f"{name}-edge"),
                tags={"env": "prod" if number % 2 else "test", "team": "net"},
            )
        )
    make.connect(made[0])
    make.connect(made[1], up=1)
    TunnelState.objects.filter(tunnel=made[2]).update(word="negotiating", phase1="connecting")
    TunnelState.objects.filter(tunnel=made[3]).update(
        word="failed", provisioning="failed", failure="The gateway refused the proposal."
    )
    TunnelState.objects.filter(tunnel=made[4]).update(word="disconnected")
    return made


def row(page: Page, name: str) -> Any:
    """The table row of that tunnel."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def expect_names(page: Page, wanted: list[str]) -> None:
    """Wait until the list has these names, in this order: a page that was asked for may still be loading."""
    expect(page.locator(".list-name > a")).to_have_text(wanted)


def toast(page: Page, text: str) -> None:
    """Wait for the message."""
    expect(page.locator("[data-toasts] .toast-box").filter(has_text=text).first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_by_everybody(operator: Page, tunnels: object, theme: Any) -> None:
    operator.emulate_media(color_scheme=theme)
    operator.goto("/tunnels/?tag=team")
    operator.locator("[name=t]").first.check()
    look(operator, f"list-{theme}")
    assert axe(operator) == []
    row(operator, "lab").get_by_role("button", name="More actions").click()
    assert axe(operator) == []
    look(operator, f"list-menu-{theme}")


@pytest.mark.parametrize("width", [360, 1024, 1440, 2560])
def test_it_fits_every_screen(operator: Page, tunnels: object, width: int) -> None:
    operator.set_viewport_size({"width": width, "height": 900})
    operator.goto("/tunnels/")
    look(operator, f"list-{width}")
    assert operator.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(operator) == []


def test_it_leads_to_the_first_tunnel(operator: Page) -> None:
    operator.goto("/tunnels/")
    expect(operator.get_by_role("link", name="Create the first tunnel")).to_be_visible()
    look(operator, "list-empty")
    assert axe(operator) == []
    operator.goto("/tunnels/?q=nothing")
    expect(operator.get_by_role("link", name="Create the first tunnel")).to_be_visible()


def test_it_changes_cells_without_touching_the_rest(operator: Page, tunnels: list[Tunnel]) -> None:
    operator.clock.install()
    operator.goto("/tunnels/")
    shanghai = row(operator, "idc-shanghai")
    shanghai.get_by_role("checkbox").check()
    shanghai.get_by_role("button", name="More actions").click()
    item = shanghai.get_by_role("link", name="Edit tags")
    item.focus()
    expect(shanghai.locator(".state").first).to_have_text("Disconnected")
    make.connect(tunnels[4])
    operator.clock.run_for(5_000)
    expect(shanghai.locator(".state").first).to_have_text("Connected")
    expect(shanghai.locator(".list-number")).to_contain_text("2/2")
    expect(shanghai.get_by_role("checkbox")).to_be_checked()
    expect(item).to_be_visible()
    expect(item).to_be_focused()
    expect(operator.get_by_text("The list has changed.")).to_have_count(0)


def test_it_tells_when_rows_came_or_went(operator: Page, tunnels: list[Tunnel]) -> None:
    operator.clock.install()
    operator.goto("/tunnels/")
    make.a_tunnel(name="newcomer")
    operator.clock.run_for(5_000)
    expect(operator.get_by_text("The list has changed.")).to_be_visible()
    look(operator, "list-moved")
    assert axe(operator) == []
    operator.get_by_role("link", name="Reload").click()
    expect(row(operator, "newcomer")).to_be_visible()
    expect(operator.get_by_text("The list has changed.")).to_have_count(0)


def test_it_does_not_ask_while_nobody_looks(operator: Page, tunnels: object) -> None:
    asked: list[str] = []
    operator.on("request", lambda request: asked.append(request.url))
    operator.clock.install()
    operator.goto("/tunnels/")
    hide = "Object.defineProperty(document, 'visibilityState', {value: %r, configurable: true})"
    operator.evaluate(hide % "hidden")
    operator.clock.run_for(60_000)
    assert not any("/live/" in url for url in asked)
    operator.evaluate(hide % "visible")
    with operator.expect_response(lambda response: "/live/" in response.url) as answer:
        operator.clock.run_for(5_000)
    assert answer.value.status == 204


def test_it_finds_as_one_types_and_keeps_it_in_the_address(
    operator: Page, tunnels: list[Tunnel]
) -> None:
    operator.goto("/tunnels/")
    box = operator.get_by_role("searchbox")
    box.fill("192.168.1.7")
    expect(operator.locator(".list-name")).to_have_count(1)
    expect_names(operator, ["tokyo-plant"])
    operator.wait_for_url("**/tunnels/?q=192.168.1.7")
    expect(box).to_be_focused()
    box.fill("")
    operator.get_by_label("Status").select_option("failed")
    expect(operator.locator(".list-name")).to_have_text([re.compile("Лондон-склад")])
    operator.wait_for_url("**/tunnels/?status=failed")
    operator.reload()
    expect_names(operator, ["Лондон-склад"])
    expect(operator.get_by_label("Status")).to_have_value("failed")
    operator.get_by_role("textbox", name="Tag").fill("owner")
    expect(operator.get_by_text("No tunnel fits")).to_be_visible()
    look(operator, "list-nothing-fits")
    assert axe(operator) == []
    operator.get_by_role("link", name="Clear search and filters").click()
    operator.wait_for_url("**/tunnels/")
    expect(operator.locator(".list-name")).to_have_count(6)


def test_it_sorts(operator: Page, tunnels: object) -> None:
    operator.goto("/tunnels/")
    operator.get_by_role("columnheader").get_by_role("link", name="Name").click()
    operator.wait_for_url("**/tunnels/?sort=name")
    expect(operator.locator(".list-name > a").first).to_have_text("Berlin office")
    operator.get_by_role("columnheader").get_by_role("link", name="Name").click()
    operator.wait_for_url("**/tunnels/?sort=-name")
    expect(operator.locator(".list-name > a").last).to_have_text("Berlin office")


def _menu(page: Page, name: str, item: str) -> None:
    """Choose from the row's menu with the keyboard alone."""
    button = row(page, name).get_by_role("button", name="More actions")
    button.focus()
    page.keyboard.press("ArrowDown")
    target = row(page, name).locator(".menu-item").filter(has_text=item)
    for _ in range(6):
        if target.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    expect(target).to_be_focused()
    page.keyboard.press("Enter")


def test_its_actions_work_by_keyboard(operator: Page, tunnels: list[Tunnel]) -> None:
    operator.goto("/tunnels/")
    dialog = operator.get_by_role("dialog")

    row(operator, "Berlin office").get_by_role("link", name="Reset").focus()
    operator.keyboard.press("Enter")
    expect(dialog.get_by_role("heading", name="Reset tunnel")).to_be_visible()
    look(operator, "action-reset")
    assert axe(operator) == []
    dialog.get_by_role("button", name="Reset tunnel").press("Enter")
    toast(operator, "Reset of Berlin office requested.")
    expect(row(operator, "Berlin office")).to_contain_text("Reset requested")
    expect(row(operator, "Berlin office").get_by_role("link", name="Reset")).to_be_focused()

    _menu(operator, "Berlin office", "Edit tags")
    expect(dialog.get_by_role("heading", name="Edit tags")).to_be_visible()
    dialog.get_by_role("button", name="Add a tag").press("Enter")
    expect(dialog.get_by_label("Key of tag 3")).to_be_focused()
    answered(operator)
    operator.keyboard.type("env")
    operator.keyboard.press("Tab")
    operator.keyboard.type("spare")
    operator.keyboard.press("Enter")
    expect(dialog.get_by_text("is there twice")).to_be_visible()
    look(operator, "action-tags")
    assert axe(operator) == []
    expect(dialog.get_by_label("Key of tag 3")).to_be_focused()
    answered(operator)
    operator.keyboard.press("Control+a")
    operator.keyboard.type("owner")
    operator.keyboard.press("Enter")
    toast(operator, "Tags of Berlin office saved.")
    expect(row(operator, "Berlin office")).to_contain_text("owner")

    _menu(operator, "Berlin office", "Delete")
    expect(dialog.get_by_text("It is connected and carries traffic")).to_be_visible()
    look(operator, "action-delete-connected")
    assert axe(operator) == []
    dialog.get_by_role("button", name="Take down").press("Enter")
    toast(operator, "Berlin office is being taken down.")

    _menu(operator, "Berlin office", "Bring up")
    toast(operator, "Berlin office is being brought up.")
    more = row(operator, "Berlin office").get_by_role("button", name="More actions")
    expect(row(operator, "Berlin office").get_by_role("link", name="Reset")).to_be_visible()
    expect(more).to_be_focused()

    _menu(operator, "Berlin office", "Take down")
    expect(dialog.get_by_role("heading", name="Take tunnel down")).to_be_visible()
    look(operator, "action-take-down")
    assert axe(operator) == []
    operator.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(more).to_be_focused()

    VpnGateway.objects.update(last_seen=None)
    _menu(operator, "lab", "Delete")
    dialog.get_by_label("Type lab to confirm").fill("lob")
    operator.keyboard.press("Enter")
    assert Tunnel.objects.filter(name="lab").exists()
    dialog.get_by_label("Type lab to confirm").fill("lab")
    look(operator, "action-delete")
    assert axe(operator) == []
    operator.keyboard.press("Enter")
    toast(operator, "lab was deleted.")
    expect(row(operator, "lab")).to_have_count(0)


def test_it_leads_to_the_log_and_the_configuration(operator: Page, tunnels: object) -> None:
    operator.goto("/tunnels/")
    _menu(operator, "idc-shanghai", "Download config")
    expect(operator.get_by_role("dialog")).to_be_visible()
    operator.keyboard.press("Escape")
    _menu(operator, "idc-shanghai", "Log")
    operator.wait_for_url("**/log/")


def test_it_acts_on_many(operator: Page, tunnels: list[Tunnel]) -> None:
    operator.goto("/tunnels/")
    expect(operator.get_by_role("button", name="Delete", exact=True)).to_be_hidden()
    operator.get_by_label("Select all on this page").check()
    expect(operator.get_by_text("6 selected")).to_be_visible()
    operator.get_by_label("Select lab").uncheck()
    expect(operator.get_by_text("5 selected")).to_be_visible()
    dialog = operator.get_by_role("dialog")

    operator.get_by_role("button", name="Edit tags", exact=True).click()
    expect(dialog.get_by_role("listitem")).to_have_count(5)
    dialog.get_by_label("Key of tag 1").fill("owner")
    dialog.get_by_label("Value of tag 1").fill("eva")
    dialog.get_by_label("team on 5").check()
    look(operator, "bulk-tags")
    assert axe(operator) == []
    dialog.get_by_role("button", name="Save tags").click()
    toast(operator, "Tags of 5 tunnels saved.")
    tags = Tunnel.objects.get(name="idc-shanghai").tags
    assert tags == {"env": "test", "owner": "eva"}
    expect(operator.get_by_text("5 selected")).to_be_visible()

    operator.get_by_role("button", name="Reset", exact=True).click()
    look(operator, "bulk-reset")
    assert axe(operator) == []
    dialog.get_by_role("button", name="Reset", exact=True).click()
    toast(operator, "5 tunnels will be reset.")

    operator.get_by_role("button", name="Delete", exact=True).click()
    expect(dialog.get_by_text("Connected tunnels stay")).to_be_visible()
    dialog.get_by_label("Type delete 5 tunnels to confirm").fill("delete 5 tunnels")
    look(operator, "bulk-delete")
    assert axe(operator) == []
    dialog.get_by_role("button", name="Delete", exact=True).click()
    toast(operator, "3 tunnels are deleted or being deleted.")
    toast(operator, "Berlin office is connected and carries traffic.")
    look(operator, "bulk-deleted")


def test_a_viewer_only_looks(viewer: Page, tunnels: object) -> None:
    viewer.goto("/tunnels/")
    expect(viewer.locator(".list-name")).to_have_count(6)
    assert viewer.get_by_role("checkbox").count() == 0
    assert viewer.get_by_role("link", name="Create tunnel").count() == 0
    row(viewer, "lab").get_by_role("button", name="More actions").click()
    items = row(viewer, "lab").locator(".menu-item").all_inner_texts()
    assert [item.strip() for item in items] == ["Log", "Download config"]
    look(viewer, "list-viewer")


@pytest.fixture
def plain(browser: Browser, live_server: LiveServer, sign_in: SignIn) -> Iterator[Page]:
    """A browser without JavaScript, with an operator signed in."""
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    sign_in(page, "operator")
    yield page
    context.close()


def test_it_works_without_javascript(plain: Page, tunnels: list[Tunnel]) -> None:
    plain.goto("/tunnels/")
    plain.get_by_role("searchbox").fill("shanghai")
    plain.get_by_role("button", name="Search").click()
    expect_names(plain, ["idc-shanghai"])
    assert "q=shanghai" in plain.url

    row(plain, "idc-shanghai").get_by_role("link", name="Reset").click()
    plain.get_by_role("button", name="Reset tunnel").click()
    assert "q=shanghai" in plain.url
    expect(plain.get_by_text("Reset of idc-shanghai requested.")).to_be_visible()

    row(plain, "idc-shanghai").get_by_role("button", name="More actions").click()
    row(plain, "idc-shanghai").get_by_role("link", name="Take down").click()
    plain.get_by_role("button", name="Take down").click()
    expect(plain.get_by_text("idc-shanghai is being taken down.")).to_be_visible()

    row(plain, "idc-shanghai").get_by_role("button", name="More actions").click()
    row(plain, "idc-shanghai").get_by_role("button", name="Bring up").click()
    expect(plain.get_by_text("idc-shanghai is being brought up.")).to_be_visible()
    assert "q=shanghai" in plain.url

    row(plain, "idc-shanghai").get_by_role("button", name="More actions").click()
    row(plain, "idc-shanghai").get_by_role("link", name="Edit tags").click()
    plain.get_by_role("button", name="Add a tag").click()
    plain.get_by_label("Key of tag 3").fill("owner")
    plain.get_by_label("Value of tag 3").fill("eva")
    plain.get_by_role("button", name="Remove tag 1").click()
    plain.get_by_role("button", name="Save tags").last.click()
    expect(plain.get_by_text("Tags of idc-shanghai saved.")).to_be_visible()
    assert Tunnel.objects.get(name="idc-shanghai").tags == {"owner": "eva", "team": "net"}

    plain.goto("/tunnels/")
    plain.get_by_label("Select lab").check()
    plain.get_by_label("Select idc-shanghai").check()
    plain.get_by_role("button", name="Delete", exact=True).click()
    look_plain = plain.get_by_label("Type delete 2 tunnels to confirm")
    look_plain.fill("delete 2 tunnels")
    plain.get_by_role("button", name="Delete", exact=True).click()
    expect(plain.get_by_text("2 tunnels are deleted or being deleted.")).to_be_visible()
