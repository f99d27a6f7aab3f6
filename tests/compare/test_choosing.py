"""Which connection of a file is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import an_endpoint
from tests.compare.texts import COMPATIBLE, MODERN, NAMED, SAMPLES, answer, found, line_of, refusal
from tunnels.compare.reading import Severity
from tunnels.domain.spec import TunnelSpec

TEXT = SAMPLES["swanctl.conf"].text
ELSEWHERE = replace(COMPATIBLE, local=an_endpoint("gateway-beijing", "203.0.113.99"))


def connection(
    name: str, address: str, *, remote_id: str = "%any", proposals: str = "default"
) -> str:
    """A connection of swanctl.conf."""
    return (
        f"{name} {{\n remote_addrs = {address}\n proposals = {proposals}\n"
        f" local {{\n auth = psk\n }}\n remote {{\n auth = psk\n id = {remote_id}\n }}\n}}\n"
    )


def file(*connections: str) -> str:
    """A swanctl.conf of these."""
    return "connections {\n" + "".join(connections) + "}\n"


def chosen(text: str, spec: TunnelSpec = NAMED) -> str:
    """The name of the connection that was taken."""
    return answer(text, spec).connection


def test_it_lists_the_peers_when_none_is_the_gateway() -> None:
    sentence = refusal(TEXT, ELSEWHERE)
    assert sentence.startswith(
        "No connection in this text leads to the VPN gateway, 203.0.113.99. It has: "
    )
    assert f"%any (line {line_of(TEXT, 'connections {') + 1}), " in sentence
    assert f"192.0.2.77 (line {line_of(TEXT, 'branch-dalian :')})" in sentence
    assert "includes other files" in sentence


@pytest.mark.parametrize("name", ["ipsec.conf", "ios-ikev1.txt", "ios-ikev2.txt", "fortios.txt"])
def test_it_lists_the_peers_of_every_kind(name: str) -> None:
    sample = SAMPLES[name]
    sentence = refusal(sample.text, replace(sample.spec, local=ELSEWHERE.local))
    assert "203.0.113.10 (line" in sentence
    assert "198.51.100.2" not in sentence


def test_it_lists_ten_peers_at_most() -> None:
    text = file(*(connection(f"c{number}", f"192.0.2.{number}") for number in range(1, 40)))
    assert refusal(text, NAMED).endswith("192.0.2.10 (line 101) and 29 more.")


@pytest.mark.parametrize(
    ("address", "remote_id", "fits"),
    [
        ("203.0.113.10", "other.example.net", True),
        ("203.0.113.0/24", "%any", True),
        ("192.0.2.1, 203.0.113.10", "%any", True),
        ("gateway.example.net", "%any", True),
        ("GATEWAY.Example.Net", "%any", True),
        ("vpn.somewhere.example", "gateway.example.net", True),
        ("%any", "gateway.example.net", True),
        ("0.0.0.0/0", "%any", False),
        ("%any", "%any", False),
        ("%any", "203.0.113.10", False),
        ("vpn.somewhere.example", "%any", False),
        ("192.0.2.1", "gateway.example.net", False),
    ],
)
def test_it_knows_the_gateway_by_address_name_or_identity(
    address: str, remote_id: str, fits: bool
) -> None:
    text = file(connection("other", "192.0.2.200"), connection("it", address, remote_id=remote_id))
    if fits:
        assert chosen(text) == "it"
    else:
        assert "No connection in this text" in refusal(text, NAMED)


def test_it_prefers_the_very_address() -> None:
    text = file(
        connection("any", "%any", remote_id="gateway.example.net"),
        connection("block", "203.0.113.0/24", remote_id="gateway.example.net"),
        connection("exact", "203.0.113.10"),
    )
    assert chosen(text) == "exact"


def test_it_takes_the_nearest_of_several_and_says_so() -> None:
    text = file(
        connection("old", "203.0.113.10", proposals="3des-md5-modp1024"),
        connection("new", "203.0.113.10"),
        connection("worst", "203.0.113.10", remote_id="x.example", proposals="3des-md5-modp1024"),
    )
    said = answer(text, NAMED)
    assert said.connection == "new"
    assert said.notes[0].startswith("3 connections of the file lead to the VPN gateway.")
    assert f"it begins on line {line_of(text, 'new {')}" in said.notes[0]


def test_it_passes_over_one_that_cannot_be_read() -> None:
    broken = connection("broken", "203.0.113.10").replace(
        "remote_addrs", "version = 9\n remote_addrs"
    )
    assert chosen(file(broken, connection("good", "203.0.113.10"))) == "good"
    assert refusal(file(broken), NAMED) == "Line 3 cannot be read: version is 0, 1 or 2."


def test_it_says_what_it_did_not_check() -> None:
    text = file(connection("it", "vpn.somewhere.example", remote_id="gateway.example.net"))
    [address] = [one for one in found(text, NAMED) if one.name == "Address of the VPN gateway"]
    assert (address.severity, address.theirs) == (Severity.UNKNOWN, "vpn.somewhere.example")


def test_it_recognises_the_kind_by_itself() -> None:
    for sample in SAMPLES.values():
        assert answer(sample.text, sample.spec).grammar.id == sample.grammar
        assert answer(sample.text, sample.spec, grammar=sample.grammar) == answer(
            sample.text, sample.spec
        )


def test_it_says_what_a_text_looks_like_when_another_kind_was_chosen() -> None:
    text = SAMPLES["fortios.txt"].text
    sentence = refusal(text, MODERN, grammar="swanctl")
    assert sentence.startswith("Line ")
    assert sentence.endswith("The text looks like FortiOS show or show full-configuration.")


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("\n\nhello\nworld\n", "This looks like none of the kinds that are compared"),
        ("<html></html>", "This looks like none of the kinds that are compared"),
        ("   \n\t\n", "Paste the configuration of the device first."),
        ("", "Paste the configuration of the device first."),
    ],
)
def test_it_says_when_it_is_nothing_that_it_knows(text: str, begin: str) -> None:
    assert refusal(text).startswith(begin)


def test_it_names_the_first_line_of_what_it_does_not_know() -> None:
    assert "line 3 is nothing" in refusal("\n\nhello\nworld\n")


def test_it_refuses_a_kind_that_is_not_offered() -> None:
    assert refusal(TEXT, grammar="toaster").startswith("Choose one of: strongSwan swanctl.conf; ")
