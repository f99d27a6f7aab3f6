"""The whole of it: a pasted text and a tunnel go in, an answer in plain words comes out. Nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tunnels.compare.choosing import leading_to, others
from tunnels.compare.differences import compare
from tunnels.compare.grammars import Grammar, find_grammar, recognise
from tunnels.compare.reading import Connection, Peer, Reading, Severity
from tunnels.compare.text import Quoter, cleaned
from tunnels.compare.verdict import Difference
from tunnels.devices.viewpoint import Side, customer_viewpoint
from tunnels.domain.findings import RuleError, refuse
from tunnels.domain.spec import TunnelSpec

# Of several connections to the gateway so many are compared to find the best one.
TRIED_MAX: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came out. `connection` names the one that was taken, `line` is where it begins."""

    grammar: Grammar
    connection: str
    line: int
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    key_compared: bool

    @property
    def breaking(self) -> int:
        """How many differences stop the negotiation."""
        return self._count(Severity.BREAKS)

    @property
    def unknown(self) -> int:
        """How many things could not be compared."""
        return self._count(Severity.UNKNOWN)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        if self.breaking:
            what = "One difference" if self.breaking == 1 else f"{self.breaking:,} differences"
            return f"{what} must be resolved before these two will negotiate."
        if self.unknown:
            what = "One thing" if self.unknown == 1 else f"{self.unknown:,} things"
            return f"Nothing was found that stops the negotiation, but {what.lower()} could not be compared."
        if not self.key_compared:
            return "These two will negotiate, provided that their keys are equal."
        return "These two will negotiate."

    def _count(self, severity: Severity) -> int:
        return sum(difference.severity is severity for difference in self.differences)


def compare_text(text: str, spec: TunnelSpec, *, grammar_id: str = "", with_key: bool) -> Answer:
    """Compare a device's configuration with the tunnel; `grammar_id` is "" to recognise it by itself.

    Takes time in proportion to the length of the text. Raises RuleError for what cannot be read, and when no connection
    leads to the VPN gateway; of the text its sentence holds numbers of lines and addresses of peers only.
    """
    text = cleaned(text)
    grammar = find_grammar(grammar_id, text)
    try:
        reading = grammar.read(text)
    except RuleError as error:
        raise _with_hint(error, grammar, text) from None
    # The tunnel's own key is not among them: what is hidden would tell who may not see it that a guess was right.
    quote = Quoter(reading.secrets)
    gateway = customer_viewpoint(spec).gateway
    peers = leading_to(reading.peers, gateway)
    if not peers:
        raise _nobody(reading, gateway, quote)
    connection, differences = _best(reading, peers, spec, quote, with_key=with_key)
    compared = with_key and any(key.secret for key in connection.keys)
    return Answer(
        grammar=grammar,
        connection=quote(connection.name),
        line=connection.line,
        differences=differences,
        notes=tuple(dict.fromkeys(_notes(reading, peers, connection, with_key=with_key))),
        key_compared=compared,
    )


def _best(
    reading: Reading, peers: list[Peer], spec: TunnelSpec, quote: Quoter, *, with_key: bool
) -> tuple[Connection, tuple[Difference, ...]]:
    """The connection with the fewest grave differences; one that cannot be read is passed over for another.

    Raises RuleError when none is left; with the first one's refusal when none can be compared at all.
    """
    best: tuple[int, Connection, tuple[Difference, ...]] | None = None
    failed: RuleError | None = None
    for peer in peers[:TRIED_MAX]:
        if peer.refusal:
            continue
        try:
            connection = reading.build(peer)
        except RuleError as error:
            failed = failed or error
            continue
        found = compare(connection, spec, quote=quote, with_key=with_key)
        grave = sum(difference.severity is Severity.BREAKS for difference in found)
        if best is None or grave < best[0]:
            best = grave, connection, found
    if best is None:
        raise failed or refuse("compare-route-based", peers[0].refusal)
    return best[1], best[2]


def _notes(
    reading: Reading, peers: list[Peer], connection: Connection, *, with_key: bool
) -> Iterator[str]:
    if len(peers) > 1:
        yield (
            f"{len(peers):,} connections of the file lead to the VPN gateway. The one that is nearest to the tunnel "
            f"was compared; it begins on line {connection.line:,}."
        )
    if not with_key:
        yield "The pre-shared key was not compared: that needs the permission to see keys."
    elif not connection.keys:
        yield "The text has no pre-shared key for this connection, so it was not compared."
    yield from connection.notes
    yield from reading.notes


def _nobody(reading: Reading, gateway: Side, quote: Quoter) -> RuleError:
    shown = others(reading.peers, quote)
    has = f" It has: {shown}." if shown else ""
    included = "".join(f" {note}" for note in reading.notes)
    return refuse(
        "compare-no-peer",
        f"No connection in this text leads to the VPN gateway, {gateway.address}.{has}{included}",
    )


def _with_hint(error: RuleError, grammar: Grammar, text: str) -> RuleError:
    """The same refusal, with what the text looks like when that is another kind."""
    looks = recognise(text)
    if looks is None or looks is grammar:
        return error
    finding = error.findings[0]
    return refuse(
        finding.rule, f"{finding.message} The text looks like {looks.label}.", field="grammar"
    )
