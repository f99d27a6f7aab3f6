from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnels.domain.addresses import overlap
from tunnels.domain.blocks import parse_blocks
from tunnels.domain.findings import RuleError


def messages(*texts: str) -> list[str]:
    with pytest.raises(RuleError) as refused:
        parse_blocks(texts)
    return [finding.message for finding in refused.value.findings]


def test_it_keeps_the_order_and_skips_empty_lines() -> None:
    assert parse_blocks(["2001:db8::/48", "", " 10.1.0.0/16 "]) == (
        ip_network("2001:db8::/48"),
        ip_network("10.1.0.0/16"),
    )


def test_it_names_both_blocks_of_an_overlap() -> None:
    assert messages("10.0.5.0/24", "192.168.0.0/16", "10.0.0.0/16") == [
        "10.0.5.0/24 is part of 10.0.0.0/16; remove one."
    ]
    assert messages("10.0.0.0/16", "10.0.0.0/16") == ["10.0.0.0/16 is there twice; remove one."]


def test_it_refuses_everything_as_a_block() -> None:
    assert messages("::/0") == [
        "::/0 stands for every address; write the blocks that the VPC really has."
    ]


networks = st.tuples(st.integers(0, 15), st.integers(24, 28)).map(
    lambda pair: str(ip_network(f"10.0.0.{pair[0] * 16}/{pair[1]}", strict=False))
)


@given(st.lists(networks, min_size=1, max_size=6))
def test_it_refuses_exactly_the_lists_with_an_overlap(texts: list[str]) -> None:
    blocks = [ip_network(text) for text in texts]
    clash = any(overlap(one, other) for i, one in enumerate(blocks) for other in blocks[i + 1 :])
    if clash:
        assert messages(*texts)
    else:
        assert parse_blocks(texts) == tuple(blocks)
