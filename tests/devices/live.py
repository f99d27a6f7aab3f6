"""A lab in which the tunnels of the golden files are at home: both ends have the addresses and ranges of every case."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from tests.devices.cases import CASES
from tunnels.agent.charon import CharonRefused, IkeSa
from tunnels.agent.render import child_name, connection_message, secret_messages
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.domain.addresses import Address, Network
from tunnels.domain.spec import TunnelSpec
from tunnels.lab import Lab, LabError, Side, SidePlan
from tunnels.lab.matrix import HASTE
from tunnels.lab.negotiation import document_of

PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.02

# The ranges of a CHILD_SA in `swanctl --list-sas`; those of the IKE_SA's line are identities.
_PAIR = re.compile(r"^    local +(\S+)\n    remote +(\S+)$", re.MULTILINE)


def inside(network: Network) -> Address:
    """The address of this range that its end owns."""
    return network[0] if network.num_addresses == 1 else network[1]


@contextmanager
def case_lab(*, settings: tuple[str, ...] = ()) -> Iterator[Lab]:
    """The gateway's charon runs, the customer's end is bare; `settings` are those of its charon, should it have one."""
    specs = CASES.values()
    gateway = SidePlan(
        name="gateway",
        addresses=_texts(spec.local.address for spec in specs),
        lan=_texts(inside(mapping.local) for spec in specs for mapping in spec.mappings),
        settings=HASTE,
    )
    branch = SidePlan(
        name="branch",
        addresses=_texts(spec.remote.address for spec in specs),
        lan=_texts(inside(mapping.remote) for spec in specs for mapping in spec.mappings),
        settings=(*HASTE, *settings),
    )
    with Lab(gateway=gateway, customers=(branch,), start=False) as lab:
        for address in gateway.addresses:
            lab.branch.run(["ip", "route", "replace", address, "dev", "wan"])
        lab.gateway.start_charon()
        yield lab


class OurEnd:
    """The gateway's charon, told of a tunnel by the agent's messages."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._charon = ViciCharon(f"unix://{side.vici_socket}")

    @classmethod
    @contextmanager
    def open(cls, side: Side) -> Iterator[OurEnd]:
        """A line to the charon of this side."""
        end = cls(side)
        with closing(end._charon):
            yield end

    @property
    def daemon(self) -> str:
        """Its name and version; the customer's is of the same package."""
        return f"strongSwan {self._charon.version().charon_version}"

    @contextmanager
    def holding(self, spec: TunnelSpec) -> Iterator[None]:
        """The tunnel is loaded meanwhile; after it, nothing of it is left here."""
        document = document_of(spec)
        for message in secret_messages(document):
            self._charon.load_shared(message)
        self._charon.load_connection(connection_message(document))
        try:
            yield
        finally:
            self._charon.unload_connection(spec.id)
            self.end(spec)
            for secret in self._charon.shared():
                self._charon.unload_shared(secret)

    def initiate(self, spec: TunnelSpec) -> None:
        """Begin with every pair."""
        for mapping in spec.mappings:
            self._charon.initiate(ike=spec.id, child=child_name(spec.id, mapping))

    def end(self, spec: TunnelSpec) -> None:
        """Close what there is of the tunnel. What has no name yet goes by itself."""

        def gone() -> bool:
            if self._charon.sas(spec.id):
                try:
                    self._charon.terminate(ike=spec.id, seconds=0.5)
                except CharonRefused:
                    return False
            return not self._charon.sas(spec.id)

        wait(f"the end of {spec.id}", gone)

    def established(self) -> bool:
        """Whether the customer has proven who it is."""
        return any(sa.established for sa in self.sas())

    def sas(self) -> tuple[IkeSa, ...]:
        """What there is now."""
        return self._charon.sas()


def pairs_of(side: Side) -> list[tuple[str, str]]:
    """The (local, remote) ranges of the installed CHILD_SAs, sorted."""
    return sorted(_PAIR.findall(side.swanctl("--list-sas")))


def wait(what: str, come: Callable[[], bool]) -> None:
    """Wait until it has come. Raises LabError when it does not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not come():
        if time.monotonic() > deadline:
            raise LabError(f"{what} did not come in {PATIENCE_SECONDS:g} s.")
        time.sleep(POLL_SECONDS)


def _texts(addresses: Iterator[Address]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, addresses)))
