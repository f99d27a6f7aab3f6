"""The agent as a process beside a real charon, with a second charon as its peer and a console on a socket."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.agent.conftest import forget_everything, serve, until, vici
from tests.agent.console import SocketConsole, a_console, a_token
from tests.agent.documents import (
    GATEWAY,
    KEY,
    ONE,
    TWO,
    a_health,
    a_mapping,
    a_tunnel,
    an_answer,
    an_ike,
    an_ipsec,
)
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.contract import TunnelReport
from tunnels.domain.proposals import IkeVersion, Mode
from tunnels.domain.status import Intent, Phase1
from tunnels.lab import Lab

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]

ROOT = Path(__file__).resolve().parents[2]
HEALTH = a_health()
FIRST, SECOND, THIRD = (a_mapping("10.0.0.0/24", f"192.168.{number}.0/24") for number in range(3))
# The two tunnels have one peer: names tell them apart.
OWN = {"local_identity": "gateway.example.com"}
ALPHA = a_tunnel(ONE, mappings=(FIRST, SECOND), remote_identity="alpha.example.com", **OWN)
BETA = a_tunnel(
    TWO,
    mappings=(THIRD,),
    remote_identity="beta.example.com",
    psk=SecretStr("beta-key-4712"),
    **OWN,
)


class Site:
    """A gateway with its agent, the branch, and a console."""

    def __init__(self, lab: Lab, folder: Path, console: SocketConsole) -> None:
        self.lab, self.folder, self.console = lab, folder, console
        self.charon, self.peer = vici(lab.gateway), vici(lab.branch)
        self._process: subprocess.Popen[bytes] | None = None
        self._token = a_token(folder)

    def start(self, *flags: str) -> None:
        """Start the agent inside the gateway's side."""
        command = [
            sys.executable, "-m", "tunnels.agent", "--console", self.console.address, "--gateway", GATEWAY,
            "--token-file", str(self._token), "--state-dir", str(self.folder / "state"),
            "--vici", f"unix://{self.lab.gateway.vici_socket}", "--charon-log", str(self.lab.gateway.log_path), *flags,
        ]  # fmt: skip
        self._process = self.lab.gateway.popen(
            command,
            env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            output=self.output,
        )

    @property
    def output(self) -> Path:
        """What the agent printed."""
        return self.folder / "agent.out"

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """End the agent; its exit code."""
        assert self._process is not None
        # The process that we see is nsenter; the agent is its child.
        pid = subprocess.run(
            ["pgrep", "-P", str(self._process.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        subprocess.run(["kill", f"-{number.value}", *pid], check=True)
        code = self._process.wait(20)
        self._process = None
        return code

    def end(self) -> None:
        if self._process is not None:
            self.kill()
        for charon in (self.charon, self.peer):
            forget_everything(charon)
            charon.close()

    def report(self, tunnel: str = ONE) -> TunnelReport | None:
        """What the console was told of a tunnel last."""
        told = (report for request in reversed(self.console.requests) for report in request.tunnels)
        return next((report for report in told if report.id == tunnel), None)

    def is_up(self, *tunnels: str) -> bool:
        """Whether the console was told that these carry all their mappings."""
        reports = [self.report(tunnel) for tunnel in tunnels]
        return all(
            report
            and report.phase1 is Phase1.ESTABLISHED
            and all(pair.up for pair in report.mappings)
            for report in reports
        )

    def signing(self) -> str:
        """Which key the first tunnel signs with."""
        report = self.report()
        return report.signing if report else ""

    def resets(self) -> int:
        """How many resets of the first tunnel have ended."""
        report = self.report()
        return report.resets_done if report else 0

    def generation(self, charon: ViciCharon, tunnel: str) -> tuple[int, frozenset[str]]:
        """What changes when a tunnel is negotiated anew."""
        (sa,) = charon.sas(tunnel)
        return sa.unique_id, frozenset(child.key for child in sa.children)


@pytest.fixture
def site(lab: Lab) -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="agent-") as name, a_console(Path(name)) as console:
        made = Site(lab, Path(name), console)
        serve(made.peer, ALPHA, BETA)
        yield made
        made.end()


def both_up(site: Site) -> None:
    site.console.says(an_answer(ALPHA, BETA))
    site.start()
    assert until(lambda: site.is_up(ONE, TWO)), site.output.read_text()


def test_tunnels_come_up_and_carry(site: Site) -> None:
    both_up(site)
    assert site.lab.gateway.ping("10.0.0.1", "192.168.0.1").passes
    # A new agent tells everything at once, counters too.
    site.kill()
    site.start()
    assert until(lambda: (report := site.report()) and report.mappings[0].bytes_in > 0)
    facts = site.console.requests[-1].facts
    assert facts.charon_version.startswith("5.")
    assert "kernel-libipsec" in facts.plugins
    assert facts.problems == ()


@pytest.mark.parametrize("mode", Mode)
def test_an_ikev1_tunnel_comes_up_and_carries(site: Site, mode: Mode) -> None:
    names = {} if mode is Mode.MAIN else OWN
    # The console offers no AEAD for phase 1 of IKEv1.
    ike = an_ike(version=IkeVersion.V1, mode=mode, encryption="aes-256", dh_group="dh14")
    tunnel = a_tunnel(ONE, mappings=(FIRST, SECOND), ike=ike, **names)
    serve(site.peer, tunnel)
    site.console.says(an_answer(tunnel))
    before = site.lab.gateway.log_path.stat().st_size
    site.start()
    assert until(lambda: site.is_up(ONE)), site.output.read_text()
    assert site.lab.gateway.ping("10.0.0.1", "192.168.0.1").passes
    with site.lab.gateway.log_path.open() as log:
        log.seek(before)
        assert f"initiating {mode.value.capitalize()} Mode IKE_SA {ONE}" in log.read()
    first = site.generation(site.charon, ONE)
    changed = tunnel.model_copy(update={"mappings": (FIRST,), "revision": 2})
    site.console.says(an_answer(changed, revision=2))
    assert until(lambda: len(site.charon.sas(ONE)[0].children) == 1)
    kept = site.generation(site.charon, ONE)
    assert (kept[0], kept[1] < first[1]) == (first[0], True)
    gone = changed.model_copy(update={"intent": Intent.DELETING, "revision": 3})
    site.console.says(an_answer(gone, revision=3))
    assert until(lambda: site.console.requests[-1].gone == (ONE,))
    assert (site.charon.connections(), site.charon.sas(), site.charon.shared()) == ((), (), ())


def test_an_unchanged_answer_writes_nothing(site: Site) -> None:
    both_up(site)
    log = site.lab.gateway.log_path
    until(lambda: len(site.console.requests) > 8)
    before, count = log.stat().st_size, len(site.console.requests)
    assert until(lambda: len(site.console.requests) > count + 8)
    with log.open() as file:
        file.seek(before)
        said = file.read()
    requests = set(re.findall(r"client \d+ requests: (\S+)", said))
    assert "list-sas" in requests
    assert requests <= {"list-sas", "get-conns", "get-shared", "version", "stats"}


def test_editing_one_tunnel_leaves_the_other(site: Site) -> None:
    both_up(site)
    other = site.generation(site.charon, TWO)
    one = site.generation(site.charon, ONE)
    edited = ALPHA.model_copy(update={"mappings": (FIRST,), "revision": 2})
    site.console.says(an_answer(edited, BETA, revision=2))
    assert until(lambda: len(site.charon.sas(ONE)[0].children) == 1)
    fewer = site.generation(site.charon, ONE)
    assert fewer[0] == one[0]
    assert fewer[1] < one[1]
    again = edited.model_copy(update={"ipsec": an_ipsec(lifetime_seconds=1800), "revision": 3})
    site.console.says(an_answer(again, BETA, revision=3))
    assert until(
        lambda: site.generation(site.charon, ONE)[1].isdisjoint(fewer[1]) and site.is_up(ONE)
    )
    ike = again.model_copy(update={"ike": an_ike(lifetime_seconds=3600), "revision": 4})
    site.console.says(an_answer(ike, BETA, revision=4))
    assert until(
        lambda: (sas := site.charon.sas(ONE)) and sas[0].unique_id != one[0] and site.is_up(ONE)
    )
    assert site.generation(site.charon, TWO) == other


def test_a_reset_tells_its_outcome(site: Site) -> None:
    both_up(site)
    other, one = site.generation(site.charon, TWO), site.generation(site.charon, ONE)
    site.console.says(
        an_answer(ALPHA.model_copy(update={"resets": 1, "revision": 2}), BETA, revision=2)
    )
    assert until(lambda: (report := site.report()) and report.reset and report.resets_done == 1)
    told = site.report()
    assert told is not None
    assert told.reset is not None
    assert (told.reset.before, told.reset.between, told.reset.after, told.reset.ok) == (
        2,
        0,
        2,
        True,
    )
    assert 0 < told.reset.seconds < 15
    assert site.generation(site.charon, ONE)[0] != one[0]
    assert site.generation(site.charon, TWO) == other


def test_taking_down_and_deleting_leave_nothing_in_charon(site: Site) -> None:
    both_up(site)
    down = ALPHA.model_copy(update={"intent": Intent.DOWN, "revision": 2})
    site.console.says(an_answer(down, BETA, revision=2))
    assert until(lambda: (report := site.report()) and report.applied_revision == 2)
    assert site.charon.connections() == (TWO,)
    gone = BETA.model_copy(update={"intent": Intent.DELETING, "revision": 3})
    site.console.says(an_answer(down, gone, revision=3))
    assert until(lambda: site.console.requests[-1].gone == (TWO,))
    assert (site.charon.connections(), site.charon.sas(), site.charon.shared()) == ((), (), ())


def test_a_rotation_of_the_key_does_not_interrupt(site: Site) -> None:
    """Both keys first; the peer changes over; then the new one alone. A reset in each phase comes up."""
    both_up(site)
    before = site.generation(site.charon, ONE)
    new = SecretStr("alpha-key-for-the-future")
    turning = ALPHA.model_copy(update={"psk": new, "previous_psk": ALPHA.psk, "revision": 2})
    site.console.says(an_answer(turning, BETA, revision=2))
    assert until(lambda: set(site.charon.shared()) == {ONE, f"{ONE}-previous", TWO})
    assert site.generation(site.charon, ONE) == before
    # The peer still has the old key only: a new negotiation must find that out.
    reset = turning.model_copy(update={"resets": 1, "revision": 3})
    site.console.says(an_answer(reset, BETA, revision=3))
    assert until(lambda: [sa.unique_id for sa in site.charon.sas(ONE)] > [before[0]])
    assert until(lambda: site.is_up(ONE) and site.signing() == "previous")
    serve(site.peer, ALPHA.model_copy(update={"psk": new}), BETA)
    again = reset.model_copy(update={"resets": 2, "revision": 4})
    site.console.says(an_answer(again, BETA, revision=4))
    assert until(lambda: site.is_up(ONE) and site.signing() == "current" and site.resets() == 2)
    now = site.generation(site.charon, ONE)
    done = again.model_copy(update={"previous_psk": None, "revision": 5})
    site.console.says(an_answer(done, BETA, revision=5))
    assert until(lambda: set(site.charon.shared()) == {ONE, TWO})
    assert site.generation(site.charon, ONE) == now


def test_everything_comes_back_after_charon_died_with_the_console_away(site: Site) -> None:
    both_up(site)
    site.console.reply = lambda _request: (_ for _ in ()).throw(ConnectionError)
    site.kill()
    site.lab.gateway.kill_charon()
    site.lab.gateway.start_charon()
    site.start()
    assert until(lambda: {sa.name for sa in site.charon.sas() if sa.established} == {ONE, TWO})
    assert site.kill(signal.SIGTERM) == 0
    assert {sa.name for sa in site.charon.sas() if sa.established} == {ONE, TWO}


def test_a_health_check_is_probed_through_the_tunnel(site: Site) -> None:
    site.lab.branch.add_address(str(HEALTH.remote))
    pair = a_mapping("169.254.128.2/32", "169.254.128.3/32")
    alpha = ALPHA.model_copy(update={"mappings": (FIRST, pair), "health": HEALTH})
    serve(site.peer, alpha)
    site.console.says(an_answer(alpha))
    site.start("--manage-addresses")
    assert until(lambda: (report := site.report()) and report.health and report.health.healthy)
    told = site.report()
    assert told is not None
    assert told.health is not None
    assert told.health.rtt_ms is not None
    assert 0 < told.health.rtt_ms < 500
    site.lab.branch.link_down()
    assert until(lambda: (report := site.report()) and report.health and not report.health.healthy)
    site.lab.branch.link_up()
    assert until(lambda: (report := site.report()) and report.health and report.health.healthy)
    site.console.says(an_answer(ALPHA, revision=2))
    shown = ["ip", "address", "show", "dev", "lo"]
    assert until(lambda: "169.254.128.2" not in site.lab.gateway.run(shown).stdout)


def test_each_line_of_its_log_arrives_once_over_kills_and_rotations(site: Site) -> None:
    log = site.lab.gateway.log_path
    copied, renamed = log.with_name("charon.log.1"), log.with_name("charon.log.2")
    start = log.stat().st_size
    both_up(site)
    for number in range(4):
        site.kill()
        site.charon.terminate(ike=ONE)
        if number == 1:  # as logrotate does with copytruncate
            copied.write_bytes(log.read_bytes())
            os.truncate(log, 0)
        if number == 2:  # as without it: charon writes on into the renamed file until it is told
            log.rename(renamed)
            assert until(partial(has_reopened, site))
        count = len(site.console.requests)
        site.start()
        assert until(partial(has_come_up_since, site, count))
    files = (copied, renamed, log)
    assert until(lambda: set(written(*files, start=start)) <= set(told(site)))
    assert told(site) == written(*files, start=start)
    assert "established between" in renamed.read_text()
    assert len([text for text in told(site) if "established between" in text]) == 5


def has_reopened(site: Site) -> bool:
    """Tell charon to open its log anew; whether there is one again."""
    number = (site.lab.gateway.folder / "pid").read_text().strip()
    site.lab.gateway.run(["kill", "-HUP", number])
    return site.lab.gateway.log_path.exists()


def has_come_up_since(site: Site, count: int) -> bool:
    return len(site.console.requests) > count + 2 and site.is_up(ONE)


def told(site: Site) -> list[str]:
    """What the console, which takes each cursor once, knows of the first tunnel's IKE_SAs."""
    lines = {line.cursor: line for request in site.console.requests for line in request.log}
    assert not any(KEY in line.text for line in lines.values())
    return [
        lines[cursor].text
        for cursor in sorted(lines)
        if (lines[cursor].tunnel, lines[cursor].group) == (ONE, "ike")
    ]


def written(*files: Path, start: int) -> list[str]:
    """What charon wrote of them; the first file's beginning is not of this test."""
    content = b"".join(file.read_bytes() for file in files)[start:]
    return re.findall(rf"\[IKE[012]\] <{ONE}\|\d+> (.*)", content.decode())
