"""Where causes are provoked: one tunnel between a lab's two charons, misconfigured as asked, and its diagnosis."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from tunnels.agent.charon import CharonRefused, IkeSa
from tunnels.agent.logline import LogReader
from tunnels.agent.render import child_name, connection_message, secret_messages
from tunnels.agent.vici_adapter import ViciCharon
from tunnels.contract import IkeDocument, IpsecDocument, MappingDocument, TunnelDocument
from tunnels.domain.diagnosis import (
    Code,
    Configured,
    Diagnosis,
    LogEntry,
    Observed,
    diagnose,
)
from tunnels.domain.proposals import DpdAction, IkeSettings, IpsecSettings, Negotiation
from tunnels.domain.secret import Secret
from tunnels.domain.status import Intent, Phase1
from tunnels.lab.lab import Lab
from tunnels.lab.requirements import LabError
from tunnels.lab.side import BRANCH, GATEWAY, Side
from tunnels.lab.strongswan import PLUGINS

# A negotiation of milliseconds need not wait for minutes until it is called hopeless.
QUICK = (
    "retransmit_tries = 2",
    "retransmit_timeout = 0.3",
    "retransmit_base = 1",
    "half_open_timeout = 1",
)
# Both plugins bring it; what else is needed comes from others.
WITHOUT_GCM = (
    f"load = {' '.join(name for name in PLUGINS.split() if name not in {'gcm', 'openssl'})}"
)
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 15.0
# What is named must still be named after this while.
SETTLE_SECONDS = 0.15
GONE_SECONDS = 5.0
KEY = "lab-key-of-the-gateway-4711"

LOCAL, REMOTE = "10.0.0.0/24", "192.168.0.0/24"
PLAIN_IKE = IkeSettings(
    encryption="aes-256", integrity="sha2-256", dh_group="dh31",
    dpd_enabled=False, dpd_action=DpdAction.CLEAR, negotiation=Negotiation.PASSIVE,
)  # fmt: skip
PLAIN_IPSEC = IpsecSettings(encryption="aes-256", integrity="sha2-256", pfs="")

Change = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One side: changes to the tunnel's document, to its `ike` and `ipsec`, and to the message for its CHILD_SA."""

    tunnel: Change = field(default_factory=dict)
    ike: Change = field(default_factory=dict)
    ipsec: Change = field(default_factory=dict)
    child: Change = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was named, the lines that it was named from, and what charon had then."""

    diagnosis: Diagnosis | None
    lines: tuple[LogEntry, ...]
    configured: Configured
    observed: Observed

    @property
    def code(self) -> Code | None:
        """The code alone."""
        return self.diagnosis.code if self.diagnosis else None


@dataclass(slots=True)
class Scene:
    """One tunnel, loaded on both sides; `ours` and `theirs` as documents."""

    stage: Stage
    ours: TunnelDocument
    theirs: TunnelDocument
    reader: LogReader
    offset: int
    lines: list[LogEntry] = field(default_factory=list)

    def begin(self, *, by_us: bool) -> None:
        """Initiate, and return at once."""
        charon, tunnel = (
            (self.stage.gateway, self.ours) if by_us else (self.stage.branch, self.theirs)
        )
        charon.initiate(ike=tunnel.id, child=_child(tunnel))

    def wait_up(self) -> None:
        """Wait until both sides have the CHILD_SA."""
        self.wait_for("an installed CHILD_SA", lambda sas: any(sa.children for sa in sas))

    def wait_for(self, what: str, found: Callable[[tuple[IkeSa, ...]], bool]) -> None:
        """Wait until `found` holds for the SAs of both sides. Raises LabError when it never does."""
        for charon in (self.stage.gateway, self.stage.branch):
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not found(charon.sas(self.ours.id)):
                if time.monotonic() > deadline:
                    raise LabError(f"{what} did not happen in {PATIENCE_SECONDS:g} s.")
                time.sleep(POLL_SECONDS)

    def rekey(self, *, by_us: bool, ike: bool = False) -> None:
        """Renew the keys of the CHILD_SA, or of the IKE_SA."""
        side, tunnel = (
            (self.stage.lab.gateway, self.ours) if by_us else (self.stage.lab.branch, self.theirs)
        )
        option = ("--ike", tunnel.id) if ike else ("--child", _child(tunnel))
        side.swanctl("--rekey", *option)

    def renew(self, *, by_us: bool, ike: bool) -> None:
        """Rekey, and wait until both sides have the new SA. Raises LabError when they never do."""
        charons = (self.stage.gateway, self.stage.branch)
        known = {id(charon): _unique(charon.sas(self.ours.id), ike=ike) for charon in charons}
        self.rekey(by_us=by_us, ike=ike)
        for charon in charons:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not _unique(charon.sas(self.ours.id), ike=ike) - known[id(charon)]:
                if time.monotonic() > deadline:
                    raise LabError(f"A rekeying did not happen in {PATIENCE_SECONDS:g} s.")
                time.sleep(POLL_SECONDS)

    def peer_ends(self, *, child_only: bool = False) -> None:
        """The customer ends the tunnel, or just its pair of ranges."""
        name = _child(self.theirs)
        option = ("--child", name) if child_only else ("--ike", self.theirs.id)
        self.stage.lab.branch.swanctl("--terminate", *option)

    def look(self) -> Finding:
        """Read what charon has logged since, and judge."""
        with self.stage.lab.gateway.log_path.open("rb") as log:
            log.seek(self.offset)
            whole, _, rest = log.read().rpartition(b"\n")
            self.offset = log.tell() - len(rest)
        for raw in whole.splitlines():
            line = self.reader.read(raw)
            if line is not None and line.tunnel == self.ours.id:
                self.lines.append(
                    LogEntry(at=line.at, group=line.group, level=line.level, text=line.text)
                )
        return self.judge(tuple(self.lines))

    def judge(self, lines: tuple[LogEntry, ...]) -> Finding:
        """Judge by these lines and the SAs that there are now."""
        configured = configured_of(self.ours)
        observed = _observed(self.stage.gateway.sas(self.ours.id), self.ours)
        return Finding(
            diagnosis=diagnose(lines, configured, observed),
            lines=lines,
            configured=configured,
            observed=observed,
        )

    def find(self, expected: Code) -> Finding:
        """What is named as soon as it is the expected code, or patience ends, and is still named a while later."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.look().code is not expected and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        time.sleep(SETTLE_SECONDS)
        return self.look()


