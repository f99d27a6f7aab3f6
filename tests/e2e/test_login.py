from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn, axe, look
from tests.factories import PASSWORD, a_user
from tunnels.services.access import sync_roles

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_by_everybody(page: Page, theme: Any) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto("/accounts/login/")
    look(page, f"login-{theme}")
    assert axe(page) == []


def test_it_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto("/accounts/login/")
    look(page, "login-360")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert axe(page) == []


def test_it_signs_in_and_out(page: Page) -> None:
    sync_roles()
    a_user("olga", "operator")
    page.goto("/tunnels/")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/tunnels/")
    page.goto("/accounts/2fa/")
    page.get_by_role("button", name="olga").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")
    page.goto("/tunnels/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_it_refuses_a_wrong_password(page: Page) -> None:
    a_user("olga")
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("password you specified are not correct")).to_be_visible()
    look(page, "login-refused")
    assert axe(page) == []


def test_it_offers_no_account_to_strangers(page: Page) -> None:
    page.goto("/accounts/login/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.locator("a[href*=signup], a[href*=reset]").count() == 0


PAGES = {
    "mfa": "/accounts/2fa/",
    "password": "/accounts/password/change/",
    "totp": "/accounts/2fa/totp/activate/",
    "keys": "/accounts/2fa/webauthn/",
    "key-add": "/accounts/2fa/webauthn/add/",
    "confirm": "/accounts/reauthenticate/",
    "logout": "/accounts/logout/",
    "missing": "/no/such/page/",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_account_pages_can_be_read_by_everybody(
    page: Page, theme: Any, sign_in: SignIn
) -> None:
    sign_in(page, "operator")
    page.emulate_media(color_scheme=theme)
    page.goto(PAGES["confirm"])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(lambda url: "reauthenticate" not in url)
    for name, address in PAGES.items():
        page.goto(address)
        look(page, f"account-{name}-{theme}")
        assert axe(page) == [], name
        assert page.locator("h1").count() == 1, name


def _confirm(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def test_it_takes_a_passkey_and_signs_in_with_it(page: Page, sign_in: SignIn) -> None:
    sign_in(page, "operator")
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    authenticator = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator})
    page.goto("/accounts/2fa/webauthn/add/")
    _confirm(page)
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/recovery-codes/**")
    look(page, "account-recovery-codes")
    assert axe(page) == []
    page.goto("/accounts/2fa/webauthn/")
    look(page, "account-keys-one")
    assert axe(page) == []
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/tunnels/")
