from __future__ import annotations

from typing import Any

import pytest

from tunnels.compare.reading import Severity
from tunnels.compare.text import HIDDEN, Quoter
from tunnels.compare.verdict import Difference, told


def a_difference(**over: Any) -> Difference:
    """One, with the fields that a test cares for."""
    fields: dict[str, Any] = {
        "name": "PFS", "ours": "a", "theirs": "b", "severity": Severity.BREAKS, "sentence": "No.", **over,
    }  # fmt: skip
    return Difference(**fields)


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ((), "default"),
        ((12,), "line 12"),
        ((12, 40), "lines 12, 40"),
        ((1, 2, 3, 4, 5), "lines 1, 2, 3, 4, 5"),
        ((1, 2, 3, 4, 1_234, 6, 7), "lines 1, 2, 3, 4, 1,234 and 2 more"),
    ],
)
def test_it_tells_where(lines: tuple[int, ...], where: str) -> None:
    assert a_difference(lines=lines).where == where


def test_it_makes_one_of_equal_differences() -> None:
    same = [
        a_difference(lines=(9,)),
        a_difference(lines=(3, 9)),
        a_difference(theirs="c", lines=(5,)),
    ]
    assert [(one.theirs, one.lines) for one in told(same)] == [("b", (3, 9)), ("c", (5,))]


def test_it_puts_the_grave_ones_first_and_keeps_their_order() -> None:
    found = told(
        a_difference(name=name, severity=severity)
        for name, severity in (
            ("1", Severity.HARMLESS), ("2", Severity.UNKNOWN), ("3", Severity.BREAKS), ("4", Severity.BREAKS),
        )
    )  # fmt: skip
    assert [one.name for one in found] == ["3", "4", "2", "1"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("site-a", True),
        ("203.0.113.10", True),
        ("*.example.net", True),
        ("C=CH, O=Example, CN=gw", True),
        ("my-S3CRET-site", False),
        ("ecre", False),
        ("ret", True),
        ("a<b>", False),
        ("two\nlines", False),
        ("x" * 81, False),
        ("", False),
        ("网关", False),
    ],
)
def test_it_quotes_only_what_is_plain_and_no_part_of_a_secret(text: str, shown: bool) -> None:
    quote = Quoter({"s3cret", "secret", ""})
    assert quote(text) == (text if shown else HIDDEN)
