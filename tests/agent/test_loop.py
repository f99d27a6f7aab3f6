"""The loop with everything in memory: what it makes true, what it tells, and what it does not believe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.agent.documents import (
    GATEWAY,
    ONE,
    TWO,
    a_health,
    a_mapping,
    a_tunnel,
    an_answer,
    an_ike,
)
from tests.agent.fakes import FakeCharon, FakeClock, FakeConsole
from tunnels.agent.desired import Desired
from tunnels.agent.journal import Journal
from tunnels.agent.logs import Logs
from tunnels.agent.loop import Agent
from tunnels.agent.probe import Prober
from tunnels.agent.render import child_name
from tunnels.agent.spool import Spool
from tunnels.agent.state import StateStore
from tunnels.agent.transport import BadAnswer, SyncFailed, Unauthorised
from tunnels.contract import SyncAnswer, SyncRequest, TunnelReport
from tunnels.domain.status import Intent, Phase1

CHILD = child_name(ONE, a_mapping().mapping)


class World:
    """An agent with a charon and a console in memory; `restart` is a kill of the agent and a new start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.charon = FakeCharon()
        self.console = FakeConsole(an_answer(a_tunnel()))
        self.clock = FakeClock()
        self._closing: list[Callable[[], None]] = []
        self.restart()

    def restart(self) -> None:
        self.close()
        journal, spool = Journal(self.folder), Spool(self.folder)
        self._closing = [journal.close, spool.close]
        self.agent = Agent(
            charon=self.charon,
            console=self.console,
            desired=Desired(StateStore(self.folder, gateway=GATEWAY), salt=journal.salt),
            journal=journal,
            logs=Logs(spool, None),
            prober=Prober(clock=self.clock),
            clock=self.clock,
        )

    def rounds(self, count: int = 1, seconds: float = 1.0) -> SyncRequest:
        """So many rounds, so many seconds apart; the last request."""
        for _ in range(count):
            self.agent.round()
            self.clock.sleep(seconds)
        return self.console.last

    def report(self, tunnel: str = ONE) -> TunnelReport:
        """What the console was told of a tunnel last."""
        return next(
            report
            for request in reversed(self.console.requests)
            for report in request.tunnels
            if report.id == tunnel
        )

    def close(self) -> None:
        for close in self._closing:
            close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_it_makes_the_answer_true_and_reports_it(world: World) -> None:
    world.rounds(2)
    assert world.charon.connections() == (ONE,)
    report = world.report()
    assert (report.applied_revision, report.error, report.phase1) == (1, "", Phase1.ESTABLISHED)
    assert [mapping.up for mapping in report.mappings] == [True]
    assert report.established_at is not None
    facts = world.console.last.facts
    assert (facts.charon_version, facts.vici_error, facts.problems) == ("5.9.8", "", ())
    assert world.console.last.revision == 1


def test_an_unchanged_answer_writes_nothing(world: World) -> None:
    world.rounds(2)
    writes = world.charon.writes
    world.console.answer = an_answer(revision=1).model_copy(update={"tunnels": None})
    world.rounds(20)
    world.console.answer = an_answer(a_tunnel(revision=2), revision=2)
    world.rounds(3)
    assert world.charon.writes == writes
    assert world.report().applied_revision == 2


def test_it_goes_on_from_the_saved_state_when_the_console_is_away(world: World) -> None:
    world.rounds(2)
    world.console.answer = refuse(SyncFailed("The console cannot be reached."))
    world.charon.restart()
    world.restart()
    world.rounds(3)
    assert world.charon.sas(ONE)[0].established
    assert world.console.last.revision == 1


def test_it_says_that_charon_is_away_and_nothing_of_the_tunnels(world: World) -> None:
    world.rounds(2)
    world.charon.away = True
    request = world.rounds(2)
    assert request.facts.vici_error == "charon is away."
    assert (request.tunnels, request.gone) == ((), ())
    world.charon.away = False
    world.charon.restart()
    world.rounds(3)
    assert world.report().phase1 is Phase1.ESTABLISHED
    assert world.console.last.facts.vici_error == ""


def test_deleting_is_confirmed_only_when_charon_holds_nothing(world: World) -> None:
    world.console.answer = an_answer(a_tunnel(), a_tunnel(TWO))
    world.rounds(2)
    world.console.answer = an_answer(a_tunnel(intent=Intent.DELETING), a_tunnel(TWO), revision=2)
    assert world.rounds().gone == ()
    assert world.rounds().gone == (ONE,)
    world.charon.away = True
    assert world.rounds(2).gone == ()


