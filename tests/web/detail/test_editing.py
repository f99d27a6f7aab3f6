from __future__ import annotations

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from tests import factories as make
from tunnels.domain.proposals import PRESETS, IpsecSettings
from tunnels.domain.secret import Secret
from tunnels.models import Event, Mapping, Tunnel, vault
from tunnels.services import editing
from tunnels.services.policy import HealthRequest
from tunnels.web.detail.steps import FORMS

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
DIALOG = {**HTMX, "HX-Target": "dialog-body"}
OTHER_PSK = "Another-Key_12345"

BASIC = {"basic-name": "idc-shanghai", "basic-tag_key": ["env"], "basic-tag_value": ["production"]}
SPD = {"spd-local": ["10.0.0.0/24"], "spd-remotes": ["192.168.0.0/24"]}
IPSEC = {
    "ipsec-encryption": "aes-256-gcm", "ipsec-pfs": "dh19",
    "ipsec-lifetime_seconds": "3600", "ipsec-lifetime_kb": "1843200",
}  # fmt: skip
IKE = {
    "ike-version": "2", "ike-encryption": "aes-256-gcm", "ike-prf": "sha2-384", "ike-dh_group": "dh19",
    "ike-lifetime_seconds": "86400", "ike-local_identity": "ip", "ike-remote_identity": "ip",
    "ike-dpd_enabled": "on", "ike-dpd_timeout": "30", "ike-dpd_action": "restart",
    "ike-negotiation": "active",
}  # fmt: skip
SAME: dict[str, dict[str, Any]] = {"basic": BASIC, "spd": SPD, "ike": IKE, "ipsec": IPSEC}


@pytest.fixture
def tunnel() -> Tunnel:
    return make.connect(make.a_tunnel(tags={"env": "production"}))


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(make.a_user("olga", "operator"))
    return client


def form_of(tunnel: Tunnel, step: str, path: str = "") -> str:
    return f"/tunnels/{tunnel.public_id}/edit/{step}/{path}"


def seen_in(client: Client, tunnel: Tunnel, step: str) -> str:
    found = re.search(
        r'name="seen" value="([^"]+)"', client.get(form_of(tunnel, step)).content.decode()
    )
    assert found
    return found[1]


def save(client: Client, tunnel: Tunnel, step: str, *, seen: str = "", **fields: Any) -> Any:
    data = {**SAME[step], **{f"{step}-{name}": value for name, value in fields.items()}}
    seen = seen or seen_in(client, tunnel, step)
    return client.post(form_of(tunnel, step), {**data, "seen": seen, "save": "1"})


def sentence(client: Client, tunnel: Tunnel, step: str, **fields: Any) -> str:
    data = {**SAME[step], **{f"{step}-{name}": value for name, value in fields.items()}}
    response = client.post(form_of(tunnel, step, "impact/"), data, headers=HTMX)
    assert response.status_code == HTTPStatus.OK
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.mark.parametrize("step", FORMS)
def test_it_begins_with_what_is_stored_and_saving_that_changes_nothing(
    operator: Client, tunnel: Tunnel, step: str
) -> None:
    page = operator.get(form_of(tunnel, step)).content.decode()
    assert tunnel.name in page
    before = (Tunnel.objects.get().revision, Event.objects.count(), list(Mapping.objects.values()))
    assert sentence(operator, tunnel, step) == "Saving does not interrupt traffic."
    response = save(operator, tunnel, step)
    assert response.status_code == HTTPStatus.SEE_OTHER
    assert response["Location"] == f"/tunnels/{tunnel.public_id}/"
    after = (Tunnel.objects.get().revision, Event.objects.count(), list(Mapping.objects.values()))
    assert after == before


