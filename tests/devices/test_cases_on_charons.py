"""The tunnels of the golden files, brought up by strongSwan from the downloaded bytes, with pings through all pairs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import pytest

from tests.devices import live
from tests.devices.cases import CASES, HOSTILE_PSK, render_case
from tests.devices.live import OurEnd, case_lab, inside, pairs_of, wait
from tests.proofs import Proves
from tests.vendors.needed import missing
from tunnels.devices.proofs import Kind
from tunnels.devices.viewpoint import customer_viewpoint
from tunnels.domain.proposals import IkeVersion
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec
from tunnels.lab import LabError, LabUnavailable, Side
from tunnels.lab.customers import CUSTOMERS, Customer
from tunnels.lab.listing import read_list
from tunnels.lab.negotiation import expected_esp, expected_ike

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]

# What one grammar or another reads as the end of a string, a comment, or the mark of an encoding.
KEYS = (
    HOSTILE_PSK, "0x41424344", "0sQUJDREVG", '"Quoted-Key"', "#Comment-Key", "Ends-with-a-backslash\\",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Both ends of the lab; `side` is the customer's."""

    ours: OurEnd
    side: Side
    customer: Customer

    @contextmanager
    def up(self, spec: TunnelSpec) -> Iterator[None]:
        """The tunnel is up meanwhile: both ends have every pair. Raises LabError when it does not come up."""
        files = render_case(self.customer.platform, spec).files
        with self.ours.holding(spec):
            self.customer.install(files)
            try:
                if not customer_viewpoint(spec).starts:
                    self.ours.initiate(spec)
                for side in (self.ours.side, self.side):
                    wait(f"{side.name}: every pair", partial(_has_all, side, spec))
                yield
            finally:
                self.customer.uninstall(files)
                for sa in read_list(self.side.swanctl("--list-sas")):
                    self.side.swanctl("--terminate", "--ike", sa.name, "--force", check=False)


def _has_all(side: Side, spec: TunnelSpec) -> bool:
    return len(pairs_of(side)) >= len(spec.mappings)


@pytest.fixture(scope="module", params=CUSTOMERS)
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """Our charon, and a customer of each kind."""
    kind = CUSTOMERS[request.param]
    try:
        with case_lab(settings=kind.settings) as lab, OurEnd.open(lab.gateway) as ours:
            customer = kind(lab.branch)
            customer.start()
            yield Ends(ours=ours, side=lab.branch, customer=customer)
    except LabUnavailable as reason:
        missing(str(reason))


@pytest.mark.parametrize("case", CASES)
def test_it_comes_up_and_carries_packets(ends: Ends, case: str, proves: Proves) -> None:
    spec = CASES[case]
    proves(ends.customer.platform.id, Kind.NEGOTIATED, by=ends.ours.daemon)
    with ends.up(spec):
        ours = sorted((str(mapping.local), str(mapping.remote)) for mapping in spec.mappings)
        theirs = sorted((remote, local) for local, remote in ours)
        assert pairs_of(ends.ours.side) == ours
        assert pairs_of(ends.side) == theirs
        for side in (ends.ours.side, ends.side):
            [sa] = read_list(side.swanctl("--list-sas"))
            assert sa.chosen == expected_ike(spec.ike)
            assert sorted(child.chosen for child in sa.children) == sorted(_expected_esp(spec))
        for mapping in spec.mappings:
            here, there = str(inside(mapping.local)), str(inside(mapping.remote))
            assert ends.ours.side.ping(here, there, 1).passes
            assert ends.side.ping(there, here, 1).passes


def _expected_esp(spec: TunnelSpec) -> list[str]:
    """One for each pair. IKEv2 makes the first with the keys of the IKE_SA, and only the others with PFS."""
    first = expected_esp(spec.ipsec, pfs_shows=spec.ike.version is IkeVersion.V1)
    return [first] + [expected_esp(spec.ipsec, pfs_shows=True)] * (len(spec.mappings) - 1)


@pytest.mark.parametrize("key", KEYS)
def test_it_brings_any_key_to_the_other_side(ends: Ends, key: str) -> None:
    with ends.up(replace(CASES["ikev1-aggressive-fqdn"], psk=Secret(key))):
        assert ends.ours.established()


def test_a_customer_with_another_key_is_noticed(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = CASES["common-ikev2"]
    other = render_case(
        ends.customer.platform, replace(spec, psk=Secret("Another-Key_73519"))
    ).files
    monkeypatch.setattr(live, "PATIENCE_SECONDS", 1.0)
    with ends.ours.holding(spec):
        ends.customer.install(other)
        try:
            ends.ours.initiate(spec)
            with pytest.raises(LabError, match="the customer did not come"):
                wait("the customer", ends.ours.established)
        finally:
            ends.customer.uninstall(other)