def test_an_answer_that_removes_most_must_come_twice(world: World) -> None:
    names = [f"vpnx-0000000{number}" for number in range(5)]
    world.console.answer = an_answer(*(a_tunnel(name) for name in names))
    world.rounds(2)
    world.console.answer = an_answer(revision=2)
    world.rounds()
    assert len(world.charon.connections()) == 5
    # The second request still has the old revision and says what was refused; its answer is the same again.
    world.rounds()
    assert world.console.last.revision == 1
    assert world.console.last.facts.refused_plan.startswith("5 of 5 running tunnels")
    world.rounds()
    assert world.charon.connections() == ()
    assert world.console.last.facts.refused_plan == ""


def test_two_different_such_answers_are_not_the_same(world: World) -> None:
    names = [f"vpnx-0000000{number}" for number in range(5)]
    world.console.answer = an_answer(*(a_tunnel(name) for name in names))
    world.rounds(2)
    for number in range(1, 3):
        world.console.answer = an_answer(a_tunnel(names[number]), revision=2 + number)
        world.rounds()
    assert len(world.charon.connections()) == 5


def refuse(error: SyncFailed) -> Callable[[SyncRequest], SyncAnswer]:
    def answer(_request: SyncRequest) -> SyncAnswer:
        raise error

    return answer


def test_an_answer_that_is_not_believed_changes_nothing_and_is_reported(world: World) -> None:
    world.rounds(2)
    before = world.charon.contents()
    world.console.answer = refuse(BadAnswer("The console answered with status 502."))
    world.rounds(3, seconds=30)
    world.console.answer = an_answer(revision=7).model_copy(update={"tunnels": None})
    world.rounds(2, seconds=60)
    assert world.charon.contents() == before
    assert world.console.last.revision == 1
    assert world.console.last.facts.problems == (
        "The console spoke of revision 7 without sending it.",
    )
    texts = [line.text for line in world.console.last.log]
    assert "The console answered with status 502. Nothing was changed." in texts


def test_a_token_that_is_refused_is_not_tried_for_long(world: World) -> None:
    world.rounds(2)
    world.console.answer = refuse(Unauthorised("no"))
    world.rounds(1, seconds=10)
    count = len(world.console.requests)
    world.rounds(4, seconds=10)
    assert len(world.console.requests) == count
    world.rounds(4, seconds=10)
    assert len(world.console.requests) > count


def test_one_tunnels_failure_does_not_stop_the_others(world: World) -> None:
    world.charon.refused = {ONE}
    world.console.answer = an_answer(a_tunnel(), a_tunnel(TWO))
    world.rounds(2, seconds=0.1)
    assert world.charon.connections() == (TWO,)
    assert world.report().error == "charon refused: invalid value."
    assert world.report().applied_revision == 0
    assert world.report(TWO).error == ""
    tries = world.charon.said.count(f"load-conn {ONE}")
    world.rounds(5, seconds=0.2)
    assert world.charon.said.count(f"load-conn {ONE}") == tries
    world.charon.refused = set()
    world.rounds(5, seconds=10)
    assert world.report().error == ""
    assert world.report().applied_revision == 1


def test_a_tunnel_that_cannot_be_told_to_charon_is_reported_and_left_alone(world: World) -> None:
    world.rounds(2)
    for changed, word in (
        ({"ike": an_ike(encryption="rot13")}, "rot13"),
        ({"remote_identity": "%any"}, "%any"),
        ({"psk": SecretStr("no\nkey\N{SNOWMAN}")}, "ASCII"),
    ):
        before = world.charon.contents()
        world.console.answer = an_answer(a_tunnel(revision=2, **changed), revision=2)
        world.rounds(3)
        assert word in world.report().error
        assert world.report().applied_revision == 1
        assert world.charon.contents() == before


def test_the_watchdog_tries_less_and_less_often(world: World) -> None:
    world.charon.reachable = False
    world.rounds(200)
    tries = world.charon.said.count(f"initiate {CHILD}")
    assert tries == 6  # at 0, 5, 15, 35, 75 and 155 s
    lines = [line.text for line in world.console.requests[-1].log]
    assert any("watchdog: attempt 6" in text for text in lines)
    world.charon.reachable = True
    world.rounds(200)
    assert world.report().phase1 is Phase1.ESTABLISHED
    world.charon.drop(CHILD)
    world.rounds(2)
    assert world.charon.sas(ONE)[0].children


def test_while_two_keys_are_valid_it_signs_with_either_in_turn(world: World) -> None:
    world.charon.reachable = False
    world.console.answer = an_answer(a_tunnel(previous_psk=SecretStr("the-key-of-before")))
    world.rounds(2)
    assert next(iter(world.charon.keys)) == ONE
    world.rounds(6)
    assert next(iter(world.charon.keys)) == f"{ONE}-previous"
    assert world.report().signing == "previous"
    world.rounds(12)
    assert next(iter(world.charon.keys)) == ONE
    assert world.report().signing == "current"


