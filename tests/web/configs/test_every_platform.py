"""Each platform that is offered, in the dialog, the wizard and the table that remembers it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories as make
from tests.web.wizard.conftest import Walk, text
from tunnels.devices.questions import ANSWER_MAX
from tunnels.devices.registry import LAST, PLATFORMS
from tunnels.domain.proposals import PRESETS
from tunnels.models import CustomerGateway

pytestmark = pytest.mark.django_db

DEVICES = [platform.id for platform in PLATFORMS.values() if platform.vendor != LAST]
VERSIONS = [
    (platform.id, version) for platform in PLATFORMS.values() for version in platform.versions
]
USUAL = PRESETS["compatible"]


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(make.a_user("olga", "operator"))
    return client


@pytest.fixture
def walk(operator: Client) -> Walk:
    return Walk(operator, make.a_vpn_gateway(), make.a_customer_gateway())


@pytest.mark.parametrize(("platform_id", "version"), VERSIONS)
def test_its_file_is_shown_downloaded_and_remembered_or_refused(
    operator: Client, platform_id: str, version: str
) -> None:
    platform = PLATFORMS[platform_id]
    tunnel = make.a_tunnel(ike=USUAL.ike, ipsec=USUAL.ipsec)
    chosen = {"platform": platform_id, "version": version}
    page = operator.get(reverse("tunnels:config", args=[tunnel.public_id]), chosen)
    saved = operator.post(reverse("tunnels:config-download", args=[tunnel.public_id]), chosen)
    written = saved.status_code == HTTPStatus.OK
    assert page.content.decode().count("<pre") == (len(platform.parts) if written else 0)
    assert ("cannot do what this tunnel needs" in page.content.decode()) is not written
    known = CustomerGateway.objects.get()
    if not written or platform.vendor == LAST:
        assert (known.platform, known.device_answers) == ("", {})
    else:
        assert (known.platform, known.platform_version) == (platform_id, version)
        usual = {question.id: question.usual for question in platform.questions}
        assert known.device_answers[platform_id].items() <= usual.items()


@pytest.mark.parametrize("platform_id", PLATFORMS)
def test_what_is_remembered_of_it_fits(platform_id: str) -> None:
    platform = PLATFORMS[platform_id]
    row = CustomerGateway(name="x", public_ip="198.51.100.7", platform=platform_id)
    for row.platform_version in platform.versions:
        row.clean_fields()
    assert all(len(question.usual) <= ANSWER_MAX for question in platform.questions)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("platform_id", DEVICES)
def test_the_wizard_can_judge_any_draft_for_it(walk: Walk, platform_id: str, preset: str) -> None:
    CustomerGateway.objects.update(platform=platform_id)
    walk.to("spd")
    check = reverse("tunnels:wizard-spd-check", kwargs={"draft": walk.draft})
    for locals_, remotes in (
        ([""], [""]),
        (["10.0.0.0/24"], [""]),
        (["10.0.0.0/24", "2001:db8:a::/64"], ["192.168.0.0/24 junk", "2001:db8:b::/64"]),
    ):
        typed: dict[str, Any] = {"spd-local": locals_, "spd-remotes": remotes}
        assert walk.client.post(check, typed).status_code == HTTPStatus.OK
    walk.to("ike")
    walk.post("ike", **walk.ike(), PRESET=preset)
    label = f"The device at the other end is <strong>{PLATFORMS[platform_id].label} "
    assert label in text(walk.get("ike"))
    fqdn = walk.ike(remote_identity="fqdn", remote_fqdn="edge.example.net", negotiation="passive")
    assert walk.post("ike", REFRESH="", **fqdn).status_code == HTTPStatus.SEE_OTHER
    assert label in text(walk.get("ike"))
    assert label in text(walk.get("ipsec"))
