"""The downloaded files in strongSwan's own hands: its parser, its proposals, its daemon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import a_tunnel_spec
from tests.charon import (
    Charon,
    complaints,
    needs_strongswan,
    private_folder,
    run_swanctl,
    running_charon,
)
from tests.devices.cases import CASES, HOSTILE_PSK, render_case
from tests.vici_recorder import ViciRecorder, recording
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.secret import Secret

pytestmark = [pytest.mark.charon, needs_strongswan]

SWANCTL = PLATFORMS["strongswan-swanctl"]
ID = "vpnx-7k2m9q4z"
LISTED_CHILD = re.compile(
    r"^  (\S+): TUNNEL.*\n +local: +(\S+)\n +remote: +(\S+)$", flags=re.MULTILINE
)


@pytest.fixture(scope="module")
def charon() -> Iterator[Charon]:
    """A charon at the customer's end of every case: it owns an address in each of the customer's ranges."""
    addresses = {str(spec.remote.address) for spec in CASES.values()}
    addresses |= {
        str(mapping.remote[0] if mapping.remote.num_addresses == 1 else mapping.remote[1])
        for spec in CASES.values()
        for mapping in spec.mappings
    }
    with running_charon(addresses=tuple(sorted(addresses))) as running:
        assert complaints(running.log) == []
        yield running


@pytest.fixture(scope="module")
def recorder() -> Iterator[tuple[Path, ViciRecorder]]:
    """A folder, and a stand-in for charon that listens there."""
    with private_folder() as folder, recording(folder) as listening:
        yield folder, listening


@pytest.mark.parametrize("redacted", [False, True], ids=["full", "redacted"])
@pytest.mark.parametrize("case", CASES)
def test_it_loads_without_a_complaint(charon: Charon, case: str, redacted: bool) -> None:
    spec = CASES[case]
    path = charon.folder / f"{case}.conf"
    path.write_text(render_case(SWANCTL, spec, redacted=redacted).text, encoding="utf-8")
    before = len(charon.log)

    loading = charon.swanctl("--load-all", "--file", str(path))
    assert complaints(loading.stdout) == []
    assert loading.returncode == 0
    lines = loading.stdout.splitlines()
    assert f"loaded ike secret 'ike-{ID}'" in lines
    assert f"loaded connection '{ID}'" in lines
    assert "successfully loaded 1 connections, 0 unloaded" in lines

    listing = charon.swanctl("--list-conns").stdout
    assert LISTED_CHILD.findall(listing) == [
        (f"{ID}-{number}", str(mapping.remote), str(mapping.local))
        for number, mapping in enumerate(spec.mappings, start=1)
    ]
    assert f"{ID}: IKEv{int(spec.ike.version)}" in listing
    assert f"local:  {spec.remote.address}" in listing
    assert f"remote: {spec.local.address}" in listing
    assert re.findall(r"^    id: (\S+)$", listing, flags=re.MULTILINE) == [
        spec.remote.identity,
        spec.local.identity,
    ]
    assert complaints(charon.log[before:]) == []


def test_it_hears_charon_complain(charon: Charon) -> None:
    """A planted mistake is caught: the check above is none if it cannot fail."""
    good = render_case(SWANCTL, a_tunnel_spec()).text
    path = charon.folder / "planted.conf"
    for planted in (
        good.replace("aes256gcm16-prfsha384-ecp256", "aes256gcm16-ecp256"),
        good.replace("remote_ts = 10.0.0.0/24", "remote_ts = 10.0.0.999/24"),
        good.replace("dpd_action = clear", "dpd_action = sleep"),
        good.replace("mobike = no", "moblike = no"),
    ):
        assert planted != good
        path.write_text(planted, encoding="utf-8")
        loading = charon.swanctl("--load-all", "--file", str(path))
        assert loading.returncode != 0
        assert complaints(loading.stdout)


@pytest.mark.parametrize("case", CASES)
def test_it_brings_the_key_of_every_case_through_swanctl(
    recorder: tuple[Path, ViciRecorder], case: str
) -> None:
    spec = CASES[case]
    shared = load_secret(recorder, render_case(SWANCTL, spec).text)
    assert shared["data"] == spec.psk.reveal().encode()
    assert shared["type"] == b"ike"
    owners = [spec.remote.identity, spec.local.identity]
    expected = [owner if owner[-1].isdigit() else f"fqdn:{owner}" for owner in owners]
    assert shared["owners"] == [owner.encode() for owner in expected]


@settings(max_examples=60)
@given(
    key=st.builds(
        str.__add__,
        st.sampled_from(["", "0x", "0s", "0X", "0S", '"', "\\"]),
        st.text("".join(map(chr, range(0x21, 0x7F))), min_size=8, max_size=126),
    )
)
def test_it_brings_any_key_through_swanctl(recorder: tuple[Path, ViciRecorder], key: str) -> None:
    text = render_case(SWANCTL, a_tunnel_spec(psk=Secret(key))).text
    assert load_secret(recorder, text)["data"] == key.encode()


def test_it_would_lose_a_key_that_is_written_as_it_is(
    recorder: tuple[Path, ViciRecorder],
) -> None:
    """Why the writer takes care: swanctl decodes these, even between quotes."""
    text = render_case(SWANCTL, a_tunnel_spec(psk=Secret("placeholder"))).text
    naive = load_secret(recorder, text.replace("placeholder", "0xAB12CD34"))
    assert naive["data"] == bytes.fromhex("AB12CD34")
    careful = render_case(SWANCTL, a_tunnel_spec(psk=Secret("0xAB12CD34"))).text
    assert load_secret(recorder, careful)["data"] == b"0xAB12CD34"


def test_it_says_the_connection_that_swanctl_understands(
    recorder: tuple[Path, ViciRecorder],
) -> None:
    folder, listening = recorder
    path = folder / "connection.conf"
    path.write_text(
        render_case(SWANCTL, a_tunnel_spec(psk=Secret(HOSTILE_PSK))).text, encoding="utf-8"
    )
    listening.requests.clear()
    run_swanctl("--load-all", "--file", str(path), uri=listening.uri, folder=folder)
    [loaded] = listening.messages("load-conn")
    connection = loaded[ID]
    assert isinstance(connection, dict)
    assert connection["local_addrs"] == [b"198.51.100.2"]
    assert connection["remote_addrs"] == [b"203.0.113.10"]
    children = connection["children"]
    assert isinstance(children, dict)
    assert list(children) == [f"{ID}-1", f"{ID}-2", f"{ID}-3"]
    last = children[f"{ID}-3"]
    assert isinstance(last, dict)
    assert last["local_ts"] == [b"192.168.2.0/24"]
    assert last["remote_ts"] == [b"10.0.1.0/26"]
    assert last["rekey_bytes"] == b"1698693120"


def load_secret(recorder: tuple[Path, ViciRecorder], text: str) -> dict[str, object]:
    """What the real swanctl asks charon to keep when it reads this file."""
    folder, listening = recorder
    path = folder / "secret.conf"
    path.write_text(text, encoding="utf-8")
    listening.requests.clear()
    loading = run_swanctl("--load-creds", "--file", str(path), uri=listening.uri, folder=folder)
    assert complaints(loading.stdout) == []
    [shared] = listening.messages("load-shared")
    return dict(shared)
