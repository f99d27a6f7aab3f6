"""The agent's own command against the running console: what somebody pastes on the gateway host."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from tests import factories as make
from tunnels.agent.__main__ import main
from tunnels.agent.transport import GATEWAY_HEADER, read_token
from tunnels.api import agents
from tunnels.models import VpnGateway
from tunnels.services.enrolment import start_enrolment
from tunnels.services.sync import find_agent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gateway() -> VpnGateway:
    return make.a_vpn_gateway()


def enrol(live_server: LiveServer, gateway: str, token: str, file: Path) -> int:
    # The live server's name is for people; without TLS only loopback is allowed.
    console = live_server.url.replace("localhost", "127.0.0.1")
    flags = {"--console": console, "--gateway": gateway, "--one-time-token": token}
    return main(
        ["enrol", *(word for flag in flags.items() for word in flag), "--token-file", str(file)]
    )


def test_it_stores_a_token_that_works(
    live_server: LiveServer, gateway: VpnGateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "etc" / "token"
    one_time = start_enrolment(actor=make.SYSTEM, vpn_gateway=gateway)
    assert enrol(live_server, gateway.public_id, one_time, file) == 0
    agent = find_agent(read_token(file))
    assert agent is not None
    assert agent.vpn_gateway == gateway
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    told = capsys.readouterr()
    assert gateway.public_id in told.out
    assert read_token(file) not in told.out + told.err
    # It is used up, and what was stored stays.
    before = file.read_text()
    assert enrol(live_server, gateway.public_id, one_time, file) == 2
    assert "unknown, used or too old" in capsys.readouterr().err
    assert file.read_text() == before


def test_it_keeps_no_token_of_another_gateway(
    live_server: LiveServer, gateway: VpnGateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one_time = start_enrolment(actor=make.SYSTEM, vpn_gateway=gateway)
    assert enrol(live_server, "vpngw-00000000", one_time, tmp_path / "token") == 2
    assert f"is for {gateway.public_id}" in capsys.readouterr().err
    assert not (tmp_path / "token").exists()


def test_it_says_what_is_missing(
    gateway: VpnGateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ident = ["--gateway", gateway.public_id, "--token-file", str(tmp_path / "token")]
    assert main(["enrol", "--console", "https://console.invalid", *ident]) == 2
    assert "--one-time-token" in capsys.readouterr().err
    assert main(["enrol", "--one-time-token", "x", *ident]) == 2
    assert "--console" in capsys.readouterr().err
    away = ["--console", "http://127.0.0.1:1", "--one-time-token", "x"]
    assert main(["enrol", *away, *ident]) == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_both_ends_call_the_header_alike() -> None:
    assert agents.GATEWAY_HEADER == GATEWAY_HEADER
