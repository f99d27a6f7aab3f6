"""The whole of it for once: a browser, the console, the agent, and two real strongSwan gateways."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import factories as make
from tests.e2e.conftest import axe, look
from tests.e2e.socket_server import serve
from tunnels.agent.charon import IkeSa
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.domain.proposals import PRESETS, Negotiation
from tunnels.lab import LabUnavailable
from tunnels.models import CustomerGateway, Mapping, Tunnel, VpnGateway
from tunnels.services import sync
from tunnels.services.example import load_example
from vpnconsole.demo import Live
from vpnconsole.demo.branch import installation_of

# Of the tests with a lab only one runs at a time.
pytestmark = [
    pytest.mark.charon,
    pytest.mark.xdist_group("lab"),
    pytest.mark.django_db(transaction=True),
]

WAIT_SECONDS = 60.0
WAIT = WAIT_SECONDS * 1000
HERE, THERE = "10.0.1.1", "192.168.1.1"


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The demo's lab and agent over the example, with a console that is asked more often than usual."""
    monkeypatch.setattr(sync, "POLL_SECONDS", 0.5)
    load_example(actor=make.SYSTEM)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="live-")))
        stack.enter_context(serve(folder / "console"))
        demo = Live(folder / "demo", door=folder / "console")
        try:
            demo.start(stack)
        except LabUnavailable as reason:
            pytest.skip(str(reason))
        yield demo


@pytest.fixture
def charon(live: Live) -> Iterator[ViciCharon]:
    """A line to the gateway's charon."""
    line = ViciCharon(f"unix://{live.lab.gateway.vici_socket}")
    yield line
    line.close()


def test_a_tunnel_from_the_wizard_to_its_deletion(
    operator: Page, live: Live, charon: ViciCharon
) -> None:
    page = operator
    other = Tunnel.objects.get(name="idc-shanghai")
    assert until(lambda: carries(charon, other.public_id, 5))
    (undisturbed,) = charon.sas(other.public_id)
    reserved = Mapping.objects.count()

    finish_the_wizard(page)
    row = page.get_by_role("row").filter(has_text="my-first-tunnel")
    expect(row.locator(".state").first).to_have_text("Provisioning")
    assert live.step() == ["The branch office installed the file of my-first-tunnel."]
    expect(row.locator(".state").first).to_have_text("Connected", timeout=WAIT)
    look(page, "live-list")
    tunnel = Tunnel.objects.get(name="my-first-tunnel")
    assert carries(charon, tunnel.public_id, 2)
    assert live.lab.branch.ping(THERE, HERE).passes
    assert live.lab.gateway.ping(HERE, THERE).passes

    page.goto(f"/tunnels/{tunnel.public_id}/")
    status = page.locator("#detail-status .state")
    expect(status).to_have_text("Connected")
    health = page.locator("#detail-health")
    expect(health.locator(".state")).to_have_text("Healthy", timeout=WAIT)
    expect(health.locator("dl")).to_contain_text("Round trip")
    expect(page.locator("#detail-mappings .state")).to_have_text(["Up", "Up"])
    look(page, "live-detail")
    assert axe(page) == []

    log_page = page.context.new_page()
    log_page.goto(f"/tunnels/{tunnel.public_id}/log/?view=follow")
    log = log_page.get_by_role("log")
    expect(log).to_contain_text("my-first-tunnel is now connected")
    page.bring_to_front()

    (before,) = charon.sas(tunnel.public_id)
    choose(page, "Reset", "Reset tunnel")
    outcome = page.locator("#detail-status dd").filter(has_text="CHILD_SAs in")
    expect(outcome).to_contain_text("2 → 0 → 2 CHILD_SAs in", timeout=WAIT)
    (after,) = charon.sas(tunnel.public_id)
    assert after.unique_id != before.unique_id
    look(page, "live-reset")

    log_page.bring_to_front()
    told = "Reset of my-first-tunnel: 2 → 0 → 2 CHILD_SAs in"
    expect(log).to_contain_text(told, timeout=WAIT)
    established = f"IKE_SA {tunnel.public_id}[{after.unique_id}] established between 203.0.113.10"
    expect(log).to_contain_text(established, timeout=WAIT)
    look(log_page, "live-log")
    log_page.close()

    choose_from_menu(page, "Take down")
    dialog(page).get_by_role("button", name="Take down").click()
    expect(status).to_have_text("Disabled", timeout=WAIT)
    assert until(lambda: tunnel.public_id not in charon.connections())
    assert charon.sas(tunnel.public_id) == ()
    assert live.lab.branch.ping(THERE, HERE, 1, timeout=1).received == 0
    expect(page.get_by_role("link", name="Reset")).to_have_count(0)
    choose_from_menu(page, "Bring up")
    expect(status).to_have_text("Connected", timeout=WAIT)
    assert live.lab.branch.ping(THERE, HERE).passes

    choose_from_menu(page, "Take down")
    dialog(page).get_by_role("button", name="Take down").click()
    expect(status).to_have_text("Disabled", timeout=WAIT)
    assert until(lambda: tunnel.public_id not in charon.connections())
    expect(page.locator("#detail-status")).to_contain_text("Revision applied")
    choose_from_menu(page, "Delete")
    dialog(page).get_by_label("Type my-first-tunnel to confirm").fill("my-first-tunnel")
    dialog(page).get_by_role("button", name="Delete tunnel").click()
    page.wait_for_url("**/tunnels/")
    assert until(lambda: not Tunnel.objects.filter(pk=tunnel.pk).exists())
    page.reload()
    expect(page.locator(".list-name").filter(has_text="my-first-tunnel")).to_have_count(0)
    look(page, "live-deleted")
    assert Mapping.objects.count() == reserved
    listed = live.lab.gateway.swanctl("--list-conns")
    assert tunnel.public_id not in listed
    assert other.public_id in listed
    assert not any(tunnel.public_id in name for name in charon.shared())
    assert live.step() == ["The branch office removed the file of my-first-tunnel."]
    assert tunnel.public_id not in live.lab.branch.swanctl("--list-conns")

    (still,) = charon.sas(other.public_id)
    assert generation(still) == generation(undisturbed)


