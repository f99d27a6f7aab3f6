"""Amounts in PAN-OS' units: each takes at most 65535, days 365 (provider specifications of the crypto profiles)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# The largest first; the last one is the unit of the amounts. A KB is 1024 bytes.
TIME: Final[Mapping[str, int]] = MappingProxyType(
    {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
)
VOLUME: Final[Mapping[str, int]] = MappingProxyType({"gb": 1024**2, "mb": 1024, "kb": 1})
MOST: Final = 65_535
_MOST_DAYS: Final = 365


def in_units(amount: int, units: Mapping[str, int]) -> str | None:
    """The amount in the largest unit that holds it exactly, such as `hours 8`; None when there is none.

    `units` maps words to their sizes, the largest first; the amount is in the smallest.
    """
    for word, size in units.items():
        many, rest = divmod(amount, size)
        if rest == 0 and 0 < many <= _most(word):
            return f"{word} {many}"
    return None


def nearest_in_units(amount: int, units: Mapping[str, int]) -> int:
    """The largest amount that is not above this one and that a unit holds exactly."""
    return max(min(amount // size, _most(word)) * size for word, size in units.items())


def exactly(amount: int, units: Mapping[str, int]) -> str:
    """As `in_units`, for an amount that is known to fit. Raises ValueError when it does not."""
    found = in_units(amount, units)
    if found is None:
        raise ValueError(f"{amount} should have been refused")
    return found


def _most(word: str) -> int:
    return _MOST_DAYS if word == "days" else MOST
