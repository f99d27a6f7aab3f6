from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.models import Event, Tunnel
from tunnels.services import bulk
from tunnels.services.access import sync_roles

pytestmark = pytest.mark.django_db


@pytest.fixture
def tunnels() -> list[Tunnel]:
    """A connected tunnel, and two that are not."""
    made = [make.a_tunnel(name=name, tags={"env": name}) for name in ("one", "two", "three")]
    make.connect(made[0])
    Event.objects.all().delete()
    return made


def test_it_deletes_what_it_may_and_says_why_not(tunnels: list[Tunnel]) -> None:
    result = bulk.bulk_delete(actor=make.SYSTEM, tunnels=tunnels)
    assert [tunnel.name for tunnel in result.done] == ["two", "three"]
    ((refusal),) = result.refused
    assert refusal.tunnel == tunnels[0]
    assert refusal.sentence.startswith("one is connected and carries traffic.")
    assert [tunnel.name for tunnel in Tunnel.objects.all()] == ["one"]
    assert Event.objects.count() == 2


def test_it_resets_each_once(tunnels: list[Tunnel]) -> None:
    Tunnel.objects.filter(name="two").update(intent="down")
    first = bulk.bulk_reset(actor=make.SYSTEM, tunnels=tunnels)
    assert [tunnel.name for tunnel in first.done] == ["one", "three"]
    assert [refusal.tunnel.name for refusal in first.refused] == ["two"]
    again = bulk.bulk_reset(actor=make.SYSTEM, tunnels=tunnels)
    assert again.done == ()
    assert [tunnel.name for tunnel in again.unchanged] == ["one", "three"]
    assert Event.objects.filter(action="tunnel-reset").count() == 2


def test_it_adds_replaces_and_removes_tags(tunnels: list[Tunnel]) -> None:
    Tunnel.objects.filter(name="two").update(tags={"team": "net"})
    result = bulk.bulk_retag(
        actor=make.SYSTEM, tunnels=tunnels, put={"team": "ops"}, remove=["env", "team"]
    )
    assert len(result.done) == 3
    assert [tunnel.tags for tunnel in Tunnel.objects.all()] == [{"team": "ops"}] * 3
    again = bulk.bulk_retag(actor=make.SYSTEM, tunnels=tunnels, put={"team": "ops"})
    assert len(again.unchanged) == 3


def test_it_keeps_tags_that_it_was_not_told_of(tunnels: list[Tunnel]) -> None:
    # The list was loaded before somebody else added a tag.
    Tunnel.objects.filter(name="one").update(tags={"env": "one", "late": "yes"})
    bulk.bulk_retag(actor=make.SYSTEM, tunnels=tunnels, put={"team": "ops"})
    assert Tunnel.objects.get(name="one").tags == {"env": "one", "late": "yes", "team": "ops"}


def test_it_refuses_tags_per_tunnel_that_break_a_rule(tunnels: list[Tunnel]) -> None:
    Tunnel.objects.filter(name="one").update(tags={f"key-{n}": "x" for n in range(50)})
    result = bulk.bulk_retag(actor=make.SYSTEM, tunnels=tunnels, put={"team": "ops"})
    assert [refusal.tunnel.name for refusal in result.refused] == ["one"]
    assert "51 tags are too many" in result.refused[0].sentence
    assert len(result.done) == 2


def test_it_refuses_too_many_at_once(tunnels: list[Tunnel]) -> None:
    with pytest.raises(RuleError, match="51 tunnels are too many"):
        bulk.bulk_delete(actor=make.SYSTEM, tunnels=[tunnels[1]] * 51)
    assert Tunnel.objects.count() == 3


def test_it_tells_of_what_was_deleted_meanwhile(tunnels: list[Tunnel]) -> None:
    Tunnel.objects.filter(name="two").delete()
    result = bulk.bulk_reset(actor=make.SYSTEM, tunnels=tunnels)
    assert "has been deleted meanwhile" in result.refused[0].sentence


def test_it_needs_the_permission(tunnels: list[Tunnel]) -> None:
    sync_roles()
    viewer = make.a_user("vera", "viewer")
    with pytest.raises(PermissionDenied):
        bulk.bulk_reset(actor=viewer, tunnels=[])
    with pytest.raises(PermissionDenied):
        bulk.bulk_delete(actor=viewer, tunnels=[])
    with pytest.raises(PermissionDenied):
        bulk.bulk_retag(actor=viewer, tunnels=[], put={})
