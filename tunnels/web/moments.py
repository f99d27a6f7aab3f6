"""A moment inside a sentence, where no element can turn it into the reader's own time."""

from __future__ import annotations

from datetime import datetime


def short_utc(moment: datetime | None) -> str:
    """`01 Mar, 12:30 UTC`; "" for no moment. The moment is in UTC, as all of the database's are."""
    return f"{moment:%d %b, %H:%M} UTC" if moment else ""
