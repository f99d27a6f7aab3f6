"""A real browser before the real console: who is signed in, what axe finds, what it looks like."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from tests.factories import a_user
from tunnels.services.access import sync_roles
from vpnconsole.env import BASE_DIR, environment

# Playwright keeps an event loop in this thread, and Django would refuse its database there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

AXE = BASE_DIR / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Nothing moves any more, but for what moves for ever.
STILL = """() => document.getAnimations().every(
  (one) => one.playState === "finished" || one.effect.getComputedTiming().endTime === Infinity)"""
# The browser and htmx each write a line about an answer of 400 or more; tests ask for such answers.
REFUSALS = ("Failed to load resource", "Response Status Error Code")

SignIn: TypeAlias = Callable[[Page, str], User]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder as e2e."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """Pages open under the live server: `page.goto("/tunnels/")`."""
    return str(live_server.url)


@pytest.fixture(autouse=True)
def complaints(context: BrowserContext, live_server: LiveServer) -> Any:
    """Fail a test whose pages broke the CSP, threw an error, or asked a third party."""
    heard: list[str] = []

    def on_request(request: Any) -> None:
        if not request.url.startswith((live_server.url, "data:", "blob:")):
            heard.append(f"third party: {request.url}")

    def on_console(message: Any) -> None:
        if message.type == "error" and not message.text.startswith(REFUSALS):
            heard.append(message.text)

    context.on("request", on_request)
    context.on("console", on_console)
    context.on("weberror", lambda error: heard.append(str(error.error)))
    yield heard
    assert heard == []


@pytest.fixture
def sign_in(transactional_db: None, live_server: LiveServer) -> SignIn:
    """A function (page, role) that makes a user of that role and gives the page their session.

    The user is named like the role; "" makes a stranger without any role.
    """

    def signed_in(page: Page, role: str) -> User:
        sync_roles()
        user = a_user(role or "stranger", role)
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
        )
        return user

    return signed_in


@pytest.fixture
def viewer(page: Page, sign_in: SignIn) -> Page:
    """A page where somebody who may only look is signed in."""
    sign_in(page, "viewer")
    return page


@pytest.fixture
def operator(page: Page, sign_in: SignIn) -> Page:
    """A page where somebody who runs tunnels is signed in."""
    sign_in(page, "operator")
    return page


@pytest.fixture
def admin(page: Page, sign_in: SignIn) -> Page:
    """A page where somebody who may do everything is signed in."""
    sign_in(page, "admin")
    return page


def answered(page: Page) -> None:
    """Wait until every request of htmx is answered and its answer is in the page."""
    page.wait_for_function("() => !document.querySelector('.htmx-request')")


def axe(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA, a line each: rule, element, what is wrong.

    The library comes in through the debugging protocol, which the CSP does not govern. What was asked for is
    waited for, and so is what is still moving: a colour half way to its own has too little contrast.
    """
    answered(page)
    page.wait_for_function(STILL)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def look(page: Page, name: str) -> Path:
    """Save the whole page as var/screenshots/NAME.png."""
    path = environment().var_dir / "screenshots" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    page.screenshot(path=path, full_page=True, animations="disabled")
    return path
