"""The wizard in a real browser: with and without JavaScript, in the dialog and as pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from tests import factories as make
from tests.e2e.conftest import SignIn, axe, look
from tunnels.models import Tunnel, VpnGateway

RULES = [
    ("10.0.0.0/24", "192.168.0.0/24\n192.168.1.0/24"),
    ("10.0.1.0/24", "192.168.2.0/24"),
    ("10.0.2.0/24", "192.168.2.0/24"),
]
MAPPINGS = [
    "10.0.0.0/24 ↔ 192.168.0.0/24",
    "10.0.0.0/24 ↔ 192.168.1.0/24",
    "10.0.1.0/24 ↔ 192.168.2.0/24",
    "10.0.2.0/24 ↔ 192.168.2.0/24",
]


@pytest.fixture
def gateways(operator: Page) -> None:
    """Something to choose from: two regions, a VPC and a CCN gateway, customers."""
    make.a_vpn_gateway()
    make.a_vpn_gateway(ccn=make.a_ccn(), name="frankfurt-ccn")
    far = make.a_region("ap-east", "Hong Kong")
    make.a_vpn_gateway(vpc=make.a_vpc("10.8.0.0/16", region=far), name="hongkong-1")
    make.a_customer_gateway("idc-shanghai-edge")
    make.a_customer_gateway("idc-osaka-edge")


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).last.click()


def _step(page: Page, label: str) -> None:
    expect(page.locator("[aria-current=step]")).to_contain_text(label)


def _basic(page: Page, customer: str = "idc-shanghai-edge") -> None:
    page.get_by_label("Tunnel name").fill("idc-shanghai")
    page.locator("#id_basic-region").select_option("eu-central")
    option = page.locator("#id_basic-customer_gateway").locator("option")
    value = option.filter(has_text=customer).get_attribute("value")
    page.locator("#id_basic-customer_gateway").select_option(value)
    expect(page.locator("#id_basic-vpn_gateway option:checked")).to_contain_text("frankfurt-1")
    expect(page.get_by_label("Customer gateway IP")).to_have_text(re.compile(r"^198\.18\."))


def _rule(page: Page, number: int, local: str, remotes: str) -> None:
    page.get_by_label(f"Local range (CIDR), rule {number}").fill(local)
    page.get_by_label(f"Customer ranges, one a line, rule {number}").fill(remotes)


def test_the_reference_example_by_keyboard_and_mouse(operator: Page, gateways: None) -> None:
    page = operator
    page.goto("/tunnels/new/")
    _step(page, "Basic information")
    _basic(page)
    _press(page, "Generate")
    expect(page.locator("#id_basic-psk")).to_have_attribute("type", "text")
    _press(page, "Add tag")
    expect(page.get_by_label("Key, tag 1")).to_be_focused()
    page.keyboard.type("env")
    page.get_by_label("Value, tag 1").fill("prod")
    look(page, "wizard-basic")
    _press(page, "Next")

    _step(page, "SPD policy")
    for number, (local, remotes) in enumerate(RULES, start=1):
        if number > 1:
            _press(page, "Add rule")
            expect(page.get_by_label(f"Local range (CIDR), rule {number}")).to_be_focused()
        _rule(page, number, local, remotes)
    expect(page.locator(".mapping-good")).to_have_count(4)
    expect(page.locator("#mappings")).to_contain_text("4 of 200 mappings")
    look(page, "wizard-spd")
    _press(page, "Next")

    _step(page, "IKE")
    look(page, "wizard-ike")
    _press(page, "Next")
    _step(page, "IPsec")
    look(page, "wizard-ipsec")
    _press(page, "Finish")
    page.wait_for_url("**/tunnels/")
    tunnel = Tunnel.objects.get()
    assert [str(mapping) for mapping in tunnel.mappings.all()] == MAPPINGS
    assert tunnel.tags == {"env": "prod"}
    assert len(tunnel.psk) == 32


@pytest.mark.parametrize("start", ["/tunnels/new/", "/tunnels/"])
def test_next_waits_for_a_choice_that_is_on_its_way(
    operator: Page, gateways: None, start: str
) -> None:
    page = operator
    page.goto(start)
    if start == "/tunnels/":
        page.get_by_role("link", name="Create tunnel").click()
    _basic(page)
    page.locator("#id_basic-psk").fill(make.CANARY_PSK)
    choices: list[Route] = []

    def hold(route: Route) -> None:
        choices.append(route)

    page.route("**/basic/", hold, times=1)
    page.get_by_label("CCN", exact=True).check(force=True)
    page.wait_for_function("() => document.querySelector('#step-body.htmx-request')")
    _press(page, "Next")
    _step(page, "Basic information")
    choices[0].continue_()
    _step(page, "SPD policy")
    expect(page.get_by_role("dialog" if start == "/tunnels/" else "main")).to_contain_text(
        "frankfurt-ccn"
    )


def test_a_mistake_is_not_behind_the_buttons(operator: Page, gateways: None) -> None:
    page = operator
    page.set_viewport_size({"width": 1360, "height": 860})
    _open_dialog(page)
    _basic(page)
    _press(page, "Generate")
    _press(page, "Next")
    _rule(page, 1, *RULES[0])
    _press(page, "Next")
    lifetime = page.get_by_label("IKE SA lifetime")
    lifetime.fill("5")
    _press(page, "Next")
    expect(lifetime).to_be_focused()
    error = page.locator("#dialog .invalid-feedback").bounding_box()
    foot = page.locator("#dialog .wizard-foot").bounding_box()
    assert error
    assert foot
    assert error["y"] + error["height"] <= foot["y"]


def test_the_refused_and_the_accepted_addition(operator: Page, gateways: None) -> None:
    page = operator
    twin = make.a_tunnel(
        *make.SEED_RULES,
        vpn_gateway=_frankfurt(),
        customer_gateway=make.a_customer_gateway("other"),
        name="twin",
    )
    page.goto("/tunnels/new/")
    _basic(page)
    page.locator("#id_basic-psk").fill("A-Key-of-this-Test-1")
    _press(page, "Next")
    _rule(page, 1, "10.0.0.0/24", "192.168.1.0/24")
    expect(page.locator("tr.is-bad")).to_contain_text(f"of tunnel twin ({twin.public_id}), rule 1.")
    look(page, "wizard-spd-conflict")
    _press(page, "Next")
    _step(page, "SPD policy")
    expect(page.get_by_label("Customer ranges, one a line, rule 1")).to_be_focused()
    expect(page.locator(".invalid-feedback")).to_contain_text("overlaps")
    look(page, "wizard-spd-refused")
    _rule(page, 1, "10.0.1.0/24", "192.168.1.0/24")
    expect(page.locator("tr.is-good")).to_have_count(1)
    expect(page.locator("tr.is-bad")).to_have_count(0)
    _press(page, "Next")
    _step(page, "IKE")
    _press(page, "Finish")
    page.wait_for_url("**/tunnels/")
    assert Tunnel.objects.filter(name="idc-shanghai").exists()


def test_a_change_fetches_fields_and_keeps_the_focus(operator: Page, gateways: None) -> None:
    page = operator
    page.goto("/tunnels/new/")
    page.get_by_label("Tunnel name").fill("kept")
    page.locator("#id_basic-psk").fill("A-Key-of-this-Test-1")
    region = page.locator("#id_basic-region")
    region.focus()
    region.select_option("ap-east")
    expect(page.locator("#id_basic-vpn_gateway").locator("option:checked")).to_contain_text(
        "hongkong-1"
    )
    expect(region).to_be_focused()
    expect(page.get_by_label("Tunnel name")).to_have_value("kept")
    expect(page.locator("#psk-kept")).to_contain_text("A key of 20 characters is kept.")
    page.locator("#id_basic-customer_gateway").select_option("new")
    page.get_by_label("Name of the new customer gateway").fill("idc-nagoya-edge")
    page.locator("#id_basic-new_customer_ip").fill("198.51.100.88")
    page.get_by_label("Enable health check").check()
    expect(page.get_by_label("VPN gateway IP address for health check")).to_be_visible()
    expect(page.locator("#id_basic-new_customer_ip")).to_have_value("198.51.100.88")
    look(page, "wizard-basic-open")
    page.get_by_label("Enable health check").uncheck()
    expect(page.get_by_label("VPN gateway IP address for health check")).to_have_count(0)


def test_what_is_typed_meanwhile_stays(operator: Page, gateways: None) -> None:
    page = operator
    page.goto("/tunnels/new/")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/basic/", hold)
    with page.expect_request("**/basic/"):
        page.locator("#id_basic-customer_gateway").select_option("new")
    page.get_by_label("Tunnel name").fill("typed-meanwhile")
    page.get_by_label("CCN", exact=True).focus()
    held[0].continue_()
    expect(page.locator("#id_basic-new_customer_ip")).to_be_visible()
    expect(page.get_by_label("Tunnel name")).to_have_value("typed-meanwhile")


def test_presets_and_dependent_fields(operator: Page, gateways: None) -> None:
    page = operator
    _to_ike(page)
    _press_preset(page, "legacy")
    expect(page.get_by_label("Version")).to_have_value("1")
    expect(page.get_by_label("Negotiation mode")).to_have_value("main")
    expect(page.get_by_role("status").filter(has_text="consoles of the past")).to_be_visible()
    page.get_by_label("Negotiation mode").select_option("aggressive")
    expect(page.locator(".note").filter(has_text="Aggressive mode")).to_be_visible()
    look(page, "wizard-ike-legacy")
    _press(page, "Next")
    expect(page.get_by_label("Encryption algorithm")).to_have_value("aes-128")
    expect(page.get_by_label("PFS")).to_have_value("")
    _press(page, "Back")
    expect(page.get_by_label("Negotiation mode")).to_have_value("aggressive")
    _press_preset(page, "modern")
    expect(page.get_by_label("Negotiation mode")).to_have_count(0)
    expect(page.get_by_label("Pseudo-random function")).to_be_visible()
    _press(page, "Finish")
    page.wait_for_url("**/tunnels/")
    assert Tunnel.objects.get().ike.encryption == "aes-256-gcm"


def test_the_dialog_over_the_list(operator: Page, gateways: None) -> None:
    page = operator
    _open_dialog(page)
    dialog = page.get_by_role("dialog")
    for label in ("Basic information", "SPD policy", "IKE", "IPsec"):
        _step(page, label)
        expect(dialog.locator(":focus")).to_have_count(1)
        name = f"wizard-dialog-{label.split()[0].lower()}"
        look(page, name)
        assert axe(page) == []
        if label == "Basic information":
            _basic(page)
            page.locator("#id_basic-psk").fill("A-Key-of-this-Test-1")
        if label == "SPD policy":
            _rule(page, 1, *RULES[0])
            expect(page.locator(".mapping-good")).to_have_count(2)
        _press(page, "Finish" if label == "IPsec" else "Next")
    expect(dialog).to_be_hidden()
    expect(page.locator(".toast-box")).to_contain_text("Tunnel idc-shanghai was created.")
    expect(page.get_by_role("main")).to_contain_text("idc-shanghai")
    assert Tunnel.objects.count() == 1


def test_a_double_press_of_finish_is_one(operator: Page, gateways: None) -> None:
    page = operator
    _open_dialog(page)
    _basic(page)
    _press(page, "Generate")
    _press(page, "Next")
    _rule(page, 1, "10.0.0.0/24", "192.168.0.0/24")
    _press(page, "Next")
    _step(page, "IKE")
    page.get_by_role("button", name="Finish", exact=True).dblclick()
    told = page.locator("[data-toasts] .toast-box").filter(has_text="idc-shanghai was created")
    expect(told).to_have_count(1)
    expect(page.get_by_role("link", name="idc-shanghai", exact=True)).to_be_visible()
    assert Tunnel.objects.count() == 1
    assert page.url.endswith("/tunnels/")


def test_enter_means_next(operator: Page, gateways: None) -> None:
    page = operator
    page.goto("/tunnels/new/")
    page.get_by_label("Tunnel name").fill("by-enter")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-invalid=true]").first).to_be_focused()
    expect(page.get_by_label("Tunnel name")).to_have_value("by-enter")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_step_is_accessible(operator: Page, gateways: None, theme: str, width: int) -> None:
    page = operator
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto("/tunnels/new/")
    for label in ("Basic information", "SPD policy", "IKE", "IPsec"):
        _step(page, label)
        if label == "Basic information":
            _press(page, "Next")
            expect(page.locator("[aria-invalid=true]").first).to_be_visible()
            look(page, f"wizard-errors-{theme}-{width}")
            assert axe(page) == []
            _basic(page)
            page.locator("#id_basic-psk").fill("A-Key-of-this-Test-1")
        if label == "SPD policy":
            _rule(page, 1, "10.0.0.0/24", "192.168.0.0/24\n192.168.1.5/24")
            expect(page.locator("tr.is-bad")).to_have_count(1)
            expect(page.locator("tr.is-good")).to_have_count(1)
        if label == "IKE":
            _press_preset(page, "legacy")
            expect(page.get_by_label("Version")).to_have_value("1")
        look(page, f"wizard-{label.split()[0].lower()}-{theme}-{width}")
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if label == "SPD policy":
            _rule(page, 1, "10.0.0.0/24", "192.168.0.0/24")
            expect(page.locator("tr.is-bad")).to_have_count(0)
        if label != "IPsec":
            _press(page, "Next")


@pytest.fixture
def plain(browser: Browser, live_server: LiveServer, sign_in: SignIn) -> Iterator[Page]:
    """A page of a browser that runs no script, where somebody who runs tunnels is signed in."""
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    sign_in(page, "operator")
    yield page
    context.close()


def test_the_reference_example_without_javascript(plain: Page) -> None:
    page = plain
    gateway = make.a_vpn_gateway()
    far = make.a_region("ap-east", "Hong Kong")
    make.a_vpn_gateway(vpc=make.a_vpc("10.8.0.0/16", region=far), name="hongkong-1")
    make.a_tunnel("10.0.9.0/24 172.16.0.0/24", vpn_gateway=gateway, name="twin")
    page.goto("/tunnels/new/")
    page.get_by_label("Tunnel name").fill("idc-shanghai")
    page.locator("#id_basic-region").select_option("eu-central")
    page.locator("#id_basic-customer_gateway").select_option("new")
    page.get_by_role("button", name="Update choices").first.click()
    page.get_by_label("Name of the new customer gateway").fill("idc-nagoya-edge")
    page.locator("#id_basic-new_customer_ip").fill("198.51.100.88")
    page.get_by_role("button", name="Generate a key").click()
    expect(page.locator("#psk-kept")).to_contain_text("A key of 32 characters is kept.")
    expect(page.get_by_label("Tunnel name")).to_have_value("idc-shanghai")
    look(page, "wizard-plain-basic")
    _press(page, "Next")
    _step(page, "SPD policy")
    _rule(page, 1, "10.0.9.0/25", "172.16.0.0/16")
    _press(page, "Check")
    expect(page.locator("tr.is-bad")).to_contain_text("of tunnel twin")
    for number, (local, remotes) in enumerate(RULES, start=1):
        if number > 1:
            _press(page, "Add rule")
        _rule(page, number, local, remotes)
    _press(page, "Check")
    expect(page.locator(".mapping-good")).to_have_count(4)
    _press(page, "Next")
    _step(page, "IKE")
    page.locator("#preset-compatible").click()
    expect(page.get_by_label("Encryption algorithm")).to_have_value("aes-256")
    look(page, "wizard-plain-ike")
    _press(page, "Finish")
    page.wait_for_url("**/tunnels/")
    tunnel = Tunnel.objects.get(name="idc-shanghai")
    assert [str(mapping) for mapping in tunnel.mappings.all()] == MAPPINGS
    assert (tunnel.ike.dh_group, tunnel.ipsec.pfs) == ("dh14", "dh14")
    assert str(tunnel.customer_gateway.public_ip) == "198.51.100.88"


def _frankfurt() -> VpnGateway:
    return VpnGateway.objects.get(name="frankfurt-1")


def _to_ike(page: Page) -> None:
    page.goto("/tunnels/new/")
    _basic(page)
    page.locator("#id_basic-psk").fill("A-Key-of-this-Test-1")
    _press(page, "Next")
    _rule(page, 1, *RULES[0])
    expect(page.locator(".mapping-good")).to_have_count(2)
    _press(page, "Next")
    _step(page, "IKE")


def _press_preset(page: Page, preset: str) -> None:
    page.locator(f"#preset-{preset}").click()
    expect(page.locator(f"#preset-{preset}")).to_have_attribute("aria-pressed", "true")


def _open_dialog(page: Page) -> None:
    page.goto("/tunnels/")
    page.locator("a[href='/tunnels/new/']").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