@pytest.mark.parametrize(
    ("step", "fields", "said"),
    [
        ("basic", {"name": "renamed"}, "Saving does not interrupt traffic."),
        ("basic", {"tag_value": ["test"]}, "Saving does not interrupt traffic."),
        ("basic", {"psk": OTHER_PSK}, "Saving replaces the pre-shared key"),
        ("basic", {"psk": make.CANARY_PSK}, "Saving does not interrupt traffic."),
        ("basic", {"health_enabled": "on"}, "Saving adds 1 mapping; running traffic"),
        ("spd", {"remotes": ["192.168.0.0/24\n192.168.1.0/24"]}, "Saving adds 1 mapping; running"),
        ("spd", {"remotes": ["192.168.1.0/24"]}, "Saving takes down 1 mapping and adds 1"),
        ("ike", {"dh_group": "dh14"}, "Saving renegotiates the whole tunnel"),
        ("ike", {"remote_identity": "fqdn", "remote_fqdn": "a.example.com"}, "Saving renegotiates the whole"),
        ("ipsec", {"pfs": ""}, "Saving renegotiates every mapping"),
        ("ipsec", {"pfs": "dh99"}, "once every field is in order"),
        ("spd", {"local": ["10.0.0.1/24"]}, "once every field is in order"),
    ],
)  # fmt: skip
def test_it_says_what_saving_does_and_stores_nothing(
    operator: Client, tunnel: Tunnel, step: str, fields: dict[str, Any], said: str
) -> None:
    before = (Tunnel.objects.values().get(), Event.objects.count(), Mapping.objects.count())
    assert said in sentence(operator, tunnel, step, **fields)
    assert (Tunnel.objects.values().get(), Event.objects.count(), Mapping.objects.count()) == before


def test_it_saves_each_step(operator: Client, tunnel: Tunnel) -> None:
    save(
        operator,
        tunnel,
        "basic",
        name="renamed",
        tag_value=["test"],
        psk=OTHER_PSK,
        health_enabled="on",
    )
    save(operator, tunnel, "spd", remotes=["192.168.5.0/24"])
    save(operator, tunnel, "ike", dh_group="dh14")
    save(operator, tunnel, "ipsec", pfs="")
    fresh = Tunnel.objects.select_related("ike", "ipsec").get()
    assert (fresh.name, fresh.tags, fresh.psk.reveal()) == ("renamed", {"env": "test"}, OTHER_PSK)
    assert (fresh.ike.dh_group, fresh.ipsec.pfs, fresh.revision) == ("dh14", "", 5)
    assert {str(row) for row in fresh.mappings.all()} == {
        "10.0.0.0/24 ↔ 192.168.5.0/24",
        f"{fresh.health_local}/32 ↔ {fresh.health_remote}/32",
    }


def test_it_keeps_the_key_when_none_is_typed(operator: Client, tunnel: Tunnel) -> None:
    save(operator, tunnel, "basic", name="renamed")
    assert Tunnel.objects.get().psk.reveal() == make.CANARY_PSK


def test_it_reviews_before_saving_and_carries_a_typed_key_only_encrypted(
    operator: Client, tunnel: Tunnel
) -> None:
    data = {**BASIC, "basic-psk": OTHER_PSK, "seen": seen_in(operator, tunnel, "basic")}
    page = operator.post(form_of(tunnel, "basic"), {**data, "review": "1"})
    html = page.content.decode()
    assert page.status_code == HTTPStatus.OK
    assert "Saving replaces the pre-shared key" in html
    assert OTHER_PSK not in html
    assert page["Cache-Control"] == "private, no-store"
    assert Tunnel.objects.get().psk.reveal() == make.CANARY_PSK
    kept = re.search(r'name="kept" value="([^"]+)"', html)
    assert kept
    operator.post(form_of(tunnel, "basic"), {**data, "basic-psk": "", "kept": kept[1], "save": "1"})
    assert Tunnel.objects.get().psk.reveal() == OTHER_PSK


def kept_key(client: Client, tunnel: Tunnel) -> str:
    """The token of a key that this client typed for this tunnel and has not saved."""
    data = {**BASIC, "basic-psk": OTHER_PSK, "seen": seen_in(client, tunnel, "basic")}
    html = client.post(form_of(tunnel, "basic"), {**data, "review": "1"}).text
    found = re.search(r'name="kept" value="([^"]+)"', html)
    assert found
    return found[1]


