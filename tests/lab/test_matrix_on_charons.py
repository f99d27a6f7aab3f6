"""The matrix on real charons: a sample of it, all of it for `make devices`; and that it notices what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.proofs import Proves
from tests.vendors.needed import missing
from tunnels.devices.base import File, Platform
from tunnels.devices.proofs import Kind
from tunnels.domain.spec import TunnelSpec
from tunnels.lab import LabUnavailable, matrix
from tunnels.lab.combinations import PLAIN_IKE, PLAIN_IPSEC, Combination, everything, sample
from tunnels.lab.customers import CUSTOMERS
from tunnels.lab.negotiation import customer_files

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]

COMBINATIONS = everything() if os.environ.get("DEVICE_MATRIX") == "all" else sample()
PLAIN = Combination(part="IKE", ike=PLAIN_IKE, ipsec=PLAIN_IPSEC)


@pytest.fixture(scope="module", params=CUSTOMERS)
def prover(request: pytest.FixtureRequest) -> Iterator[matrix.Prover]:
    """A gateway, and a customer of one kind, on which one combination after the other is proven."""
    try:
        with matrix.prover(request.param) as ready:
            yield ready
    except LabUnavailable as reason:
        missing(str(reason))


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda one: f"{one.part} {one}")
def test_a_combination_is_negotiated_and_carries_packets(
    prover: matrix.Prover, combination: Combination, proves: Proves
) -> None:
    proves(prover.platform.id, Kind.NEGOTIATED, by=prover.daemon)
    assert prover.prove(combination) == []


def test_a_customer_who_wants_something_else_is_noticed(
    prover: matrix.Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files(spec: TunnelSpec, platform: Platform) -> tuple[File, ...]:
        return customer_files(replace(spec, ike=replace(PLAIN_IKE, dh_group="dh20")), platform)

    monkeypatch.setattr(matrix, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(matrix, "customer_files", files)
    problems = prover.prove(PLAIN)
    assert problems[0] == "gateway: a CHILD_SA did not come in 1 s."
    assert any("NO_PROP" in line for line in problems[1:])


def test_an_algorithm_that_was_not_asked_for_is_noticed(
    prover: matrix.Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix, "expected_ike", lambda _: "AES_CBC-256")
    monkeypatch.setattr(matrix, "expected_esp", lambda _, pfs_shows: f"PFS {pfs_shows}")
    problems = prover.prove(PLAIN)
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
