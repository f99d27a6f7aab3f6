"""A token that the console does not accept: said, tried again much later, and no tunnel goes down."""

from __future__ import annotations

import time

import pytest

from tests.chaos import looks
from tests.chaos.rig import Rig, until

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]

REFUSED = "The console does not accept this gateway's token; enrol it again. Next try in 60 s."


def refused_at(rig: Rig) -> float:
    return float(rig.console.desk("state")["agent"]["refused"])


def test_it_stays_up_with_a_wrong_token_and_says_so(rig: Rig) -> None:
    right = (rig.folder / "token").read_text().strip()
    before, asked, since = looks.generations(rig), rig.agent_output.stat().st_size, time.time()
    rig.write_token("a-wrong-token")
    assert until(lambda: refused_at(rig) > since)
    refused(rig, asked)
    assert rig.agent_runs()
    assert looks.generations(rig) == before
    assert looks.pings(rig) == []
    rig.write_token(right)
    rig.kill_agent()


def test_it_stays_up_with_a_revoked_token_until_it_is_enrolled_again(rig: Rig) -> None:
    before, asked, since = looks.generations(rig), rig.agent_output.stat().st_size, time.time()
    assert rig.console.desk("revoke")["revoked"]
    assert until(lambda: refused_at(rig) > since)
    refused(rig, asked)
    # charon is killed while nobody listens to the agent: it helps itself.
    rig.lab.gateway.kill_charon()
    rig.start_charon(rig.lab.gateway)
    assert until(lambda: not looks.pings(rig))
    assert looks.generations(rig).keys() == before.keys()
    rig.write_token(rig.console.desk("token")["token"])
    rig.kill_agent()


def refused(rig: Rig, since: int) -> None:
    """The agent has said once that it was refused, and that it waits."""
    assert until(lambda: REFUSED in rig.agent_output.read_text()[since:])
    assert rig.agent_output.read_text()[since:].count("Next try") == 1
