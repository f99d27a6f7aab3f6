"""The address blocks of a VPC: at least one, none within another."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from tunnels.domain.addresses import Network, is_default_route, overlap, parse_network
from tunnels.domain.findings import Finding, RuleError


def parse_blocks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The CIDR blocks of a VPC in the order given, empty texts left out.

    Raises RuleError with a finding for each text that is no usable block and for blocks that overlap; `row` is
    the position of the text.
    """
    findings: list[Finding] = []
    blocks: list[Network] = []
    for row, text in enumerate(texts):
        if not text.strip():
            continue
        try:
            block = parse_network(text)
        except RuleError as error:
            findings += [finding.at("cidrs", row) for finding in error.findings]
            continue
        if is_default_route(block):
            message = f"{block} stands for every address; write the blocks that the VPC really has."
            findings.append(
                Finding(rule="vpc-default-route", message=message, field="cidrs", row=row)
            )
        blocks.append(block)
    if not blocks and not findings:
        message = "Enter at least one CIDR block, one a line."
        findings.append(Finding(rule="vpc-no-block", message=message, field="cidrs"))
    findings += _overlaps(blocks)
    if findings:
        raise RuleError(findings)
    return tuple(blocks)


def _overlaps(blocks: list[Network]) -> list[Finding]:
    """Blocks nest or are disjoint, so in this order one that overlaps any other overlaps its predecessor."""
    ordered = sorted(
        blocks, key=lambda block: (block.version, int(block.network_address), block.prefixlen)
    )
    return [
        Finding(
            rule="vpc-blocks-overlap",
            message=f"{inner} {'is there twice' if inner == outer else f'is part of {outer}'}; remove one.",
            field="cidrs",
        )
        for outer, inner in pairwise(ordered)
        if overlap(outer, inner)
    ]
