from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tunnels.domain.status import (
    Facts,
    Intent,
    Phase1,
    Provisioning,
    Situation,
    Word,
    explain,
    is_connected,
    status_word,
)

SEEN = "01 Mar, 12:30 UTC"
# Everything that can be: one mapping or three, none up, some, all, and more than there should be.
COUNTS = [(0, 0), (0, 1), (1, 1), (0, 3), (1, 3), (2, 3), (3, 3), (4, 3), (1, 0)]
TABLE = [
    Facts(intent=intent, provisioning=provisioning, phase1=phase1, up=up, total=total)
    for intent, provisioning, phase1, (up, total) in itertools.product(
        Intent, Provisioning, Phase1, COUNTS
    )
]


def facts_that(word: Word) -> list[Facts]:
    return [facts for facts in TABLE if status_word(facts) is word]


def settled(facts: Facts) -> bool:
    """Whether the tunnel is wanted (or not yet gone) and the gateway has the newest revision."""
    off = facts.intent is Intent.DELETING or (facts.intent is Intent.DOWN and facts.up == 0)
    return not off and facts.provisioning is Provisioning.APPLIED


def test_it_covers_the_whole_table() -> None:
    assert len(TABLE) == 3 * 3 * 3 * len(COUNTS)
    words = {status_word(facts) for facts in TABLE}
    assert words == set(Word) - {Word.UNKNOWN}


# Each law states, without regard to the order of the code, exactly when its word is said.
LAWS: dict[Word, Callable[[Facts], bool]] = {
    Word.DELETING: lambda facts: facts.intent is Intent.DELETING,
    Word.DISABLED: lambda facts: facts.intent is Intent.DOWN and facts.up == 0,
    Word.FAILED: lambda facts: (
        facts.provisioning is Provisioning.FAILED
        and (facts.intent is Intent.UP or (facts.intent is Intent.DOWN and facts.up > 0))
    ),
    Word.PROVISIONING: lambda facts: (
        facts.provisioning is Provisioning.PENDING
        and (facts.intent is Intent.UP or (facts.intent is Intent.DOWN and facts.up > 0))
    ),
    Word.CONNECTED: lambda facts: settled(facts) and 0 < facts.total <= facts.up,
    Word.PARTIAL: lambda facts: settled(facts) and facts.up > 0 and not 0 < facts.total <= facts.up,
    Word.NEGOTIATING: lambda facts: (
        settled(facts) and facts.up == 0 and facts.phase1 is not Phase1.NONE
    ),
    Word.DISCONNECTED: lambda facts: (
        settled(facts) and facts.up == 0 and facts.phase1 is Phase1.NONE
    ),
}


@pytest.mark.parametrize("word", LAWS)
def test_it_says_each_word_exactly_when_its_law_holds(word: Word) -> None:
    assert facts_that(word) == [facts for facts in TABLE if LAWS[word](facts)]


def test_it_has_exactly_one_law_for_each_case() -> None:
    for facts in TABLE:
        assert sum(law(facts) for law in LAWS.values()) == 1, facts


def test_it_never_calls_a_tunnel_connected_without_a_running_mapping() -> None:
    for facts in TABLE:
        if facts.up == 0:
            assert not is_connected(status_word(facts)), facts


def test_it_never_calls_a_tunnel_disabled_while_traffic_flows() -> None:
    assert all(facts.up == 0 for facts in facts_that(Word.DISABLED))


def test_it_is_connected_when_at_least_one_mapping_carries_traffic() -> None:
    assert {word for word in Word if is_connected(word)} == {Word.CONNECTED, Word.PARTIAL}


def a_situation(**changes: Any) -> Situation:
    """A connected tunnel of four mappings, changed so."""
    usual: dict[str, Any] = {
        "word": Word.CONNECTED, "intent": Intent.UP, "gateway": "frankfurt-1", "peer": "198.51.100.7",
        "seen": True, "silent_since": "", "reset_waits": False, "failure": "", "up": 4, "total": 4,
    }  # fmt: skip
    return Situation(**usual | changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "All mappings are up"),
        ({"word": Word.PARTIAL, "up": 3}, "3 of 4 mappings are up"),
        ({"word": Word.NEGOTIATING}, "Talking to 198.51.100.7; no mapping is up yet"),
        ({"word": Word.DISCONNECTED}, "198.51.100.7 does not answer"),
        ({"word": Word.PROVISIONING}, "Waiting for frankfurt-1 to take over the change"),
        ({"word": Word.PROVISIONING, "seen": False}, "Waiting for the first report of frankfurt-1"),
        ({"word": Word.FAILED}, "frankfurt-1 could not apply it and gave no reason"),
        ({"word": Word.FAILED, "failure": "no such {proposal}"}, "no such {proposal}"),
        ({"word": Word.DISABLED, "intent": Intent.DOWN}, "Taken down on purpose"),
        ({"intent": Intent.DOWN}, "Waiting for frankfurt-1 to take it down"),
        ({"word": Word.DELETING, "intent": Intent.DELETING}, "Waiting for frankfurt-1 to let go of it"),
        ({"reset_waits": True}, "Reset requested; waiting for frankfurt-1"),
        ({"word": Word.UNKNOWN, "silent_since": SEEN}, "frankfurt-1 has been silent since 01 Mar, 12:30 UTC"),
        (
            {"word": Word.DELETING, "intent": Intent.DELETING, "silent_since": SEEN},
            "Waits for frankfurt-1, silent since 01 Mar, 12:30 UTC",
        ),
    ],
)  # fmt: skip
def test_it_explains_the_word(changes: dict[str, Any], sentence: str) -> None:
    assert explain(a_situation(**changes)) == sentence
