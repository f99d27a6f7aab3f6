"""Every cause that a diagnosis can name, provoked for real: what to set wrong, who begins, and what must be named."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from tunnels.contract import MappingDocument
from tunnels.domain.diagnosis import Code
from tunnels.domain.proposals import DpdAction, IkeVersion, Mode, Negotiation
from tunnels.lab.stage import LOCAL, REMOTE, Change, Finding, Scene, Setting, Stage


class Flavour(StrEnum):
    """Which of the three negotiations."""

    V2 = "IKEv2"
    MAIN = "IKEv1 main"
    AGGRESSIVE = "IKEv1 aggressive"


FLAVOURS: dict[Flavour, Change] = {
    Flavour.V2: {},
    Flavour.MAIN: {"version": IkeVersion.V1},
    Flavour.AGGRESSIVE: {"version": IkeVersion.V1, "mode": Mode.AGGRESSIVE},
}
Act = Callable[[Scene, bool], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provocation:
    """One row of the table. `named` differs from `cause` where the protocol does not show the cause to our side.

    `before` and `after` happen before and after one side `begins`; `customer` is whether the customer has the tunnel at
    all, `weak` whether our charon lacks AES-GCM.
    """

    cause: Code
    what: str
    flavour: Flavour
    by_us: bool
    named: Code
    ours: Setting = field(default_factory=Setting)
    theirs: Setting = field(default_factory=Setting)
    before: Act | None = None
    after: Act | None = None
    begins: bool = True
    customer: bool = True
    weak: bool = False

    @property
    def id(self) -> str:
        """Short and unique, for the names of tests and files."""
        who = "we" if self.by_us else "peer"
        words = re.findall(r"[a-z0-9-]+", f"{self.cause} {self.what} {self.flavour} {who}".lower())
        return "-".join(words)

    def run(self, stage: Stage) -> Finding:
        """Provoke it, and say what is named."""
        with stage.scene(self.ours, self.theirs, customer=self.customer) as scene:
            if self.before:
                self.before(scene, self.by_us)
            if self.begins:
                scene.begin(by_us=self.by_us)
            if self.after:
                self.after(scene, self.by_us)
            return scene.find(self.named)


def everything() -> list[Provocation]:
    """All rows, in the order of the table."""
    return [
        *_keys_and_identities(), *_proposals(), *_pfs(), *_ranges_and_versions(),
        *_silence(), *_ends(), *_own_machine(), *_waiting(),
    ]  # fmt: skip


# What only a later message, or nothing at all, would tell our side.
Exceptions = Mapping[tuple[Flavour, bool], Code]
ALL = tuple(Flavour)
V2, MAIN, AGGRESSIVE = ALL
# What follows phase 1 is the same after main and aggressive mode.
PHASE_2 = (V2, MAIN)
WE, PEER = True, False


def _rows(
    cause: Code,
    what: str,
    *,
    flavours: tuple[Flavour, ...] = ALL,
    begun_by: tuple[bool, ...] = (WE, PEER),
    ours: Setting | None = None,
    but: Exceptions | None = None,
    **rest: Any,
) -> Iterator[Provocation]:
    """One row a flavour and side that begins; what is named is the cause, `but` where it is not."""
    setting = ours or Setting()
    for flavour, by_us in itertools.product(flavours, begun_by):
        yield Provocation(
            cause=cause,
            what=what,
            flavour=flavour,
            by_us=by_us,
            named=(but or {}).get((flavour, by_us), cause),
            ours=replace(setting, ike={**FLAVOURS[flavour], **setting.ike}),
            **rest,
        )


def _keys_and_identities() -> Iterator[Provocation]:
    refused = Code.AUTH_FAILED
    yield from _rows(
        Code.PSK_MISMATCH, "another key at the customer",
        theirs=Setting(tunnel={"psk": "another-key-0815-0815"}),
        but={(V2, WE): refused, (AGGRESSIVE, PEER): refused},
    )  # fmt: skip
    yield from _rows(
        Code.IDENTITY_MISMATCH, "the customer sends another identity",
        theirs=Setting(tunnel={"local_identity": "other.example.com"}),
        but={(V2, WE): refused},
    )  # fmt: skip
    yield from _rows(
        Code.IDENTITY_MISMATCH, "the customer expects another identity of us",
        theirs=Setting(tunnel={"remote_identity": "other.example.com"}),
        but={(V2, WE): refused, (MAIN, PEER): Code.DELETED_BY_PEER, (AGGRESSIVE, PEER): refused},
    )  # fmt: skip


def _proposals() -> Iterator[Provocation]:
    yield from _rows(
        Code.IKE_PROPOSAL_MISMATCH, "AES-128, SHA1 and DH2 at the customer",
        theirs=Setting(ike={"encryption": "aes-128", "integrity": "sha1", "dh_group": "dh2"}),
    )  # fmt: skip
    yield from _rows(
        Code.IKE_PROPOSAL_MISMATCH, "another DH group at the customer",
        theirs=Setting(ike={"dh_group": "dh19"}),
    )  # fmt: skip
    yield from _rows(
        Code.ESP_PROPOSAL_MISMATCH, "AES-128 and SHA1 at the customer", flavours=PHASE_2,
        theirs=Setting(ipsec={"encryption": "aes-128", "integrity": "sha1"}),
    )  # fmt: skip


def _pfs() -> Iterator[Provocation]:
    # The quick mode of IKEv1 asks for the group at once; the peer that refuses does not say what.
    v1 = {(MAIN, WE): Code.ESP_PROPOSAL_MISMATCH}
    for what, own, other in (
        ("another PFS group at the customer", "dh14", "dh19"),
        ("no PFS at the customer", "dh14", ""),
        ("PFS only at the customer", "", "dh14"),
    ):
        ours, theirs = Setting(ipsec={"pfs": own}), Setting(ipsec={"pfs": other})
        yield from _rows(
            Code.PFS_MISMATCH, f"{what}, keys renewed", flavours=(V2,), ours=ours, theirs=theirs, after=_rekey
        )  # fmt: skip
        yield from _rows(
            Code.PFS_MISMATCH, what, flavours=(MAIN,), ours=ours, theirs=theirs, but=v1
        )  # fmt: skip


def _ranges_and_versions() -> Iterator[Provocation]:
    yield from _rows(
        Code.TS_MISMATCH, "another range at the customer", flavours=PHASE_2,
        theirs=Setting(tunnel={"mappings": _pair("192.168.99.0/24", LOCAL)}),
    )  # fmt: skip
    for flavour, other in ((V2, IkeVersion.V1), (MAIN, IkeVersion.V2)):
        yield from _rows(
            Code.IKE_VERSION_MISMATCH, f"IKEv{other:d} at the customer", flavours=(flavour,),
            theirs=Setting(ike={"version": other, "mode": Mode.MAIN}),
            but={(flavour, WE): Code.IKE_PROPOSAL_MISMATCH},
        )  # fmt: skip


def _silence() -> Iterator[Provocation]:
    yield from _rows(
        Code.PEER_UNREACHABLE, "strongSwan stopped at the customer", begun_by=(WE,),
        before=lambda scene, _: scene.stage.lab.branch.kill_charon(), customer=False,
    )  # fmt: skip
    yield from _rows(
        Code.PEER_UNREACHABLE, "line cut", flavours=PHASE_2, before=_cut,
        but={(V2, PEER): Code.WAITING_FOR_PEER, (MAIN, PEER): Code.WAITING_FOR_PEER},
    )  # fmt: skip
    yield from _rows(
        Code.HALF_OPEN, "what we send is lost", begun_by=(PEER,),
        before=lambda scene, _: scene.stage.lose_our_packets(),
    )  # fmt: skip
    yield from _rows(
        Code.NAT_WITHOUT_4500, "UDP 4500 blocked",
        before=lambda scene, _: scene.stage.block_port_4500(),
        # Who answers learns of the NAT from a message that is sent to that port.
        but={(AGGRESSIVE, PEER): Code.HALF_OPEN},
    )  # fmt: skip
    probing = {"dpd_enabled": True, "dpd_timeout": 3}
    yield from _rows(
        Code.DPD_TIMEOUT, "line cut while up", flavours=PHASE_2, ours=Setting(ike=probing), after=_cut_up
    )  # fmt: skip
    again = {**probing, "negotiation": Negotiation.ACTIVE, "dpd_action": DpdAction.RESTART}
    yield from _rows(
        Code.DPD_TIMEOUT, "line cut while up, and we try again", flavours=PHASE_2, begun_by=(WE,),
        ours=Setting(ike=again, child={"dpd_action": "restart"}), after=_cut_up,
    )  # fmt: skip


def _ends() -> Iterator[Provocation]:
    yield from _rows(
        Code.DELETED_BY_PEER, "the customer ends the tunnel", flavours=PHASE_2, after=_peer_ends
    )
    yield from _rows(
        Code.DELETED_BY_PEER, "the customer ends one pair of ranges", flavours=PHASE_2,
        after=_peer_ends_child,
    )  # fmt: skip
    brief = {"rekey_time": "0", "life_time": "2s"}
    # With IKEv2 charon makes a CHILD_SA anew that its lifetime ended: there is nothing to name.
    yield from _rows(
        Code.LIFETIME_REKEY, "keys of the customer live 2 s and are not renewed", flavours=(MAIN,),
        theirs=Setting(child=brief), after=_wait_up,
        # Only who begins tells its lifetime.
        but={(MAIN, WE): Code.DELETED_BY_PEER},
    )  # fmt: skip
    yield from _rows(
        Code.LIFETIME_REKEY, "our keys live 2 s and are not renewed", flavours=(MAIN,),
        ours=Setting(child=brief), after=_wait_up,
    )  # fmt: skip


def _own_machine() -> Iterator[Provocation]:
    yield from _rows(
        Code.LOCAL_RANGE_WITHOUT_ADDRESS, "a local range of which our gateway has no address", flavours=PHASE_2,
        ours=Setting(tunnel={"mappings": _pair("10.9.9.0/24", REMOTE)}),
    )  # fmt: skip
    yield from _rows(
        Code.KERNEL_INSTALL_FAILED, "our gateway lacks an algorithm of phase 2", flavours=PHASE_2, weak=True,
        ours=Setting(child={"esp_proposals": ["aes256gcm16"]}),
        theirs=Setting(child={"esp_proposals": ["aes256gcm16"]}),
    )  # fmt: skip


def _waiting() -> Iterator[Provocation]:
    yield from _rows(
        Code.WAITING_FOR_TRAFFIC, "nobody sends anything", flavours=PHASE_2, begun_by=(WE,), begins=False,
        ours=Setting(ike={"negotiation": Negotiation.ON_TRAFFIC}),
    )  # fmt: skip
    yield from _rows(
        Code.WAITING_FOR_PEER, "the customer does not begin", flavours=PHASE_2, begun_by=(PEER,), begins=False
    )  # fmt: skip


def _rekey(scene: Scene, by_us: bool) -> None:
    scene.wait_up()
    scene.rekey(by_us=by_us)


def _wait_up(scene: Scene, _by_us: bool) -> None:
    scene.wait_up()


def _cut(scene: Scene, _by_us: bool) -> None:
    scene.stage.lab.branch.link_down()


def _cut_up(scene: Scene, _by_us: bool) -> None:
    scene.wait_up()
    scene.stage.lab.branch.link_down()


def _peer_ends(scene: Scene, _by_us: bool) -> None:
    scene.wait_up()
    scene.peer_ends()


def _peer_ends_child(scene: Scene, _by_us: bool) -> None:
    scene.wait_up()
    scene.peer_ends(child_only=True)


def _pair(local: str, remote: str) -> tuple[MappingDocument, ...]:
    return (MappingDocument.model_validate({"local": local, "remote": remote}),)
