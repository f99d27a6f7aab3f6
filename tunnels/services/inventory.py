"""What the services for networks and gateways share: reading several inputs at once, and "still in use".

The use cases themselves: `services.networks` (regions, VPCs, CCNs) and `services.gateways`
(`create_customer_gateway(*, actor, name, public_ip)` and its siblings).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from tunnels.domain.findings import Finding, RuleError, refuse

T = TypeVar("T")
M = TypeVar("M", bound=Model)

USERS_NAMED = 5


def attempt(findings: list[Finding], field: str, parse: Callable[[str], T], text: str) -> T | None:
    """`parse(text)`, or None after noting at `field` why it cannot be: so a form hears of every mistake at once."""
    try:
        return parse(text)
    except RuleError as error:
        findings.extend(finding.at(field, finding.row) for finding in error.findings)
        return None


def refuse_while_used(
    name: str, *users: tuple[str, QuerySet[Any]], advice: str, rule: str = "in-use", field: str = ""
) -> None:
    """Raise RuleError when any of the query sets has rows, naming the first five and what to do.

    `users` are pairs of a noun in the singular and its rows, e.g. `("tunnel", gateway.tunnels.all())`.
    """
    total = 0
    named: list[str] = []
    nouns: list[str] = []
    for noun, rows in users:
        count = rows.count()
        if not count:
            continue
        named += [str(row) for row in rows.order_by("pk")[: USERS_NAMED - len(named)]]
        nouns.append(f"{count} {noun}{'s' if count > 1 else ''}")
        total += count
    if not total:
        return
    more = f" and {total - len(named)} more" if total > len(named) else ""
    raise refuse(
        rule,
        f"{name} is used by {' and '.join(nouns)}: {', '.join(named)}{more}. {advice}",
        field=field,
    )


def gone(kind: str, name: str) -> RuleError:
    """The RuleError for something that somebody deleted while it was open here."""
    return refuse("gone", f"The {kind} {name} has been deleted meanwhile; go back to the list.")


def locked(row: M) -> M:
    """A fresh copy of the row, locked until the transaction ends. Raises RuleError when it is gone."""
    fresh = type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
    if fresh is None:
        raise gone(str(row._meta.verbose_name), str(getattr(row, "name", row)))
    return fresh