class Stage:
    """A running lab with a line to each charon. `with Stage.open() as stage:`."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.gateway = _line(lab.gateway)
        self.branch = _line(lab.branch)
        self._count = 0

    @classmethod
    @contextmanager
    def open(cls, *, weak: bool = False) -> Iterator[Self]:
        """A lab of its own; a `weak` gateway lacks AES-GCM. Raises LabUnavailable or LabError as Lab does."""
        gateway = replace(GATEWAY, settings=(*QUICK, WITHOUT_GCM) if weak else QUICK)
        branch = replace(BRANCH, settings=QUICK)
        with ExitStack() as stack:
            lab = stack.enter_context(Lab(gateway=gateway, customers=(branch,)))
            stage = cls(lab)
            stack.callback(stage.close)
            yield stage

    def close(self) -> None:
        """Hang up."""
        self.gateway.close()
        self.branch.close()

    @contextmanager
    def scene(self, ours: Setting, theirs: Setting, *, customer: bool = True) -> Iterator[Scene]:
        """Load one tunnel with these settings on both sides (`customer`: on theirs too), and remove all of it after."""
        self._count += 1
        own = _document(f"vpnx-{self._count:08d}", ours)
        other = _mirrored(own, theirs)
        reader = LogReader()
        reader.know([own])
        start = self.lab.gateway.log_path.stat().st_size
        scene = Scene(stage=self, ours=own, theirs=other, reader=reader, offset=start)
        try:
            _load(self.gateway, own, ours)
            if customer:
                _load(self.branch, other, theirs)
            yield scene
        finally:
            self._restore()
            for charon, tunnel in ((self.gateway, own), (self.branch, other)):
                _unload(charon, tunnel)

    def restart_branch(self) -> None:
        """Start the customer's charon again."""
        self.lab.branch.start_charon()
        self.branch.close()
        self.branch = _line(self.lab.branch)

    def block_port_4500(self) -> None:
        """No packet to UDP 4500 leaves either side any more."""
        for side in (self.lab.gateway, self.lab.branch):
            side.run(["ip", "rule", "add", *_PORT_4500])

    def lose_our_packets(self) -> None:
        """Nothing that the gateway sends arrives; what it is sent does, once its neighbour knows where to send it."""
        self.lab.branch.ping(BRANCH.addresses[0], GATEWAY.addresses[0], 1)
        self.lab.gateway.run(
            ["tc", "qdisc", "replace", "dev", "wan0", "root", "pfifo", "limit", "0"]
        )

    def _restore(self) -> None:
        self.lab.branch.link_up()
        for side in (self.lab.gateway, self.lab.branch):
            side.run(["ip", "rule", "del", *_PORT_4500], check=False)
        if not self.lab.branch.charon_runs():
            self.restart_branch()


