"""Events say what changed and never a secret."""

from __future__ import annotations

import pytest

from tests import factories as make
from tunnels.domain.secret import Secret
from tunnels.models import Event
from tunnels.services import audit

pytestmark = pytest.mark.django_db


def test_it_keeps_only_the_fields_that_differ() -> None:
    event = audit.record(
        actor=make.SYSTEM,
        action="tested",
        target=make.a_region(),
        message="tested",
        before={"name": "a", "same": 1},
        after={"name": "b", "same": 1},
    )
    event.refresh_from_db()
    assert (event.before, event.after) == ({"name": "a"}, {"name": "b"})
    assert (event.target_kind, event.target_id, event.target_name) == (
        "region",
        "eu-central",
        "Frankfurt",
    )


def test_a_secret_is_told_as_changed_at_any_depth() -> None:
    event = audit.record(
        actor=make.SYSTEM,
        action="tested",
        target=make.a_region(),
        message="tested",
        before={"psk": Secret(make.CANARY_PSK)},
        after={"psk": Secret("another-key"), "nested": {"deep": [Secret(make.CANARY_PSK)]}},
    )
    event.refresh_from_db()
    assert event.before == {"psk": "changed"}
    assert event.after == {"psk": "changed", "nested": {"deep": ["changed"]}}


def test_an_event_outlives_its_actor() -> None:
    user = make.a_user("olga", "admin")
    event = audit.record(actor=user, action="tested", target=user, message="tested")
    user.delete()
    event = Event.objects.get(pk=event.pk)
    assert (event.actor, event.actor_name, event.target_id) == (None, "olga", "olga")
