"""A sample of the matrix on real charons, and that the matrix notices what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tunnels.lab import matrix
from tunnels.lab.combinations import PLAIN_IKE, PLAIN_IPSEC, Combination, sample
from tunnels.lab.negotiation import customer_file

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]


@pytest.fixture(scope="module")
def prover(needs_lab: None) -> Iterator[matrix.Prover]:
    """Two charons on which one combination after the other is proven."""
    with matrix.prover() as ready:
        yield ready


@pytest.mark.parametrize("combination", sample(), ids=str)
def test_a_combination_is_negotiated_and_carries_packets(
    prover: matrix.Prover, combination: Combination
) -> None:
    assert prover.prove(combination) == []


def test_a_customer_who_wants_something_else_is_noticed(
    prover: matrix.Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(PLAIN_IKE, dh_group="dh20")
    monkeypatch.setattr(matrix, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(
        matrix, "customer_file", lambda spec: customer_file(replace(spec, ike=other))
    )
    problems = prover.prove(Combination(part="IKE", ike=PLAIN_IKE, ipsec=PLAIN_IPSEC))
    assert problems[0] == "gateway: a CHILD_SA did not come in 1 s."
    assert any("NO_PROP" in line for line in problems[1:])


def test_an_algorithm_that_was_not_asked_for_is_noticed(
    prover: matrix.Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix, "expected_ike", lambda _: "AES_CBC-256")
    monkeypatch.setattr(matrix, "expected_esp", lambda _, pfs_shows: f"PFS {pfs_shows}")
    problems = prover.prove(Combination(part="IKE", ike=PLAIN_IKE, ipsec=PLAIN_IPSEC))
    ike = "IKE is AES_CBC-256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256, wanted AES_CBC-256"
    esp = "ESP is AES_CBC-128/HMAC_SHA2_256_128, wanted PFS"
    assert problems == [
        f"gateway: {ike}",
        f"gateway: {esp} False",
        f"branch: {ike}",
        f"branch: {esp} False",
        f"gateway: rekeyed {esp} True",
        f"branch: rekeyed {esp} True",
    ]
