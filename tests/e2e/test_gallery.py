from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import axe, look
from tests.web.gallery import TEMPLATES

pytestmark = pytest.mark.urls("tests.web.gallery")


@pytest.fixture(autouse=True)
def _gallery(settings: Any) -> None:
    first, *others = settings.TEMPLATES
    settings.TEMPLATES = [{**first, "DIRS": [*first["DIRS"], TEMPLATES]}, *others]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_by_everybody(operator: Page, theme: Any) -> None:
    operator.emulate_media(color_scheme=theme)
    operator.goto("/gallery/")
    expect(operator.get_by_role("heading", level=1, name="Gallery")).to_be_visible()
    look(operator, f"gallery-{theme}")
    assert axe(operator) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_dialog_can_be_read_by_everybody(operator: Page, theme: Any) -> None:
    operator.emulate_media(color_scheme=theme)
    operator.goto("/gallery/")
    operator.click("#open-form")
    operator.click("#dialog button[type=submit]")
    expect(operator.locator("#dialog .is-invalid").first).to_be_visible()
    look(operator, f"dialog-{theme}")
    assert axe(operator) == []


def test_its_dialog_moves_the_focus_in_and_back(operator: Page) -> None:
    operator.goto("/gallery/")
    opener = operator.locator("#open-form")
    opener.click()
    expect(operator.get_by_role("dialog", name="New thing")).to_be_visible()
    expect(operator.locator("#dialog [name=name]")).to_be_focused()
    operator.keyboard.press("Escape")
    expect(operator.locator("#dialog")).to_be_hidden()
    expect(opener).to_be_focused()
    expect(operator.locator("#dialog-body > *")).to_have_count(0)


@pytest.mark.parametrize("how", ["close", "cancel", "beside"])
def test_its_dialog_closes(operator: Page, how: str) -> None:
    operator.goto("/gallery/")
    operator.click("#open-form")
    dialog = operator.locator("#dialog")
    expect(dialog).to_be_visible()
    if how == "close":
        dialog.get_by_role("button", name="Close").click()
    elif how == "cancel":
        dialog.get_by_role("link", name="Cancel").click()
    else:
        operator.mouse.click(5, 300)
    expect(dialog).to_be_hidden()
    assert operator.url.endswith("/gallery/")


def test_its_dialog_keeps_a_form_with_mistakes(operator: Page) -> None:
    operator.goto("/gallery/")
    operator.click("#open-form")
    dialog = operator.locator("#dialog")
    dialog.get_by_label("Name").fill("paris")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Main")).to_be_focused()
    expect(dialog.get_by_label("Name")).to_have_value("paris")
    assert operator.url.endswith("/gallery/")


def _fill(page: Locator) -> None:
    page.get_by_label("Name").fill("paris")
    page.get_by_label("Main").check()
    page.get_by_label("Ranges").fill("10.0.0.0/24")
    page.locator("[name=key]").fill("only-for-this-page")


def test_its_dialog_ends_with_a_toast_and_fresh_rows(operator: Page) -> None:
    operator.goto("/gallery/")
    operator.click("#open-form")
    _fill(operator.locator("#dialog"))
    with operator.expect_response(
        lambda response: response.request.headers.get("hx-target") == "rows"
    ):
        operator.locator("#dialog").get_by_role("button", name="Create").click()
    expect(operator.locator("#dialog")).to_be_hidden()
    expect(operator.locator("body > .toasts")).to_contain_text("It was saved.")


def test_it_needs_no_javascript(browser: Any, base_url: str, operator: Page) -> None:
    cookies: Any = operator.context.cookies()
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto("/gallery/")
    page.locator("#more-1").click()
    page.get_by_role("link", name="Edit tags").click()
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    expect(page.get_by_role("heading", level=1, name="New thing")).to_be_visible()
    page.locator("[name=name]").fill("paris")
    page.locator("[name=mode][value=main]").check()
    page.locator("[name=ranges]").fill("10.0.0.0/24")
    page.locator("[name=key]").fill("only-for-this-page")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/gallery/")
    expect(page.get_by_text("It was saved.")).to_be_visible()
    context.close()


def test_its_menu_works_by_keyboard(operator: Page) -> None:
    operator.goto("/gallery/")
    button = operator.locator("#more-1")
    button.focus()
    operator.keyboard.press("ArrowDown")
    expect(operator.locator("#menu-1").get_by_role("link", name="Log")).to_be_focused()
    operator.keyboard.press("ArrowUp")
    delete = operator.locator("#menu-1").get_by_role("link", name="Delete")
    expect(delete).to_be_focused()
    at, menu = button.bounding_box(), operator.locator("#menu-1").bounding_box()
    assert at is not None
    assert menu is not None
    assert abs(at["x"] + at["width"] - menu["x"] - menu["width"]) < 2
    assert 0 < menu["y"] - at["y"] - at["height"] < 8
    operator.keyboard.press("Escape")
    expect(operator.locator("#menu-1")).to_be_hidden()
    expect(button).to_be_focused()


