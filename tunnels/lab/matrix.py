"""`make lab-matrix`: every combination of algorithms negotiated by two real charons, and a ping through each.

Our side is loaded from the agent's own messages, the customer's from the bytes that the customer downloads, in each of
the formats that strongSwan reads.
What both charons then list is compared with what was asked for. A forced rekey of the CHILD_SA proves PFS: IKEv2
makes its first CHILD_SA within IKE_AUTH, without a Diffie-Hellman exchange of its own (RFC 7296 §1.2).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial

from tunnels.agent.charon import CharonRefused, IkeSa
from tunnels.agent.render import child_name, connection_message, secret_messages
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.contract import TunnelDocument
from tunnels.devices.base import Platform
from tunnels.domain.addresses import parse_address, parse_network
from tunnels.domain.proposals import IkeVersion
from tunnels.domain.secret import generate_psk
from tunnels.domain.spd import Rule
from tunnels.domain.spec import Endpoint, TunnelSpec
from tunnels.domain.status import Intent
from tunnels.lab.combinations import Combination, everything, sample
from tunnels.lab.customers import CUSTOMERS, Customer
from tunnels.lab.lab import Lab
from tunnels.lab.listing import read_list
from tunnels.lab.negotiation import customer_files, document_of, expected_esp, expected_ike
from tunnels.lab.requirements import LabError, LabUnavailable
from tunnels.lab.side import BRANCH, GATEWAY, Side

# In aggressive mode charon sends its first QUICK_MODE right behind the message that ends phase 1. Its peer's
# threads may take them in the other order; the QUICK_MODE is then ignored until it is sent again, by default 4 s later.
HASTE = ("retransmit_timeout = 0.5",)
POLL_SECONDS = 0.005
# Long enough for two charons that compute an 8192-bit group on a busy machine.
PATIENCE_SECONDS = 30.0
GONE_SECONDS = 30.0
LOG_LINES = 6
REVEALING = (
    "no acceptable",
    "NO_PROP",
    "proposals:",
    "proposal:",
    "failed",
    "unable",
    "invalid",
    "error",
)


class Prover:
    """A gateway and a customer in a lab, ready to negotiate one combination after the other."""

    def __init__(self, lab: Lab, customer: Customer) -> None:
        self._lab = lab
        self._customer = customer
        self._sides = (lab.gateway, lab.branch)
        self._charons = {side: ViciCharon(f"unix://{side.vici_socket}") for side in self._sides}
        self._count = 0

    @property
    def platform(self) -> Platform:
        """What the customer has."""
        return self._customer.platform

    @property
    def daemon(self) -> str:
        """Who negotiates for the customer, with its version."""
        return f"strongSwan {self._charons[self._lab.branch].version().charon_version}"

    def close(self) -> None:
        """Hang up on both charons."""
        for charon in self._charons.values():
            charon.close()

    def prove(self, combination: Combination) -> list[str]:
        """What is wrong with this combination: nothing, when it is negotiated as asked and carries packets."""
        self._count += 1
        spec = _spec(self._lab, combination, self._count)
        tunnel = document_of(spec)
        start = self._lab.gateway.log_path.stat().st_size
        files = customer_files(spec, self._customer.platform)
        try:
            self._customer.install(files)
            self._load(tunnel)
            return [*self._first(combination), *self._again(combination, tunnel)]
        except (LabError, CharonRefused) as error:
            return [str(error), *self._evidence(start)]
        finally:
            self._unload(tunnel)
            self._customer.uninstall(files)

    def _load(self, tunnel: TunnelDocument) -> None:
        ours = self._charons[self._lab.gateway]
        for secret in secret_messages(tunnel):
            ours.load_shared(secret)
        ours.load_connection(connection_message(tunnel))
        ours.initiate(ike=tunnel.id, child=_child(tunnel))

    def _unload(self, tunnel: TunnelDocument) -> None:
        ours = self._charons[self._lab.gateway]
        ours.unload_connection(tunnel.id)
        for side in self._sides:
            # charon calls it a failure when the SA ends by itself meanwhile; what counts is that it is gone.
            with suppress(CharonRefused):
                self._charons[side].terminate(ike=tunnel.id)
            self._wait(side, "the end of the tunnel", lambda sas: not sas, GONE_SECONDS)
        for secret in ours.shared():
            ours.unload_shared(secret)

    def _wait(
        self, side: Side, what: str, found: Callable[[tuple[IkeSa, ...]], bool], seconds: float
    ) -> None:
        deadline = time.monotonic() + seconds
        while not found(self._charons[side].sas()):
            if time.monotonic() > deadline:
                raise LabError(f"{side.name}: {what} did not come in {seconds:g} s.")
            time.sleep(POLL_SECONDS)

    def _first(self, combination: Combination) -> Iterator[str]:
        """The tunnel as it comes up."""
        ike, ipsec = combination.ike, combination.ipsec
        for side in self._sides:
            self._wait(side, "a CHILD_SA", lambda sas: bool(_carrying(sas)), PATIENCE_SECONDS)
            listed = read_list(side.swanctl("--list-sas"))
            if len(listed) != 1 or len(listed[0].children) != 1:
                yield f"{side.name}: not one IKE_SA with one CHILD_SA, but {listed}"
                continue
            sa = listed[0]
            yield from _compare(side, "IKE version", str(sa.version), str(int(ike.version)))
            yield from _compare(side, "IKE", sa.chosen, expected_ike(ike))
            pfs_shows = ike.version == IkeVersion.V1
            wanted = expected_esp(ipsec, pfs_shows=pfs_shows)
            yield from _compare(side, "ESP", sa.children[0].chosen, wanted)
        yield from self._ping("after the start")

    def _again(self, combination: Combination, tunnel: TunnelDocument) -> Iterator[str]:
        """The CHILD_SA after a forced rekey: there the PFS group must show in both versions."""
        old = {side: _carrying(self._charons[side].sas()) for side in self._sides}
        self._lab.gateway.swanctl("--rekey", "--child", _child(tunnel))
        wanted = expected_esp(combination.ipsec, pfs_shows=True)
        # Both are waited for: with IKEv1 the side that answers computes the key after the last message.
        for side in self._sides:
            self._wait(side, "a rekeyed CHILD_SA", partial(_has_new, old[side]), PATIENCE_SECONDS)
            children = read_list(side.swanctl("--list-sas"))[0].children
            newest = max(children, key=lambda one: one.unique)
            yield from _compare(side, "rekeyed ESP", newest.chosen, wanted)
        yield from self._ping("after the rekey")

    def _ping(self, when: str) -> Iterator[str]:
        here, there = self._lab.gateway.plan.lan[0], self._lab.branch.plan.lan[0]
        result = self._lab.gateway.ping(here, there, 1)
        if not result.passes:
            yield f"no ping passes {when}"

    def _evidence(self, start: int) -> list[str]:
        with self._lab.gateway.log_path.open("rb") as log:
            log.seek(start)
            lines = log.read().decode(errors="replace").splitlines()
        return [line for line in lines if any(word in line for word in REVEALING)][-LOG_LINES:]


@contextmanager
def prover(platform: str) -> Iterator[Prover]:
    """A lab whose customer has a device of this platform, and its prover. Raises LabUnavailable or LabError."""
    kind = CUSTOMERS[platform]
    gateway = replace(GATEWAY, settings=HASTE)
    branch = replace(BRANCH, settings=(*HASTE, *kind.settings))
    with Lab(gateway=gateway, customers=(branch,), start=False) as lab:
        lab.gateway.start_charon()
        customer = kind(lab.branch)
        customer.start()
        with closing(Prover(lab, customer)) as ready:
            yield ready


def summary(platform: str, asked: Iterable[Combination], proven: Counter[str]) -> str:
    """`lab-matrix strongswan-swanctl: IKE 100/100, ESP 96/96, …`."""
    totals = Counter(combination.part for combination in asked)
    parts = ", ".join(f"{part} {proven[part]}/{total}" for part, total in totals.items())
    return f"lab-matrix {platform}: {parts}"


def main() -> int:
    """Negotiate all, tell of each failure, and of each platform in one line of counts. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tunnels.lab.matrix", description=__doc__)
    parser.add_argument("--sample", action="store_true", help="only a dozen of them")
    parser.add_argument("--platform", choices=CUSTOMERS, help="only with this kind of customer")
    chosen = parser.parse_args()
    asked = sample() if chosen.sample else everything()
    platforms = [chosen.platform] if chosen.platform else list(CUSTOMERS)
    try:
        proven = [_prove(platform, asked) for platform in platforms]
    except (LabUnavailable, LabError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0 if all(proven) else 1


def _prove(platform: str, asked: Sequence[Combination]) -> bool:
    """Whether all of them were negotiated with this kind of customer."""
    proven: Counter[str] = Counter()
    started = time.monotonic()
    with prover(platform) as matrix:
        for number, combination in enumerate(asked, start=1):
            problems = matrix.prove(combination)
            proven[combination.part] += not problems
            if problems:
                _say("\n    ".join([f"FAILED {combination.part} {combination}", *problems]))
            if number % 25 == 0:
                _say(f"{number} of {len(asked)} in {time.monotonic() - started:.0f} s")
    _say(summary(platform, asked, proven))
    return proven.total() == len(asked)


def _spec(lab: Lab, combination: Combination, number: int) -> TunnelSpec:
    gateway, branch = lab.gateway, lab.branch
    return TunnelSpec(
        id=f"vpnx-{number:08d}",
        name=str(combination),
        revision=1,
        intent=Intent.UP,
        local=_endpoint(gateway.name, gateway.addresses[0]),
        remote=_endpoint(branch.name, branch.addresses[0]),
        psk=generate_psk(),
        rules=(
            Rule(
                local=parse_network(f"{gateway.plan.lan[0]}/32"),
                remotes=(parse_network(f"{branch.plan.lan[0]}/32"),),
            ),
        ),
        ike=combination.ike,
        ipsec=combination.ipsec,
    )


def _endpoint(name: str, address: str) -> Endpoint:
    return Endpoint(name=name, address=parse_address(address), identity=address)


def _child(tunnel: TunnelDocument) -> str:
    return child_name(tunnel.id, tunnel.mappings[0].mapping)


def _carrying(sas: tuple[IkeSa, ...]) -> frozenset[str]:
    """Keys of the CHILD_SAs that carry packets within an established IKE_SA."""
    return frozenset(
        child.key for sa in sas if sa.established for child in sa.children if child.carries
    )


def _has_new(old: frozenset[str], sas: tuple[IkeSa, ...]) -> bool:
    return bool(_carrying(sas) - old)


def _compare(side: Side, what: str, found: str, wanted: str) -> Iterator[str]:
    if found != wanted:
        yield f"{side.name}: {what} is {found}, wanted {wanted}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