def test_a_reset_is_reported_until_the_next(world: World) -> None:
    world.rounds(2)
    world.console.answer = an_answer(a_tunnel(resets=1, revision=2), revision=2)
    world.rounds(3)
    world.restart()
    world.rounds(2)
    report = world.report().reset
    assert report is not None
    assert (report.number, report.before, report.between, report.after, report.ok) == (
        1,
        1,
        0,
        1,
        True,
    )
    assert world.report().resets_done == 1


def test_a_reset_whose_peer_is_away_fails_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunnels.agent.reset.QUICK_SECONDS", 0.0)
    monkeypatch.setattr("tunnels.agent.reset.LONGEST_SECONDS", 0.0)
    world.rounds(2)
    world.charon.reachable = False
    world.console.answer = an_answer(a_tunnel(resets=1, revision=2), revision=2)
    world.rounds(3)
    report = world.report().reset
    assert report is not None
    assert (report.before, report.after, report.ok) == (1, 0, False)
    assert report.problem == "0 of 1 mappings came up again."


def test_traffic_is_counted_over_rekeyings_and_restarts_of_the_agent(world: World) -> None:
    world.rounds(2)
    for _ in range(3):
        world.charon.carry(CHILD, 100)
        world.rounds()
        world.restart()
        world.charon.rekey(CHILD)
        world.rounds()
    assert world.report().mappings[0].bytes_in == 300


def test_a_line_is_delivered_once_however_often_the_agent_is_killed(world: World) -> None:
    stored: list[int] = []

    def console(request: SyncRequest) -> SyncAnswer:
        last = stored[-1] if stored else 0
        stored.extend(line.cursor for line in request.log if line.cursor > last)
        if len(world.console.requests) % 3 == 0:
            raise SyncFailed("The answer was lost on its way.")
        return an_answer(a_tunnel(), acknowledged=stored[-1] if stored else 0)

    world.console.answer = console
    for number in range(12):
        world.agent._logs.note(ONE, f"line {number}")
        world.rounds(1, seconds=30)
        if number % 2:
            world.agent._logs.collect(())
            world.restart()
    world.rounds(3, seconds=30)
    texts = {line.cursor: line.text for request in world.console.requests for line in request.log}
    assert stored == sorted(set(stored))
    mine = [texts[cursor] for cursor in stored if texts[cursor].startswith("line ")]
    assert mine == [f"line {number}" for number in range(12)]


def test_health_checks_of_tunnels_that_are_down_count_as_lost(world: World) -> None:
    world.charon.reachable = False
    world.console.answer = an_answer(a_tunnel(health=a_health()))
    for _ in range(6):
        world.rounds()
        world.agent._prober.turn()
    report = world.rounds()
    health = world.report().health
    assert health is not None
    assert (health.healthy, health.rtt_ms, health.loss) == (False, None, 1.0)
    assert report.facts.problems == ()


def test_an_unchanged_poll_is_nearly_empty(world: World) -> None:
    world.rounds(3)

    def unchanged(request: SyncRequest) -> SyncAnswer:
        cursor = max((line.cursor for line in request.log), default=0)
        return an_answer(acknowledged=cursor).model_copy(update={"tunnels": None})

    world.console.answer = unchanged
    world.rounds(2)
    count = len(world.console.requests)
    world.rounds(20)
    later = world.console.requests[count:]
    assert len(later) > 10
    assert all(not (request.tunnels or request.complete or request.log) for request in later)
    world.charon.carry(CHILD, 100)
    world.rounds(40)
    told = [request.tunnels for request in world.console.requests[count:] if request.tunnels]
    assert [report.mappings[0].bytes_in for reports in told for report in reports] == [100]


def test_everything_is_told_at_first_and_when_asked_for(world: World) -> None:
    world.rounds(3)
    world.restart()
    assert world.rounds().complete
    assert not world.rounds().complete
    world.console.answer = an_answer(a_tunnel(), report_all=True)
    world.rounds()
    world.console.answer = an_answer(a_tunnel())
    request = world.rounds()
    assert request.complete
    assert [report.id for report in request.tunnels] == [ONE]
    assert not world.rounds().complete


def test_a_complete_report_is_never_made_without_charon(world: World) -> None:
    world.rounds(3)
    world.charon.away = True
    world.restart()
    assert not world.rounds(3).complete
    world.charon.away = False
    assert world.rounds().complete


def test_a_change_is_told_before_the_next_poll_is_due(world: World) -> None:
    world.console.answer = an_answer(a_tunnel(), poll_seconds=60)
    world.rounds(3, seconds=0.1)
    count = len(world.console.requests)
    world.rounds(3, seconds=0.1)
    assert len(world.console.requests) == count
    world.charon.drop(CHILD)
    world.charon.reachable = False
    world.rounds(3, seconds=0.1)
    assert len(world.console.requests) > count
    assert not world.report().mappings[0].up