def refused_key(client: Client, tunnel: Tunnel, token: str) -> bool:
    """Whether saving with this token is refused, with the reason, and changes nothing."""
    data = {**BASIC, "seen": seen_in(client, tunnel, "basic"), "kept": token, "save": "1"}
    answer = client.post(form_of(tunnel, "basic"), data)
    assert Tunnel.objects.get(pk=tunnel.pk).psk.reveal() == make.CANARY_PSK
    return answer.status_code == 422 and "is not held any more; type it again" in answer.text


def test_it_saves_no_key_from_a_token_that_is_not_theirs(operator: Client, tunnel: Tunnel) -> None:
    other = make.a_tunnel(name="other", vpn_gateway=make.a_vpn_gateway())
    colleague = Client()
    colleague.force_login(make.a_user("oleg", "operator"))
    forged = vault.encrypt(Secret(OTHER_PSK))
    for token in ("x" * 99, forged, kept_key(operator, other), kept_key(colleague, tunnel)):
        assert refused_key(operator, tunnel, token), token


def test_it_forgets_a_typed_key_after_an_hour(
    operator: Client, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = kept_key(operator, tunnel)
    now = time.time()
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + 3_700)
    assert refused_key(operator, tunnel, token)


@pytest.mark.parametrize(
    ("step", "fields", "said"),
    [
        ("basic", {"name": ""}, "Give the tunnel a name."),
        ("basic", {"psk": "short"}, "must have 8 to 128 characters"),
        ("spd", {"local": ["172.16.0.0/24"]}, "is outside the VPC"),
        ("ike", {"lifetime_seconds": "1"}, "Enter 60 to 604800 seconds"),
        ("ipsec", {"lifetime_kb": "1"}, "Enter 2560 to"),
    ],
)
def test_it_shows_mistakes_beside_their_fields(
    operator: Client, tunnel: Tunnel, step: str, fields: dict[str, Any], said: str
) -> None:
    response = save(operator, tunnel, step, **fields)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in response.content.decode()
    assert Tunnel.objects.get().revision == 1


def test_it_shows_what_only_the_service_knows(operator: Client, tunnel: Tunnel) -> None:
    editing.update_ipsec(
        actor=make.SYSTEM,
        tunnel=tunnel,
        ipsec=IpsecSettings(encryption="chacha20-poly1305"),
    )
    response = save(
        operator, tunnel, "ike", version="1", encryption="aes-256", integrity="sha2-256"
    )
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "cannot be negotiated with IKEv1" in response.content.decode()


@pytest.mark.parametrize(
    ("step", "field", "typed"),
    [
        ("basic", "name", "typed-name"),
        ("spd", "remotes", "192.168.77.0/24"),
        ("ike", "lifetime_seconds", "7777"),
        ("ipsec", "lifetime_seconds", "7777"),
    ],
)
def test_it_overwrites_nobody_and_keeps_what_was_typed(
    operator: Client, tunnel: Tunnel, step: str, field: str, typed: str
) -> None:
    seen = seen_in(operator, tunnel, step)
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=PRESETS["compatible"].ike)
    response = save(operator, tunnel, step, seen=seen, **{field: typed})
    html = response.content.decode()
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Somebody saved this tunnel while you were editing" in html
    assert f'href="{form_of(tunnel, step)}"' in html
    assert typed in html
    assert f'name="seen" value="{seen}"' in html
    assert Event.objects.filter(action="tunnel-edited").count() == 1


def test_it_does_not_overwrite_tags_that_somebody_else_set(
    operator: Client, tunnel: Tunnel
) -> None:
    seen = seen_in(operator, tunnel, "basic")
    editing.retag(actor=make.SYSTEM, tunnel=tunnel, tags={"env": "theirs"})
    response = save(operator, tunnel, "basic", seen=seen, name="renamed")
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert Tunnel.objects.get().tags == {"env": "theirs"}


@pytest.mark.parametrize("seen", ["x", "-1", "."])
def test_it_does_not_save_a_form_that_does_not_say_what_it_has_seen(
    operator: Client, tunnel: Tunnel, seen: str
) -> None:
    response = save(operator, tunnel, "ipsec", seen=seen, pfs="")
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert Tunnel.objects.get().revision == 1


