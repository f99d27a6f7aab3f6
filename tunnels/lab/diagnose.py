"""`python -m tunnels.lab.diagnose`: provoke every cause, and print docs/diagnosis.md with what was named.

`--excerpts FOLDER` also writes the lines that each was named from, as the tests of the domain read them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from tunnels.domain.diagnosis.causes import TEXTS, Text
from tunnels.domain.diagnosis.model import Code, Step
from tunnels.lab.provocations import Provocation, everything
from tunnels.lab.requirements import LabError, LabUnavailable
from tunnels.lab.stage import Finding, Stage

HEAD = """\
# Diagnosis

<!-- Written by `python -m tunnels.lab.diagnose`; a test compares it with what the lab finds. -->

When a tunnel is not up, the console reads strongSwan's log lines about it, the settings and what the gateway
reported, and names one cause: with the line that proves it, both sides' values where the protocol shows them,
the input to look at and what to do. The newest failure counts that no later success disproves. The rules are in
`tunnels/domain/diagnosis`; they need log level 1 and know the wording of charon 5.9.8.

## Provoked and named

Each cause is provoked between two real charons: the gateway is loaded as the agent does it, the customer's side is
set wrong. *We* is the gateway. Where the protocol does not tell our side the cause, the wider cause is named, and the
narrower one (after *or*) is given among those that leave the same trace.

| provoked | by | IKE | named when we begin | named when the customer begins |
|---|---|---|---|---|
"""

NOT_PROVOKED = """
Not provoked here:

- *half-open* when we begin: with kernel-libipsec every negotiation moves to UDP 4500 as if there were a NAT, so
  what stops half-way is named *nat-without-4500*, with *half-open* as the other possibility.
- *lifetime-rekey* with IKEv2: lifetimes are not negotiated there, and charon replaces at once what expired, so there
  is nothing down to explain. A renewal that the peer refuses is named by its reason, mostly *pfs-mismatch*.
- The lines *received INVALID_MAJOR_VERSION*, *requested DH group … not contained*, *no shared key found* and a few
  more are known from charon's source only; no peer here provokes them. Nor are there devices of other makes.
- *auth-failed* is no cause of its own: it is what a peer says that does not tell key from identity.

## The causes

"""


def table(found: Iterable[tuple[Provocation, Finding]]) -> Iterator[str]:
    """The rows of the table: what was named for each side that begins; a dash where it was not tried."""
    rows: dict[tuple[str, str, str], dict[bool, str]] = {}
    for row, finding in found:
        named = str(finding.code or "nothing")
        if finding.diagnosis and named != row.cause:
            listed = row.cause in finding.diagnosis.also
            named = f"{named}, {'or' if listed else 'not'} {row.cause}"
        rows.setdefault((row.cause, row.what, row.flavour), {})[row.by_us] = named
    for key, named_by in rows.items():
        cells = (*key, named_by.get(True, "–"), named_by.get(False, "–"))
        yield f"| {' | '.join(cells)} |\n"


def document(found: Iterable[tuple[Provocation, Finding]]) -> str:
    """The whole of docs/diagnosis.md."""
    return HEAD + "".join(table(found)) + NOT_PROVOKED + "\n".join(map(_section, Code))


def excerpt(row: Provocation, finding: Finding, charon: str) -> str:
    """The lines that a cause was named from, without level 2 and packets, under a head that tells the situation."""
    ike, ipsec = finding.configured.ike, finding.configured.ipsec
    mapping = finding.configured.mappings[0]
    head = {
        "charon": charon,
        "provoked": f"{row.cause}: {row.what}",
        "begun by": "us" if row.by_us else "the peer",
        "version": f"{ike.version:d}",
        "mode": str(ike.mode),
        "negotiation": str(ike.negotiation),
        "pfs": ipsec.pfs,
        "local": str(mapping.local),
        "phase1": str(finding.observed.phase1),
        "up": "yes" if finding.observed.up else "no",
        "named": str(finding.code),
    }
    lines = [f"# {key}: {value}".rstrip() for key, value in head.items()]
    lines += [
        f"{line.at.isoformat(timespec='milliseconds')} {line.group} {line.level} {line.text}"
        for line in finding.lines
        if line.level <= 1 and line.group != "net"
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Provoke all, and print or write. Returns the exit code: 1 when a cause was not named as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tunnels.lab.diagnose", description=__doc__)
    parser.add_argument("--excerpts", type=Path, help="a folder for the lines of each cause")
    folder: Path | None = parser.parse_args().excerpts
    found: list[tuple[Provocation, Finding]] = []
    charon = ""
    try:
        with ExitStack() as stack:
            stages = {weak: stack.enter_context(Stage.open(weak=weak)) for weak in (False, True)}
            charon = stages[False].gateway.version().charon_version
            for row in everything():
                found.append((row, row.run(stages[row.weak])))
    except (LabUnavailable, LabError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for row, finding in found:
        if folder:
            (folder / f"{row.id}.log").write_text(excerpt(row, finding, charon))
        if finding.code is not row.named:
            sys.stderr.write(f"{row.id}: {finding.code} was named, {row.named} is expected.\n")
    sys.stdout.write(document(found))
    return 0 if all(finding.code is row.named for row, finding in found) else 1


def _section(code: Code) -> str:
    text = TEXTS[code]
    cause = text.cause.format(peer="the customer gateway")
    return (
        f"### {code}\n\n**{text.title}.** {cause[0].upper()}{cause[1:]}\n\n"
        f"*What to do:* {text.advice}{_place(text)}\n"
    )


def _place(text: Text) -> str:
    return f" (Step *{text.step}*, field *{text.field}*.)" if text.step is not Step.NONE else ""


if __name__ == "__main__":
    sys.exit(main())
