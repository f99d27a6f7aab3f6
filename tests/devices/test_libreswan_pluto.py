"""Libreswan's daemon and our gateway, from the downloaded bytes: as far as the kernel lets pluto go (docs/lab.md).

Without ESP in the kernel no packet passes. That both sides prove who they are, and agree on algorithms and ranges, is
seen.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.devices.cases import CASES, render_case
from tests.devices.goldens import carried
from tests.devices.live import OurEnd, case_lab, pairs_of, wait
from tests.proofs import Proves
from tests.vendors.libreswan import Libreswan
from tests.vendors.needed import missing
from tests.vendors.pluto import Pluto
from tests.vendors.tunnels import rendered_somehow
from tunnels.devices.proofs import Kind
from tunnels.devices.registry import PLATFORMS
from tunnels.devices.viewpoint import customer_viewpoint
from tunnels.domain.proposals import IkeVersion
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec
from tunnels.lab import Lab, LabError, LabUnavailable
from tunnels.lab.combinations import Combination, everything, sample
from tunnels.lab.negotiation import expected_esp, expected_ike

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]

PLATFORM = PLATFORMS["libreswan"]
BEGUN_BY_US = [case for case in carried(PLATFORM) if not customer_viewpoint(CASES[case]).starts]

# charon and pluto write the same algorithms with other signs between their parts, and a few under other names.
_NAMES = {"AES_GCM_C": "AES_GCM_16", "3DES-": "3DES_CBC-", "-DISABLED": "", "/NO_EXT_SEQ": ""}
_INBOUND = re.compile(r"^    in +([0-9a-f]+),", re.MULTILINE)
_CHOSEN_BY_CHARON = re.compile(r"selected proposal: (IKE|ESP):(\S+)")
_CHOSEN_BY_PLUTO = re.compile(r"proposal \d+:(IKE|ESP)=(\S+) (?:SPI=\S+ )?chosen from")


def plain(algorithms: str) -> str:
    """The algorithms of a proposal without the signs between them."""
    for name, ours in _NAMES.items():
        algorithms = algorithms.replace(name, ours)
    return re.sub("[_/-]", "", algorithms)


class Bench:
    """The lab, our charon in it, and what its log has said since the bench was set."""

    def __init__(self, lab: Lab, ours: OurEnd, libreswan: Libreswan) -> None:
        self.lab, self.ours, self.libreswan = lab, ours, libreswan
        self._start = lab.gateway.log_path.stat().st_size

    def pluto(self, spec: TunnelSpec) -> Pluto:
        """pluto at the customer's end, with the files of this tunnel."""
        self._start = self.lab.gateway.log_path.stat().st_size
        files = {file.filename: file.text for file in render_case(PLATFORM, spec).files}
        return Pluto(self.lab.branch, self.libreswan, files)

    def chosen(self, kind: str) -> set[str]:
        """What our charon has selected of what pluto proposed."""
        with self.lab.gateway.log_path.open("rb") as log:
            log.seek(self._start)
            said = log.read().decode(errors="replace")
        return {plain(chosen) for what, chosen in _CHOSEN_BY_CHARON.findall(said) if what == kind}


@pytest.fixture(scope="module")
def bench(libreswan: Libreswan) -> Iterator[Bench]:
    """A lab with the addresses of the cases, and no daemon yet at the customer's end."""
    try:
        with case_lab() as lab, OurEnd.open(lab.gateway) as ours:
            yield Bench(lab, ours, libreswan)
    except LabUnavailable as reason:
        missing(str(reason))


def peer(spec: TunnelSpec) -> set[tuple[str, str]]:
    """How pluto names our gateway, once that has proven who it is."""
    identity = customer_viewpoint(spec).gateway.identity
    if not identity.is_address:
        return {("ID_FQDN", f"@{identity.text}")}
    return {("ID_IPV6_ADDR" if ":" in identity.text else "ID_IPV4_ADDR", identity.text)}


def check_agreement(bench: Bench, spec: TunnelSpec) -> None:
    """Fail unless both sides prove who they are and agree on every pair, with these algorithms; the device begins."""
    with bench.ours.holding(spec), bench.pluto(spec) as pluto:
        for pair in customer_viewpoint(spec).pairs:
            pluto.negotiate(pair.name)
        assert pluto.peers() == peer(spec)
        assert bench.ours.established()
        assert bench.chosen("IKE") == {plain(expected_ike(spec.ike))}
        first = spec.ike.version is IkeVersion.V1
        assert bench.chosen("ESP") == {plain(expected_esp(spec.ipsec, pfs_shows=first))}
        if not first:
            # With IKEv1 charon waits for pluto's last message, which does not come.
            ours = {(str(mapping.local), str(mapping.remote)) for mapping in spec.mappings}
            assert set(pairs_of(bench.lab.gateway)) == ours
            # What pluto hands to its kernel is what our charon has.
            given = {
                int(spi, 16) for spi in _INBOUND.findall(bench.lab.gateway.swanctl("--list-sas"))
            }
            for spis in pluto.children().values():
                assert given & {int(spi, 16) for spi in spis}