_PORT_4500 = ("ipproto", "udp", "dport", "4500", "blackhole")


def configured_of(tunnel: TunnelDocument) -> Configured:
    """What a document says, as the diagnosis wants it."""
    return Configured(
        intent=tunnel.intent,
        local_identity=tunnel.local_identity,
        remote_identity=tunnel.remote_identity,
        remote_address=str(tunnel.remote_address),
        mappings=tuple(pair.mapping for pair in tunnel.mappings),
        ike=tunnel.ike.settings,
        ipsec=tunnel.ipsec.settings,
        secret=Secret(tunnel.psk.get_secret_value()),
    )


def _observed(sas: tuple[IkeSa, ...], tunnel: TunnelDocument) -> Observed:
    phase1 = Phase1.NONE
    if sas:
        up = any(sa.established for sa in sas)
        phase1 = Phase1.ESTABLISHED if up else Phase1.CONNECTING
    carrying = {child.name for sa in sas for child in sa.children if child.carries}
    pairs = [
        (pair.local, pair.remote)
        for pair in (document.mapping for document in tunnel.mappings)
        if child_name(tunnel.id, pair) in carrying
    ]
    return Observed(phase1=phase1, up=pairs)


def _document(name: str, setting: Setting) -> TunnelDocument:
    fields: Change = {
        "id": name,
        "revision": 1,
        "intent": Intent.UP,
        "local_address": GATEWAY.addresses[0],
        "local_identity": GATEWAY.addresses[0],
        "remote_address": BRANCH.addresses[0],
        "remote_identity": BRANCH.addresses[0],
        "psk": KEY,
        "mappings": (MappingDocument.model_validate({"local": LOCAL, "remote": REMOTE}),),
        "ike": IkeDocument.model_validate({**asdict(PLAIN_IKE), **setting.ike}),
        "ipsec": IpsecDocument.model_validate({**asdict(PLAIN_IPSEC), **setting.ipsec}),
        **setting.tunnel,
    }
    return TunnelDocument.model_validate(fields)


def _mirrored(own: TunnelDocument, setting: Setting) -> TunnelDocument:
    """The other side of the same tunnel, with what the customer sets differently."""
    fields: Change = {
        **dict(own),
        "local_address": own.remote_address,
        "local_identity": own.remote_identity,
        "remote_address": own.local_address,
        "remote_identity": own.local_identity,
        "mappings": tuple(
            MappingDocument(local=pair.remote, remote=pair.local) for pair in own.mappings
        ),
        "ike": own.ike.model_copy(
            update={
                "negotiation": Negotiation.PASSIVE,
                "dpd_action": DpdAction.CLEAR,
                **setting.ike,
            }
        ),
        "ipsec": own.ipsec.model_copy(update=setting.ipsec),
        **setting.tunnel,
    }
    return TunnelDocument.model_validate(fields)


def _load(charon: ViciCharon, tunnel: TunnelDocument, setting: Setting) -> None:
    for message in secret_messages(tunnel):
        charon.load_shared(message)
    message = connection_message(tunnel)
    body: Any = message[tunnel.id]
    for child in body["children"].values():
        child.update(setting.child)
    charon.load_connection(message)


def _unload(charon: ViciCharon, tunnel: TunnelDocument) -> None:
    charon.unload_connection(tunnel.id)
    charon.unload_shared(tunnel.id)
    deadline = time.monotonic() + GONE_SECONDS
    # Half-open SAs have no name yet: they go by themselves.
    while charon.sas():
        with contextlib.suppress(CharonRefused):
            charon.terminate(ike=tunnel.id, seconds=0.5)
        if time.monotonic() > deadline:
            raise LabError(f"An SA of {tunnel.id} stays.")
        time.sleep(POLL_SECONDS)


def _unique(sas: tuple[IkeSa, ...], *, ike: bool) -> set[str]:
    """What tells the SAs that carry traffic from all others, those of one kind."""
    carrying = [(sa, child) for sa in sas for child in sa.children if child.carries]
    return {str(sa.unique_id) if ike else child.key for sa, child in carrying}


def _child(tunnel: TunnelDocument) -> str:
    return child_name(tunnel.id, tunnel.mappings[0].mapping)


def _line(side: Side) -> ViciCharon:
    return ViciCharon(f"unix://{side.vici_socket}")
