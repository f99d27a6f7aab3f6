"""Two real charons in namespaces of their own: they negotiate, carry packets, lose the wire, die and come back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.configs import KEY, customer_conf, gateway_conf
from tests.lab.waiting import wait_for
from tunnels.lab import BRANCH, Lab, LabError, Side, SidePlan

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]

TWO_FAMILIES = ("10.0.0.1", "192.168.0.1"), ("2001:db8:a::1", "2001:db8:b::1")


def _connect(gateway: Side, customer: Side, *, family: int = 4, name: str = "hand") -> None:
    gateway.install(gateway_conf(gateway, customer, family=family, name=name), f"{name}.conf")
    customer.install(customer_conf(gateway, customer, family=family, name=name), f"{name}.conf")
    for version in (4, 6):
        gateway.swanctl("--initiate", "--child", f"{name}-{version}")


@pytest.fixture
def tunnel(lab: Lab) -> Iterator[Lab]:
    """The lab with a tunnel that is up; afterwards neither side knows of it, whatever the test did."""
    _connect(lab.gateway, lab.branch)
    yield lab
    _disconnect(lab)


def _disconnect(lab: Lab) -> None:
    for side in (lab.gateway, lab.branch):
        side.uninstall("hand.conf")
    for side in (lab.gateway, lab.branch):
        # After the death of one charon the other still has SAs with it: nobody answers their DELETE.
        side.swanctl("--terminate", "--ike", "hand", "--force", "--timeout", "1", check=False)
        assert side.swanctl("--list-sas").strip() == ""


def test_it_has_two_charons_that_are_reached_through_the_file_system(lab: Lab) -> None:
    for side in (lab.gateway, lab.branch):
        assert side.charon_runs()
        assert side.vici_socket.is_socket()
        assert len(os.fsencode(side.vici_socket)) <= 107
        assert "kernel-libipsec" in side.swanctl("--stats")
    # From outside, as the agent and the console's tests do.
    said = subprocess.run(
        ["/usr/sbin/swanctl", "--version", "--uri", f"unix://{lab.branch.vici_socket}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "swanctl" in said.stdout


@pytest.mark.parametrize("family", [4, 6])
def test_it_carries_both_families_over_a_public_network_of_either(lab: Lab, family: int) -> None:
    _connect(lab.gateway, lab.branch, family=family)
    sas = lab.gateway.swanctl("--list-sas")
    assert sas.count("ESTABLISHED, IKEv2") == 1
    assert sas.count("INSTALLED, TUNNEL") == 2
    for local, remote in TWO_FAMILIES:
        there = lab.gateway.ping(local, remote)
        assert there.passes
        assert there.rtt is not None
        assert there.rtt > 0
        assert lab.branch.ping(remote, local).passes
    _disconnect(lab)


def test_its_pings_go_through_the_tunnel_only(lab: Lab) -> None:
    silent = lab.gateway.ping("10.0.0.1", "192.168.0.1", 2, timeout=0.2)
    assert (silent.sent, silent.received, silent.rtt) == (2, 0, None)
    assert not silent.passes


def test_it_loses_packets_without_telling_either_charon(tunnel: Lab) -> None:
    before = tunnel.gateway.log_path.read_text().count("[KNL")
    tunnel.branch.link_down()
    assert tunnel.gateway.ping("10.0.0.1", "192.168.0.1", 2, timeout=0.2).received == 0
    assert tunnel.branch.ping("203.0.113.20", "203.0.113.10", 1, timeout=0.2).received == 0
    tunnel.branch.link_up()
    assert tunnel.gateway.ping("10.0.0.1", "192.168.0.1").passes
    assert tunnel.gateway.log_path.read_text().count("[KNL") == before


def test_it_answers_on_an_address_that_is_added_later(tunnel: Lab) -> None:
    assert not tunnel.gateway.ping("10.0.0.1", "192.168.0.77", 1, timeout=0.2).passes
    tunnel.branch.add_address("192.168.0.77")
    assert tunnel.gateway.ping("10.0.0.1", "192.168.0.77").passes


@pytest.mark.parametrize("name", ["gateway", "branch"])
def test_a_charon_is_killed_and_comes_back_empty(tunnel: Lab, name: str) -> None:
    side = tunnel.sides[name]
    side.kill_charon()
    assert not side.charon_runs()
    with pytest.raises(LabError, match="swanctl --stats ended with"):
        side.swanctl("--stats")
    side.start_charon()
    assert side.swanctl("--list-sas").strip() == ""
    assert side.swanctl("--list-conns").strip() == ""
    with pytest.raises(LabError, match="running already"):
        side.start_charon()
    # What an admin's boot script does; then the tunnel can be made again.
    side.swanctl("--load-all")
    tunnel.gateway.swanctl("--terminate", "--ike", "hand", "--force", check=False)
    tunnel.gateway.swanctl("--initiate", "--child", "hand-4")
    assert tunnel.gateway.ping("10.0.0.1", "192.168.0.1").passes


def test_its_log_names_the_connection_and_never_holds_the_key(tunnel: Lab) -> None:
    text = tunnel.gateway.log_path.read_text()
    assert "[IKE1] <hand|" in text
    assert KEY not in text
    first = text.splitlines()[0]
    assert first[10] == "T"
    assert first[19] == "."


def test_a_command_that_fails_says_so(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"branch: sh -c .* ended with 3: no such luck"):
        lab.branch.run(["sh", "-c", "echo no such luck >&2; exit 3"])
    assert lab.branch.run(["sh", "-c", "exit 3"], check=False).returncode == 3
    with pytest.raises(LabError, match=r"sleep did not end in 0\.2 s"):
        lab.branch.run(["sleep", "600"], timeout=0.2)
    assert lab.branch.run(["sh", "-c", 'echo "$WORD"'], env={"WORD": "a b"}).stdout == "a b\n"


def test_its_script_runs_a_command_inside(lab: Lab) -> None:
    done = subprocess.run(
        [lab.branch.shell, "ip", "-brief", "address", "show", "dev", "wan"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "203.0.113.20/24" in done.stdout


def test_a_program_goes_on_running_inside(lab: Lab, tmp_path: Path) -> None:
    output = tmp_path / "output"
    with lab.gateway.popen(["sh", "-c", "echo here; exec sleep 600"], output=output) as process:
        assert wait_for(lambda: output.read_text() == "here\n")
        process.kill()
        assert process.wait(10) == -9
    assert wait_for(lambda: not _commands("sleep\x00600"))


@pytest.mark.usefixtures("needs_lab")
def test_several_customers_have_a_wire_each() -> None:
    other = SidePlan(name="store", addresses=("203.0.113.30",), lan=BRANCH.lan)
    with Lab(customers=(BRANCH, other)) as lab:
        store = lab.sides["store"]
        _connect(lab.gateway, store)
        assert lab.gateway.ping("10.0.0.1", "192.168.0.1").passes
        lab.branch.link_down()
        assert lab.gateway.ping("10.0.0.1", "192.168.0.1").passes
        assert not lab.gateway.ping("203.0.113.10", "203.0.113.20", 1, timeout=0.2).passes
        lab.gateway.link_down()
        assert not lab.gateway.ping("10.0.0.1", "192.168.0.1", 1, timeout=0.2).passes


@pytest.mark.usefixtures("needs_lab")
def test_several_labs_run_side_by_side() -> None:
    with Lab() as one, Lab() as two:
        for lab in (one, two):
            _connect(lab.gateway, lab.branch)
        for lab in (one, two):
            assert lab.gateway.ping("10.0.0.1", "192.168.0.1").passes
        one.close()
        assert two.gateway.ping("10.0.0.1", "192.168.0.1").passes


@pytest.mark.usefixtures("needs_lab")
def test_further_settings_reach_charon() -> None:
    plan = SidePlan(name="slow", addresses=("203.0.113.20",), settings=("threads = 24",))
    with Lab(customers=(plan,)) as lab:
        assert "worker threads: 24 total" in lab.branch.swanctl("--stats")


@pytest.mark.usefixtures("needs_lab")
def test_a_charon_that_cannot_start_says_why() -> None:
    plan = SidePlan(name="broken", addresses=("203.0.113.20",), settings=("this is no setting {",))
    with (
        pytest.raises(LabError, match="broken: charon did not start") as error,
        Lab(customers=(plan,)),
    ):
        pass
    assert "strongswan.conf" in str(error.value)


def _commands(words: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_text(errors="replace")
        except OSError:  # it ended meanwhile
            continue
        if words in text:
            found.append(text)
    return found
