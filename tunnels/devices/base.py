"""What a platform is, and how one tunnel becomes a file for it.

Rendering has two stages: a platform decides in Python, into frozen values, what its file shall say; its
template only prints those values. A platform never sees the key of a redacted copy: the key is exchanged
for a placeholder before the platform is asked, so that no template can forget to hide it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from tunnels.domain.findings import Finding, RuleError, refuse
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

# Visible ASCII without quotes or blanks: a valid key in every grammar, and plainly none that anybody uses.
PSK_PLACEHOLDER = "REPLACE-WITH-THE-PRE-SHARED-KEY"


class Proof(StrEnum):
    """How we know that a platform's files are right."""

    LOADED = "loaded"
    READABLE = "readable"


PROOF_SENTENCES = {
    Proof.LOADED: "Loaded by the vendor's own software in our tests.",
    Proof.READABLE: "Made to be read by a person; no device reads it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One file to write: the tunnel (its key already exchanged when `redacted`), the version and the stamps.

    `now` is in UTC.
    """

    spec: TunnelSpec
    version: str
    redacted: bool
    now: datetime
    console_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One kind of device.

    `id` is stable (it is stored and stands in URLs), `vendor` and `name` are what people pick, `versions` the
    choices of the third list. `filename` is a pattern with `{tunnel_id}`. `write` makes the text;
    `unsupported` names what the device cannot do (then nothing is rendered); `losses` are sentences on what
    it does only in part.
    """

    id: str
    vendor: str
    name: str
    versions: tuple[str, ...]
    filename: str
    proof: Proof
    write: Callable[[Order], str]
    unsupported: Callable[[TunnelSpec], list[Finding]]
    losses: Callable[[TunnelSpec], list[str]]
    media_type: str = "text/plain; charset=utf-8"

    @property
    def proof_sentence(self) -> str:
        """How the files are proven, for people."""
        return PROOF_SENTENCES[self.proof]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A finished file. `text` holds the key in clear unless it is a redacted copy: keep it out of logs."""

    text: str
    filename: str
    media_type: str
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Rendering(filename={self.filename!r}, text=••••)"


def render(
    platform: Platform,
    spec: TunnelSpec,
    *,
    version: str,
    redacted: bool,
    now: datetime,
    console_version: str,
) -> Rendering:
    """The configuration of `spec` for `platform`, as the customer's device needs it.

    Equal arguments give equal text. Raises RuleError when the platform has no such version, or when it cannot express
    the tunnel (one finding for each reason); ValueError when `now` does not know its time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must know its time zone")
    if version not in platform.versions:
        choices = ", ".join(platform.versions)
        raise refuse(
            "unknown-version", f"Choose one of these versions: {choices}.", field="version"
        )
    findings = platform.unsupported(spec)
    if findings:
        raise RuleError(findings)
    shown = replace(spec, psk=Secret(PSK_PLACEHOLDER)) if redacted else spec
    order = Order(
        spec=shown,
        version=version,
        redacted=redacted,
        now=now.astimezone(UTC),
        console_version=console_version,
    )
    return Rendering(
        text=platform.write(order),
        filename=platform.filename.format(tunnel_id=spec.id),
        media_type=platform.media_type,
        warnings=tuple(platform.losses(spec)),
    )


def nothing_unsupported(_spec: TunnelSpec) -> list[Finding]:
    """For a platform that can express every tunnel."""
    return []


def nothing_lost(_spec: TunnelSpec) -> list[str]:
    """For a platform that expresses all of what it can express in full."""
    return []