def test_a_wrong_key_at_the_branch_is_named(admin: Page, live: Live, charon: ViciCharon) -> None:
    tunnel = make.a_tunnel(
        "10.0.1.0/24 192.168.1.0/24",
        name="mistyped",
        vpn_gateway=VpnGateway.objects.get(name="frankfurt-1"),
        customer_gateway=CustomerGateway.objects.get(name="branch-office"),
        psk="the-key-as-it-should-be-4711",
        # Then the branch begins: only whoever is asked sees that the other has another key.
        ike=replace(PRESETS["modern"].ike, negotiation=Negotiation.PASSIVE),
    )
    assert until(lambda: tunnel.public_id in charon.connections())
    branch, file = live.lab.branch, installation_of(tunnel)
    wrong = file.text.replace("the-key-as-it-should-be-4711", "the-key-as-it-is-not-4711")
    branch.install(wrong, file.filename)
    page = admin
    page.goto(f"/tunnels/{tunnel.public_id}/")
    cause = page.locator("#detail-cause")
    expect(cause).to_contain_text("The pre-shared keys of the two gateways differ", timeout=WAIT)
    assert not carries(charon, tunnel.public_id, 1)
    look(page, "live-wrong-key")
    assert axe(page) == []
    # The admin of the branch reads it, takes the right file, and begins again.
    assert live.step() == ["The branch office installed the file of mistyped."]
    branch.swanctl("--initiate", "--ike", tunnel.public_id, "--child", f"{tunnel.public_id}-1")
    expect(page.locator("#detail-status .state")).to_have_text("Connected", timeout=WAIT)
    expect(cause).to_be_empty()


def finish_the_wizard(page: Page) -> None:
    """What the demo asks a newcomer to do."""
    page.goto("/tunnels/new/")
    page.get_by_label("Tunnel name").fill("my-first-tunnel")
    page.locator("#id_basic-region").select_option("eu-central")
    expect(page.locator("#id_basic-vpn_gateway option:checked")).to_contain_text("frankfurt-1")
    customers = page.locator("#id_basic-customer_gateway")
    value = customers.locator("option").filter(has_text="branch-office").get_attribute("value")
    customers.select_option(value)
    expect(page.get_by_label("Customer gateway IP")).to_have_text("203.0.113.20")
    press(page, "Generate")
    page.get_by_label("Enable health check").check()
    expect(page.get_by_label("VPN gateway IP address for health check")).to_be_visible()
    press(page, "Next")
    page.get_by_label("Local range (CIDR), rule 1").fill("10.0.1.0/24")
    page.get_by_label("Customer ranges, one a line, rule 1").fill("192.168.1.0/24")
    expect(page.locator(".mapping-good")).to_have_count(1)
    press(page, "Next")
    expect(page.locator("[aria-current=step]")).to_contain_text("IKE")
    press(page, "Next")
    expect(page.locator("[aria-current=step]")).to_contain_text("IPsec")
    press(page, "Finish")
    page.wait_for_url("**/tunnels/")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).last.click()


def dialog(page: Page) -> Locator:
    return page.locator("#dialog")


def choose(page: Page, link: str, button: str) -> None:
    """A link that asks in a dialog, and the answer yes."""
    page.get_by_role("link", name=link).first.click()
    dialog(page).get_by_role("button", name=button).click()


def choose_from_menu(page: Page, item: str) -> None:
    page.get_by_role("button", name="More actions").click()
    page.locator(".menu-item").filter(has_text=item).click()


def carries(charon: ViciCharon, tunnel: str, count: int) -> bool:
    """Whether the tunnel has one IKE_SA, with so many CHILD_SAs that carry."""
    sas = charon.sas(tunnel)
    return len(sas) == 1 and sum(child.carries for child in sas[0].children) == count


def generation(sa: IkeSa) -> tuple[int, frozenset[str]]:
    """What changes when a tunnel is negotiated anew."""
    return sa.unique_id, frozenset(child.key for child in sa.children)


def until(condition: Callable[[], object]) -> bool:
    """Wait for something that other processes do; whether they did."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
