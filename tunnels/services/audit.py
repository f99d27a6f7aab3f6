"""Events: every write leaves one, in the same transaction, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model

from tunnels.domain.secret import Secret
from tunnels.models import Event
from tunnels.services.access import Actor, actor_name, actor_user


def record(
    *,
    actor: Actor,
    action: str,
    target: Model,
    message: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    level: str = Event.Level.INFO,
) -> Event:
    """Append an event about `target` (anything with a `public_id`, `code` or user name).

    `action` is a kebab-case verb such as `tunnel-reset`. Of `before` and `after` only the fields that differ
    are kept; a Secret becomes "changed".
    """
    changed_before, changed_after = _difference(before or {}, after or {})
    return Event.objects.create(
        actor=actor_user(actor),
        actor_name=actor_name(actor),
        action=action,
        level=level,
        target_kind=str(target._meta.model_name),
        target_id=_target_id(target),
        target_name=_target_name(target),
        message=message,
        before=changed_before,
        after=changed_after,
    )


def _difference(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    fields = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return (
        {key: _plain(before[key]) for key in fields if key in before},
        {key: _plain(after[key]) for key in fields if key in after},
    )


def _plain(value: Any) -> Any:
    """A value that JSON can hold and that gives no secret away."""
    if isinstance(value, Secret):
        return "changed"
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value)


def _target_id(target: Model) -> str:
    if isinstance(target, User):
        return target.get_username()
    return str(getattr(target, "public_id", None) or getattr(target, "code", target.pk))


def _target_name(target: Model) -> str:
    if isinstance(target, User):
        return target.get_username()
    return str(getattr(target, "name", ""))
