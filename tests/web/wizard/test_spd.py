"""Step 2: rules, their mappings, and the check while one types."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests import factories as make
from tests.web.wizard.conftest import Walk, text

PARTS = {"HX-Request": "true", "HX-Target": "step-body"}
SEED = {
    "local": ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"],
    "remotes": ["192.168.0.0/24\n192.168.1.0/24", "192.168.2.0/24", "192.168.2.0/24"],
}


def _check(walk: Walk, local: list[str], remotes: list[str]) -> Any:
    url = reverse("tunnels:wizard-spd-check", kwargs={"draft": walk.draft})
    data = {"spd-local": local, "spd-remotes": remotes}
    return walk.client.post(url, data, headers={"HX-Request": "true", "HX-Target": "mappings"})


def _rows(page: str) -> list[tuple[str, str, str, bool]]:
    rows = re.findall(
        r'<tr class="is-(\w+)">\s*<td>(\d+)</td>\s*<td[^>]*>([^<]*)</td>\s*<td[^>]*>([^<]*)', page
    )
    return [(rule, local, remote, verdict == "good") for verdict, rule, local, remote in rows]


def test_it_shows_the_four_mappings_of_the_reference_example(walk: Walk) -> None:
    walk.to("spd")
    assert _rows(text(_check(walk, **SEED))) == [
        ("1", "10.0.0.0/24", "192.168.0.0/24", True),
        ("1", "10.0.0.0/24", "192.168.1.0/24", True),
        ("2", "10.0.1.0/24", "192.168.2.0/24", True),
        ("3", "10.0.2.0/24", "192.168.2.0/24", True),
    ]


def test_it_tells_the_refused_from_the_accepted_addition(walk: Walk) -> None:
    twin = make.a_tunnel(*make.SEED_RULES, vpn_gateway=walk.gateway, name="twin")
    walk.to("spd")
    page = text(_check(walk, ["10.0.0.0/24", "10.0.1.0/24"], ["192.168.1.0/24", "192.168.1.0/24"]))
    assert [good for *_, good in _rows(page)] == [False, True]
    assert (
        "10.0.0.0/24 ↔ 192.168.1.0/24 overlaps 10.0.0.0/24 ↔ 192.168.1.0/24 "
        f"of tunnel twin ({twin.public_id}), rule 1." in page
    )
    assert "6 of 200 mappings of this gateway used." in page
    assert "1 of 2 refused." in page


def test_the_check_asks_for_overlaps_once(walk: Walk, django_assert_max_num_queries: Any) -> None:
    make.a_tunnel(*make.SEED_RULES, vpn_gateway=walk.gateway, name="twin")
    walk.to("spd")
    # Session, user, two kinds of permissions, both gateways, the count of mappings, the overlaps.
    with django_assert_max_num_queries(8) as queries:
        _check(walk, **SEED)
    assert isinstance(queries, CaptureQueriesContext)
    overlaps = [query for query in queries.captured_queries if "unnest(" in query["sql"]]
    assert len(overlaps) == 1


def test_the_check_stores_nothing(walk: Walk) -> None:
    walk.to("spd")
    before = walk.client.session["drafts"]
    _check(walk, **SEED)
    assert walk.client.session["drafts"] == before


def test_the_check_answers_with_the_table_alone(walk: Walk) -> None:
    walk.to("spd")
    page = text(_check(walk, **SEED))
    assert page.lstrip().startswith('<div class="mappings-head">')
    assert "<textarea" not in page


def test_the_check_needs_a_gateway(walk: Walk) -> None:
    assert _check(walk, **SEED).status_code == 404


@pytest.mark.parametrize(
    ("local", "remote", "sentence"),
    [
        ("10.0.0.1/24", "192.168.0.0/24", "did you mean 10.0.0.0/24?"),
        ("10.0.0.0/24", "192.168.0.7/24", "did you mean 192.168.0.0/24?"),
        ("172.16.0.0/24", "192.168.0.0/24", "is outside the VPC"),
        ("10.0.0.0/24", "2001:db8::/64", "mix IPv4 and IPv6"),
        ("10.0.0.0/24", "10.0.0.0/25", "the two sides must be apart"),
        ("10.0.0.0/24", "nonsense", "is not an IP address"),
        ("", "192.168.0.0/24", "Enter the local range"),
    ],
)
def test_a_bad_pair_is_red_and_refused(walk: Walk, local: str, remote: str, sentence: str) -> None:
    walk.to("spd")
    page = text(_check(walk, [local], [remote]))
    assert [good for *_, good in _rows(page)] == [False]
    assert sentence in page
    response = walk.post("spd", local=[local], remotes=[remote])
    assert response.status_code == 422
    assert sentence in text(response)
    assert 'aria-invalid="true"' in text(response)


def test_an_overlap_inside_the_form_is_red(walk: Walk) -> None:
    walk.to("spd")
    page = text(_check(walk, ["10.0.0.0/24", "10.0.0.0/25"], ["192.168.0.0/24", "192.168.0.0/16"]))
    assert [good for *_, good in _rows(page)] == [True, False]
    assert "of this tunnel, rule 1." in page


@pytest.mark.parametrize(
    "remotes",
    [
        "192.168.0.0/24,192.168.1.0/24",
        "192.168.0.0/24 192.168.1.0/24",
        "192.168.0.0/24;\n\n192.168.1.0/24\r\n",
    ],
)
def test_remote_ranges_may_be_separated_in_many_ways(walk: Walk, remotes: str) -> None:
    walk.to("spd")
    rows = _rows(text(_check(walk, ["10.0.0.0/24"], [remotes])))
    assert [remote for _, _, remote, _ in rows] == ["192.168.0.0/24", "192.168.1.0/24"]


def test_a_mistake_is_told_at_its_row(walk: Walk) -> None:
    walk.to("spd")
    response = walk.post(
        "spd",
        local=["10.0.0.0/24", "", "10.0.2.0/24"],
        remotes=["192.168.0.0/24", "", "192.168.2.9/24"],
    )
    page = text(response)
    assert response.status_code == 422
    assert 'id="id_spd-remotes-2_error"' in page
    assert 'id="id_spd-remotes-0_error"' not in page
    assert "Enter at least one customer range" not in page


def test_no_rule_at_all_is_refused(walk: Walk) -> None:
    walk.to("spd")
    response = walk.post("spd", local=[""], remotes=[""])
    assert response.status_code == 422
    assert "Add at least one SPD rule." in text(response)


def test_rules_come_and_go(walk: Walk) -> None:
    walk.to("spd")
    response = walk.post("spd", headers=PARTS, ADD_RULE="1", **SEED)
    assert text(response).count("<textarea") == 4
    assert '"id": "id_spd-local-3"' in response.headers["HX-Trigger-After-Settle"]
    page = text(walk.post("spd", headers=PARTS, REMOVE_RULE="1", **SEED))
    assert re.findall(r'name="spd-local" value="([^"]*)"', page) == ["10.0.0.0/24", "10.0.2.0/24"]
    assert "192.168.0.0/24\n192.168.1.0/24</textarea>" in page


def test_no_more_rules_than_allowed_can_be_added(walk: Walk) -> None:
    walk.to("spd")
    many = {"local": [f"10.0.{n}.0/24" for n in range(10)], "remotes": ["192.168.0.0/24"] * 10}
    page = text(walk.post("spd", headers=PARTS, REFRESH="", **many))
    assert 'name="add_rule"' not in page


def test_the_check_button_shows_the_table_without_javascript(walk: Walk) -> None:
    make.a_tunnel(*make.SEED_RULES, vpn_gateway=walk.gateway, name="twin")
    walk.to("spd")
    response = walk.post("spd", local=["10.0.0.0/24"], remotes=["192.168.1.0/24"], CHECK="1")
    assert response.status_code == 303
    page = text(walk.get("spd"))
    assert "of tunnel twin" in page
    assert "aria-invalid" not in page


def test_a_ccn_gateway_takes_any_local_range(walk: Walk) -> None:
    walk.gateway = make.a_vpn_gateway(ccn=make.a_ccn(), name="frankfurt-ccn")
    walk.to("spd")
    page = text(_check(walk, ["172.16.0.0/24"], ["192.168.0.0/24"]))
    assert [good for *_, good in _rows(page)] == [True]


def test_what_is_typed_is_escaped(walk: Walk) -> None:
    walk.to("spd")
    page = text(_check(walk, ["<b>10</b>"], ["<i>x</i>"]))
    assert "<b>10" not in page
    assert "<i>x" not in page
