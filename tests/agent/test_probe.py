"""Health probes: pace, verdict, and the three ways to send one."""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address

import pytest

from tests.agent.conftest import until
from tests.agent.documents import ONE, a_health
from tests.agent.fakes import FakeClock
from tunnels.agent.addresses import Address
from tunnels.agent.echo import CommandEcho, Echo, SocketEcho, _checksum
from tunnels.agent.probe import Prober, Verdict

CHECK = a_health(interval_ms=1000, timeout_ms=200, threshold=3).check


class FakeEcho:
    """Its pipe is readable once `answer` was called."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.sent: list[int] = []
        self.closed = False

    def send(self, sequence: int) -> None:
        self.sent.append(sequence)

    def fileno(self) -> int:
        return self.reader

    def answered(self, sequence: int) -> bool:
        return os.read(self.reader, 4) == b"%d" % sequence

    def answer(self) -> None:
        os.write(self.writer, b"%d" % self.sent[-1])

    def close(self) -> None:
        if not self.closed:
            os.close(self.reader)
            os.close(self.writer)
        self.closed = True


class Probing:
    """A prober whose clock stands still; `step` lets time pass and does what is due."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.echoes: list[FakeEcho] = []
        self.prober = Prober(opener=self._open, clock=self.clock)

    def _open(self, _local: Address, _remote: Address) -> Echo:
        self.echoes.append(FakeEcho())
        return self.echoes[-1]

    def step(self, seconds: float, *, answer: bool = False) -> None:
        self.clock.sleep(seconds)
        self.prober.turn()
        if answer:
            self.echoes[-1].answer()
            self.clock.sleep(0.01)
            for key, _ in self.prober._selector.select(0):
                self.prober._receive(key.data)


@pytest.fixture
def probing() -> Probing:
    return Probing()


def test_it_probes_at_its_pace_and_measures(probing: Probing) -> None:
    probing.prober.set_targets({ONE: CHECK}, {ONE})
    assert probing.prober.reports() == {}
    for _ in range(4):
        probing.step(0, answer=True)
        probing.step(0.99)
    (echo,) = probing.echoes
    assert echo.sent[:4] == [1, 2, 3, 4]
    report = probing.prober.reports()[ONE]
    assert (report.healthy, report.rtt_ms, report.loss) == (True, 10.0, 0.0)
    probing.prober.set_targets({}, ())
    probing.step(0)
    assert echo.closed


def test_it_is_unhealthy_after_so_many_losses_and_healthy_after_one_answer(
    probing: Probing,
) -> None:
    probing.prober.set_targets({ONE: CHECK}, {ONE})
    probing.step(0, answer=True)
    states = []
    for _ in range(3):
        probing.step(1.0)
        probing.step(0.3)
        probing.clock.sleep(-0.3)
        states.append(probing.prober.reports()[ONE].healthy)
    assert states == [True, True, False]
    assert probing.prober.reports()[ONE].loss == 0.75
    probing.step(1.0, answer=True)
    assert probing.prober.reports()[ONE].healthy
    probing.prober.set_targets({}, ())
    probing.step(0)


def test_nothing_is_sent_while_the_tunnel_is_down(probing: Probing) -> None:
    probing.prober.set_targets({ONE: CHECK}, ())
    for _ in range(3):
        probing.step(1.0)
    assert probing.echoes == []
    assert not probing.prober.reports()[ONE].healthy


def test_an_address_that_is_not_here_is_a_loss() -> None:
    clock = FakeClock()

    def opener(_local: Address, _remote: Address) -> Echo:
        raise OSError(99, "Cannot assign requested address")

    prober = Prober(opener=opener, clock=clock)
    prober.set_targets({ONE: CHECK}, {ONE})
    for _ in range(3):
        prober.turn()
        clock.sleep(1.0)
    assert prober.reports()[ONE].loss == 1.0


def test_other_settings_begin_anew(probing: Probing) -> None:
    probing.prober.set_targets({ONE: CHECK}, ())
    for _ in range(3):
        probing.step(1.0)
    probing.prober.set_targets({ONE: a_health(threshold=8).check}, ())
    assert probing.prober.reports() == {}


def test_the_verdict_looks_back_only_so_far() -> None:
    verdict = Verdict(threshold=3)
    for _ in range(50):
        verdict.add(None)
    for _ in range(19):
        verdict.add(2.0)
    report = verdict.report()
    assert report is not None
    assert (report.loss, report.rtt_ms) == (0.05, 2.0)


def test_the_checksum_of_rfc_1071() -> None:
    assert _checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("kind", ["ping socket", "raw socket", "program"])
def test_each_way_reaches_this_host(kind: str, address: str) -> None:
    here = ip_address(address)
    echo: Echo
    try:
        if kind == "program":
            echo = CommandEcho(here, here)
        else:
            way = socket.SOCK_RAW if kind == "raw socket" else socket.SOCK_DGRAM
            echo = SocketEcho(here, here, kind=way)
        echo.send(7)
    except OSError as error:
        pytest.skip(f"this host does not allow it: {error}")
    try:
        answered = until(lambda: echo.answered(7))
    finally:
        echo.close()
    assert answered
