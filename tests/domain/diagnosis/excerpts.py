"""What real charons logged when a cause was provoked: one file each, written by `python -m tunnels.lab.diagnose`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.builders import a_rule, a_tunnel_spec, an_endpoint
from tunnels.domain.addresses import Network
from tunnels.domain.diagnosis import Code, Configured, LogEntry, Observed
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings, Mode, Negotiation
from tunnels.domain.status import Phase1

FOLDER = Path(__file__).with_name("excerpts")
_HEAD = re.compile(r"# ([\w ]+):(?: (.*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The lines, and the situation in which they were logged."""

    name: str
    charon: str
    provoked: Code
    named: Code
    lines: tuple[LogEntry, ...]
    configured: Configured
    observed: Observed


def read(path: Path) -> Excerpt:
    """One file."""
    rows = path.read_text().splitlines()
    head = {m[1]: m[2] or "" for row in rows if (m := _HEAD.fullmatch(row))}
    configured = a_configured(
        version=IkeVersion(int(head["version"])),
        mode=Mode(head["mode"]),
        negotiation=Negotiation(head["negotiation"]),
        pfs=head["pfs"],
        local=head["local"],
    )
    up = configured.mappings if head["up"] == "yes" else ()
    return Excerpt(
        name=path.stem,
        charon=head["charon"],
        provoked=Code(head["provoked"].partition(":")[0]),
        named=Code(head["named"]),
        lines=tuple(_line(row) for row in rows if not row.startswith("#")),
        configured=configured,
        observed=an_observed(Phase1(head["phase1"]), *((one.local, one.remote) for one in up)),
    )


def a_configured(
    *,
    version: IkeVersion = IkeVersion.V2,
    mode: Mode = Mode.MAIN,
    negotiation: Negotiation = Negotiation.PASSIVE,
    pfs: str = "",
    local: str = "10.0.0.0/24",
    remotes: tuple[str, ...] = ("192.168.0.0/24",),
) -> Configured:
    """The lab's tunnel."""
    ike = IkeSettings(
        version=version, mode=mode, negotiation=negotiation,
        encryption="aes-256", integrity="sha2-256", dh_group="dh31",
    )  # fmt: skip
    spec = a_tunnel_spec(
        local=an_endpoint("gateway", "203.0.113.10"),
        remote=an_endpoint("branch", "203.0.113.20"),
        rules=(a_rule(local, *remotes),),
        ike=ike,
        ipsec=IpsecSettings(encryption="aes-256", integrity="sha2-256", pfs=pfs),
    )
    return Configured.of(spec)


def an_observed(phase1: Phase1 = Phase1.NONE, *up: tuple[Network, Network]) -> Observed:
    """A report with these pairs up."""
    return Observed(phase1=phase1, up=up)


def _line(row: str) -> LogEntry:
    at, group, level, text = row.split(" ", 3)
    return LogEntry(at=datetime.fromisoformat(at), group=group, level=int(level), text=text)


EXCERPTS = [read(path) for path in sorted(FOLDER.glob("*.log"))]
