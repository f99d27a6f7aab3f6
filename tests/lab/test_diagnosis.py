"""Every cause, provoked between two real charons, is named; docs/diagnosis.md holds the table of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tunnels.domain.diagnosis import Code, diagnose
from tunnels.lab.diagnose import document
from tunnels.lab.provocations import FLAVOURS, Flavour, Provocation, everything
from tunnels.lab.stage import KEY, Finding, Setting, Stage

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("diagnosis")]

ROWS = everything()
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "diagnosis.md"


@pytest.fixture(scope="module")
def stage_of(needs_lab: None) -> Iterator[Callable[[Provocation], Stage]]:
    """The lab that a provocation needs, the same for all that need the same."""
    with ExitStack() as stack:
        stages: dict[bool, Stage] = {}

        def find(row: Provocation) -> Stage:
            if row.weak not in stages:
                stages[row.weak] = stack.enter_context(Stage.open(weak=row.weak))
            return stages[row.weak]

        yield find


@pytest.fixture(scope="module")
def found() -> list[tuple[Provocation, Finding]]:
    """What was named so far."""
    return []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_it_names(
    row: Provocation,
    stage_of: Callable[[Provocation], Stage],
    found: list[tuple[Provocation, Finding]],
) -> None:
    finding = row.run(stage_of(row))
    found.append((row, finding))
    assert finding.code is row.named
    assert finding.diagnosis is not None
    # What the protocol does not tell us is at least among the possibilities.
    assert row.cause in {finding.code, *finding.diagnosis.also}
    assert KEY not in repr(finding)
    # Level 1 is what a gateway need log.
    plain = tuple(line for line in finding.lines if line.level <= 1)
    again = diagnose(plain, finding.configured, finding.observed)
    assert again is not None
    assert again.code is row.named


@pytest.mark.parametrize("flavour", Flavour)
@pytest.mark.parametrize("by_us", [True, False], ids=["we", "peer"])
def test_it_finds_nothing_wrong_with_a_tunnel_whose_keys_are_renewed(
    flavour: Flavour, by_us: bool, stage_of: Callable[[Provocation], Stage]
) -> None:
    setting = Setting(ike=FLAVOURS[flavour], ipsec={"pfs": "dh31"})
    with stage_of(ROWS[0]).scene(setting, Setting()) as scene:
        scene.begin(by_us=by_us)
        scene.wait_up()
        scene.renew(by_us=by_us, ike=False)
        scene.renew(by_us=by_us, ike=True)
        finding = scene.look()
    assert finding.observed.up
    assert finding.diagnosis is None


def test_the_documentation_holds_what_was_named(
    found: list[tuple[Provocation, Finding]], request: pytest.FixtureRequest
) -> None:
    if len(found) < len(ROWS):
        pytest.skip("only some causes were provoked")
    text = document(found)
    if request.config.getoption("update_golden"):
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text


def test_every_code_is_named_for_some_provocation() -> None:
    assert {row.named for row in ROWS} == set(Code)
    assert len({row.id for row in ROWS}) == len(ROWS)