@pytest.mark.parametrize("case", carried(PLATFORM))
def test_both_agree_on_a_case(bench: Bench, case: str, proves: Proves) -> None:
    proves(PLATFORM.id, Kind.AGREED, by=bench.libreswan.name)
    check_agreement(bench, CASES[case])


def carried_combinations() -> list[Combination]:
    """Those of the matrix that Libreswan does not refuse; all of them for `make devices`, otherwise a sample."""
    asked = everything() if os.environ.get("DEVICE_MATRIX") == "all" else sample()
    version = PLATFORM.versions[0]
    return [
        each
        for each in asked
        if any(rendered_somehow(PLATFORM, with_algorithms(each), version=version))
    ]


def with_algorithms(combination: Combination) -> TunnelSpec:
    """A tunnel with one pair and these algorithms."""
    return replace(CASES["common-ipv6"], ike=combination.ike, ipsec=combination.ipsec)


@pytest.mark.parametrize("combination", carried_combinations(), ids=lambda one: f"{one.part} {one}")
def test_both_agree_on_a_combination(
    bench: Bench, combination: Combination, proves: Proves
) -> None:
    proves(PLATFORM.id, Kind.AGREED, by=bench.libreswan.name)
    check_agreement(bench, with_algorithms(combination))


@pytest.mark.parametrize("case", BEGUN_BY_US)
def test_both_agree_when_we_begin(bench: Bench, case: str, proves: Proves) -> None:
    proves(PLATFORM.id, Kind.AGREED, by=bench.libreswan.name)
    spec = CASES[case]
    with bench.ours.holding(spec), bench.pluto(spec) as pluto:
        bench.ours.initiate(spec)
        wait("pluto's answer", lambda: bool(pluto.children()))
        assert pluto.peers() == peer(spec)
        if spec.ike.version is IkeVersion.V2:
            # pluto refuses the CHILD_SA and keeps the IKE_SA: the next one is made in an exchange of its own, with PFS.
            bench.ours.initiate(spec)
            names = {pair.name for pair in customer_viewpoint(spec).pairs}
            wait("every pair", lambda: pluto.children().keys() == names)
            wanted = {plain(expected_esp(spec.ipsec, pfs_shows=pfs)) for pfs in (False, True)}
            wait("PFS", lambda: chosen_by(pluto) == wanted)


def chosen_by(pluto: Pluto) -> set[str]:
    """The ESP algorithms that pluto has chosen of what we proposed."""
    found = _CHOSEN_BY_PLUTO.findall(pluto.log)
    return {plain(chosen) for what, chosen in found if what == "ESP"}


@pytest.mark.parametrize(
    "key",
    [
        "0x41424344",
        "0sQUJDREVG",
        '"Quoted-Key"',
        "'Quoted'Key'",
        "#Comment-Key",
        "Ends-with-a-backslash\\",
    ],
)
def test_it_brings_any_key_to_the_other_side(bench: Bench, key: str) -> None:
    spec = replace(CASES["common-ikev2"], psk=Secret(key))
    with bench.ours.holding(spec), bench.pluto(spec) as pluto:
        pluto.negotiate(f"{spec.id}-1")
        assert bench.ours.established()


def test_another_key_is_noticed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = CASES["common-ikev2"]
    monkeypatch.setattr("tests.vendors.pluto.PATIENCE_SECONDS", 2.0)
    other = replace(spec, psk=Secret("Another-Key_73519"))
    with bench.ours.holding(spec), bench.pluto(other) as pluto:
        with pytest.raises(LabError, match="did not come in 2 s"):
            pluto.negotiate(f"{spec.id}-1")
        assert pluto.peers() == set()
        assert not bench.ours.established()


def test_other_ranges_are_noticed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = CASES["common-ikev2"]
    monkeypatch.setattr("tests.vendors.pluto.PATIENCE_SECONDS", 2.0)
    other = replace(spec, rules=CASES["common-health-check"].rules)
    with bench.ours.holding(spec), bench.pluto(other) as pluto:
        with pytest.raises(LabError, match="did not come in 2 s"):
            pluto.negotiate(f"{spec.id}-1")
        assert pluto.peers() == peer(spec)
        assert pluto.children() == {}