def test_its_menu_gives_the_focus_back_after_a_dialog(operator: Page) -> None:
    operator.goto("/gallery/")
    operator.click("#more-1")
    operator.locator("#menu-1").get_by_role("link", name="Delete").click()
    expect(operator.locator("#menu-1")).to_be_hidden()
    expect(operator.locator("#id_confirm")).to_be_focused()
    operator.keyboard.press("Escape")
    expect(operator.locator("#more-1")).to_be_focused()


def test_it_asks_for_the_name_and_tells_a_refusal(operator: Page) -> None:
    operator.goto("/gallery/")
    operator.click("#reset-0")
    delete = operator.locator("#dialog").get_by_role("button", name="Delete")
    operator.fill("#id_confirm", "idc-beijing")
    delete.click()
    message = operator.locator("#id_confirm").evaluate("input => input.validationMessage")
    assert message == "Type idc-shanghai exactly as shown."
    operator.fill("#id_confirm", "idc-shanghai")
    delete.click()
    toast = operator.locator("#dialog .toast-box")
    expect(toast).to_have_text("This needs the role admin; ask an administrator.")
    assert axe(operator) == []
    operator.keyboard.press("Escape")
    expect(operator.locator("body > .toasts .toast-box")).to_have_count(1)
    operator.get_by_role("button", name="Dismiss").click()
    expect(operator.locator(".toast-box")).to_have_count(0)


def test_it_generates_and_shows_a_key(operator: Page) -> None:
    operator.goto("/gallery/form/")
    key = operator.locator("[name=key]")
    operator.get_by_role("button", name="Generate").click()
    assert re.fullmatch("[A-Za-z0-9]{32}", key.input_value())
    expect(key).to_have_attribute("type", "text")
    toggle = operator.get_by_role("button", name="Show pre-shared key")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    toggle.click()
    expect(key).to_have_attribute("type", "password")


def test_it_copies(operator: Page) -> None:
    operator.context.grant_permissions(["clipboard-read", "clipboard-write"])
    operator.goto("/gallery/")
    operator.locator("[data-copy=address]").click()
    expect(operator.get_by_text("Copied")).to_be_visible()
    assert operator.evaluate("navigator.clipboard.readText()") == "203.0.113.10"


def test_it_remembers_the_theme(operator: Page) -> None:
    operator.emulate_media(color_scheme="light")
    operator.goto("/gallery/")
    html = operator.locator("html")
    expect(html).to_have_attribute("data-bs-theme", "light")
    operator.get_by_role("button", name="Switch between light and dark").click()
    operator.reload()
    expect(html).to_have_attribute("data-bs-theme", "dark")


def test_it_tells_the_local_time(browser: Any, base_url: str, operator: Page) -> None:
    context = browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB", base_url=base_url)
    context.add_cookies(operator.context.cookies())
    page = context.new_page()
    page.goto("/gallery/")
    time = page.locator("time").first
    expect(time).to_have_text("1 Mar 2026, 21:30")
    expect(time).to_have_attribute("title", "1 Mar 2026, 12:30 UTC")
    context.close()


def test_it_navigates_on_a_phone(operator: Page) -> None:
    operator.set_viewport_size({"width": 360, "height": 640})
    operator.goto("/gallery/")
    link = operator.get_by_role("navigation", name="Main").get_by_role("link", name="Tunnels")
    expect(link).to_be_hidden()
    operator.get_by_role("button", name="Navigation").click()
    expect(link).to_be_visible()
    look(operator, "navigation-360")
    assert axe(operator) == []


def test_it_skips_to_the_content(operator: Page) -> None:
    operator.goto("/accounts/2fa/")
    operator.keyboard.press("Tab")
    skip = operator.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    operator.keyboard.press("Enter")
    expect(operator.locator("#main")).to_be_focused()


@pytest.mark.parametrize("width", [360, 3840])
def test_it_fits_every_screen(operator: Page, width: int) -> None:
    operator.set_viewport_size({"width": width, "height": 1600})
    operator.goto("/gallery/")
    expect(operator.get_by_role("heading", level=1, name="Gallery")).to_be_visible()
    look(operator, f"gallery-{width}")
    assert operator.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(operator) == []