def test_it_adds_rows_without_checking_or_saving(operator: Client, tunnel: Tunnel) -> None:
    data = {**BASIC, "basic-name": "", "seen": "1.x", "add_tag": "1", "basic-psk": OTHER_PSK}
    response = operator.post(form_of(tunnel, "basic"), data)
    html = response.content.decode()
    assert response.status_code == HTTPStatus.OK
    assert html.count('name="basic-tag_key"') == 2
    assert "is-invalid" not in html
    assert OTHER_PSK not in html
    assert 'name="kept"' in html
    assert Tunnel.objects.get().name == "idc-shanghai"


def test_it_checks_rules_against_the_others_of_the_gateway(
    operator: Client, tunnel: Tunnel
) -> None:
    make.a_tunnel("10.0.1.0/24 192.168.1.0/24", name="second", vpn_gateway=tunnel.vpn_gateway)
    data = {
        "spd-local": ["10.0.0.0/24", "10.0.1.0/25"],
        "spd-remotes": ["192.168.0.0/24", "192.168.1.0/24"],
    }
    response = operator.post(form_of(tunnel, "spd", "check/"), data, headers=HTMX)
    html = response.content.decode()
    assert html.count("Free") == 1
    assert "of tunnel second" in html


def test_it_answers_the_dialog_with_the_dialog_and_closes_it(
    operator: Client, tunnel: Tunnel
) -> None:
    part = operator.get(form_of(tunnel, "ike"), headers=DIALOG).content.decode()
    assert "<html" not in part
    assert 'hx-boost="true"' in part
    data = {**IKE, "ike-dh_group": "dh14", "seen": seen_in(operator, tunnel, "ike"), "save": "1"}
    response = operator.post(form_of(tunnel, "ike"), data, headers=DIALOG)
    assert response.status_code == HTTPStatus.NO_CONTENT
    assert "tunnels-changed" in response["HX-Trigger"]
    assert "dialog:close" in response["HX-Trigger"]


def test_it_never_shows_the_stored_key(operator: Client, tunnel: Tunnel) -> None:
    for step in FORMS:
        assert make.CANARY_PSK not in operator.get(form_of(tunnel, step)).content.decode()


def test_it_edits_a_health_check(operator: Client) -> None:
    tunnel = make.a_tunnel(health=HealthRequest())
    page = operator.get(form_of(tunnel, "basic")).content.decode()
    assert f'value="{tunnel.health_local}"' in page
    response = save(operator, tunnel, "basic", tag_key=[""], tag_value=[""])
    assert response.status_code == HTTPStatus.SEE_OTHER
    assert Tunnel.objects.get().health_enabled is False
    assert Mapping.objects.count() == 1


def test_it_lets_only_those_edit_who_may(client: Client, tunnel: Tunnel) -> None:
    paths = [(form_of(tunnel, "ike"), "get"), (form_of(tunnel, "ike"), "post"),
             (form_of(tunnel, "ike", "impact/"), "post"), (form_of(tunnel, "spd", "check/"), "post")]  # fmt: skip
    for role, status in (("viewer", HTTPStatus.FORBIDDEN), ("", HTTPStatus.NOT_FOUND)):
        client.force_login(make.a_user(f"user-{role}", role))
        for path, method in paths:
            assert getattr(client, method)(path).status_code == status


def test_it_answers_405_to_get_where_it_only_takes_posts(operator: Client, tunnel: Tunnel) -> None:
    for path in (form_of(tunnel, "ike", "impact/"), form_of(tunnel, "spd", "check/")):
        assert operator.get(path).status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_it_knows_four_steps(operator: Client, tunnel: Tunnel) -> None:
    assert operator.get(form_of(tunnel, "route")).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("step", FORMS)
def test_it_asks_the_database_as_often_for_many_mappings_as_for_few(
    operator: Client, step: str, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    large = make.a_tunnel(*[f"10.0.{n}.0/24 192.168.{n}.0/25 192.168.{n}.128/25" for n in range(9)])
    with django_assert_max_num_queries(10):
        operator.get(form_of(large, step))
