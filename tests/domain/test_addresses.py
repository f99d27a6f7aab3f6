from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnels.domain.addresses import (
    contains,
    host_network,
    is_default_route,
    overlap,
    parse_address,
    parse_gateway_address,
    parse_network,
    within,
)
from tunnels.domain.findings import RuleError


def rule_of(caught: pytest.ExceptionInfo[RuleError]) -> str:
    [finding] = caught.value.findings
    return finding.rule


@pytest.mark.parametrize(
    "text",
    ["10.0.0.0/24", "0.0.0.0/0", "::/0", "2001:db8::/48", "203.0.113.7/32", "169.254.128.0/17"],
)
def test_it_reads_a_block(text: str) -> None:
    assert str(parse_network(f"  {text}\n")) == text


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ("10.0.0.1/24", "cidr-host-bits", "10.0.0.1/24 has host bits set; did you mean 10.0.0.0/24?"),
        (
            "2001:db8::1/64",
            "cidr-host-bits",
            "2001:db8::1/64 has host bits set; did you mean 2001:db8::/64?",
        ),
        (
            "10.0.0.1",
            "cidr-prefix-missing",
            "10.0.0.1 has no prefix length; write 10.0.0.1/32 for one host.",
        ),
        ("::5", "cidr-prefix-missing", "::5 has no prefix length; write ::5/128 for one host."),
        (
            "10.0.0/24",
            "cidr-malformed",
            "“10.0.0/24” is not a CIDR block; write it like 10.0.0.0/24 or 2001:db8::/48.",
        ),
        (
            "fe80::%eth0/64",
            "cidr-malformed",
            "“fe80::%eth0/64” names an interface zone; write the block without it.",
        ),
        (
            "127.0.0.0/8",
            "cidr-unusable",
            "127.0.0.0/8 is loopback, multicast, unspecified or broadcast space; use a unicast range.",
        ),
    ],
)  # fmt: skip
def test_it_says_what_is_wrong_with_a_block(text: str, rule: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_network(text)
    [finding] = caught.value.findings
    assert (finding.rule, finding.message) == (rule, message)


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0/8", "0.0.0.0/32", "127.0.0.1/32", "224.0.0.0/4", "239.1.2.0/24", "255.255.255.255/32",
        "::/128", "::1/128", "ff00::/8", "ff02::1/128",
    ],
)  # fmt: skip
def test_it_refuses_blocks_that_never_carry_traffic(text: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_network(text)
    assert rule_of(caught) == "cidr-unusable"


@pytest.mark.parametrize(
    "text", ["10.0.0.0/33", "::/129", "10.0.0.0/-1", "/", "a/b", "1/2/3", "/24"]
)
def test_it_refuses_nonsense(text: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_network(text)
    assert rule_of(caught) == "cidr-malformed"


@given(st.one_of(st.text(), st.text("0123456789abcdef.:/% ", max_size=40)))
def test_it_answers_any_text_with_a_block_or_a_short_sentence(text: str) -> None:
    refusal = ""
    try:
        network = parse_network(text)
    except RuleError as error:
        refusal = str(error)
    else:
        assert parse_network(str(network)) == network
    assert len(refusal) < 200


@pytest.mark.parametrize("text", [f"10.0.0.1/{'0' * 4_000}24", "%" * 10_000 + "/8", "x" * 10_000])
def test_it_does_not_repeat_a_flood(text: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_network(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["10.0.0", "10.0.0.0/24", "fe80::1%eth0", "1.2.3.4.5", "host"])
def test_it_refuses_what_is_no_address(text: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_address(text)
    assert rule_of(caught) == "address-malformed"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.0.0.0", "unspecified"),  # noqa: S104 - nothing is bound here
        ("::", "unspecified"),
        ("0.1.2.3", "in the unusable range 0.0.0.0/8"),
        ("127.0.0.1", "a loopback address"),
        ("::1", "a loopback address"),
        ("169.254.1.1", "a link-local address"),
        ("fe80::1", "a link-local address"),
        ("224.0.0.1", "a multicast address"),
        ("239.255.255.255", "a multicast address"),
        ("ff02::1", "a multicast address"),
        ("240.0.0.1", "a reserved or broadcast address"),
        ("255.255.255.255", "a reserved or broadcast address"),
        ("::ffff:203.0.113.5", "an IPv4 address written as IPv6"),
        ("20.0.0.0", "a network address"),
        ("20.255.255.255", "a broadcast address"),
        ("150.1.0.0", "a network address"),
        ("150.1.255.255", "a broadcast address"),
        ("203.0.113.0", "a network address"),
        ("203.0.113.255", "a broadcast address"),
    ],
)
def test_it_refuses_a_gateway_on_an_unusable_address(text: str, reason: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_gateway_address(text)
    [finding] = caught.value.findings
    assert finding.rule == "gateway-address-unusable"
    shown = ipaddress.ip_address(text)
    assert finding.message == f"{shown} is {reason}; use the gateway's static unicast address."


@pytest.mark.parametrize(
    "text",
    [
        "203.0.113.10",
        "20.0.0.255",
        "126.1.0.0",
        "191.1.1.0",
        "150.1.1.0",
        "150.1.0.255",
        "10.1.2.3",
        "2001:db8::10",
    ],
)
def test_it_accepts_a_gateway_on_a_usable_address(text: str) -> None:
    assert str(parse_gateway_address(text)) == text


def test_it_never_relates_blocks_of_two_families() -> None:
    four, six = parse_network("0.0.0.0/0"), parse_network("::/0")
    assert not within(four, six)
    assert not within(six, four)
    assert not overlap(four, six)
    assert not contains([four], parse_network("2001:db8::/48"))


def test_it_knows_blocks_inside_blocks() -> None:
    outer, inner = parse_network("10.0.0.0/8"), parse_network("10.1.0.0/16")
    assert within(inner, outer)
    assert within(outer, outer)
    assert not within(outer, inner)
    assert overlap(outer, inner)
    assert overlap(inner, outer)
    assert not overlap(inner, parse_network("10.2.0.0/16"))
    assert contains([parse_network("172.16.0.0/12"), outer], inner)
    # Two blocks that hold it only together do not count: a range belongs to one block.
    halves = [parse_network("10.1.0.0/17"), parse_network("10.1.128.0/17")]
    assert not contains(halves, inner)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.0.0.0/0", True), ("::/0", True), ("0.0.0.0/1", False), ("8000::/1", False)],
)
def test_it_knows_the_default_route(text: str, expected: bool) -> None:
    assert is_default_route(parse_network(text)) is expected


def test_it_makes_a_block_of_one_host() -> None:
    assert str(host_network(parse_address("10.0.0.1"))) == "10.0.0.1/32"
    assert str(host_network(parse_address("2001:db8::1"))) == "2001:db8::1/128"


@pytest.mark.parametrize("parse", [parse_network, parse_address, parse_gateway_address])
def test_it_asks_for_what_is_missing(parse: Callable[[str], object]) -> None:
    with pytest.raises(RuleError, match=r"^Enter an? (IP address|range), such as"):
        parse(" ")
