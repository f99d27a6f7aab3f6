"""What a platform is, and how one tunnel becomes files for it.

Rendering has two stages: a platform decides in Python, into frozen values, what its file shall say; its
template only prints those values. A platform never sees the key of a redacted copy: the key is exchanged
for a placeholder before the platform is asked, so that no template can forget to hide it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from tunnels.devices.abilities import Abilities, generic_losses, refusals
from tunnels.devices.questions import Answers, Question, answered
from tunnels.domain.findings import Finding, RuleError, refuse
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

# Visible ASCII without quotes or blanks: a valid key in every grammar, and plainly none that anybody uses.
PSK_PLACEHOLDER: Final = "REPLACE-WITH-THE-PRE-SHARED-KEY"
# Fits every cipher, either family inside and outside, and NAT traversal on a 1500-byte path.
SAFE_MSS: Final = 1300


def nothing_unsupported(_spec: TunnelSpec) -> list[Finding]:
    """For a platform whose abilities say all."""
    return []


def nothing_lost(_spec: TunnelSpec) -> list[str]:
    """For a platform that expresses all of what it can express in full."""
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one file is written from: the tunnel (its key already exchanged when `redacted`), the device's version with
    its abilities, the answers, the sentences on what is lost, and the stamps.

    `now` is in UTC.
    """

    platform: Platform
    spec: TunnelSpec
    version: str
    abilities: Abilities
    answers: Answers
    losses: tuple[str, ...]
    redacted: bool
    now: datetime
    console_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a platform: `filename` is a pattern with `{tunnel_id}`, `write` makes the text."""

    filename: str
    write: Callable[[Order], str]
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One kind of device.

    `id` is stable (it is stored and stands in URLs), `vendor` and `name` are what people pick. `abilities` has
    one entry for each version that is offered, the most usual first. `unsupported` names what the abilities have
    no table for (then nothing is rendered); it is asked only when they refuse nothing, so that every word is there.
    `losses` are sentences on what the device does only in part. `leads` puts it before its vendor's others, when the
    order of the folders is not that of usefulness.
    """

    id: str
    vendor: str
    name: str
    abilities: Mapping[str, Abilities]
    parts: tuple[Part, ...]
    questions: tuple[Question, ...] = ()
    unsupported: Callable[[TunnelSpec], list[Finding]] = nothing_unsupported
    losses: Callable[[TunnelSpec], list[str]] = nothing_lost
    leads: bool = False

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that are offered, the most usual first."""
        return tuple(self.abilities)

    @property
    def label(self) -> str:
        """The device's name in a sentence."""
        return f"{self.vendor} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A finished file. `text` holds the key in clear unless it is a redacted copy: keep it out of logs."""

    filename: str
    text: str
    media_type: str

    def __repr__(self) -> str:
        return f"File(filename={self.filename!r}, text=••••)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """The bytes that a browser saves; they may hold the key."""

    filename: str
    content: bytes
    media_type: str

    def __repr__(self) -> str:
        return f"Download(filename={self.filename!r}, content=••••)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """All files for one device, at least one, and the warnings that are in them too.

    `bundle` is the name under which several files are downloaded together, `now` the time inside it.
    """

    files: tuple[File, ...]
    bundle: str
    now: datetime
    warnings: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text of all files, one after the other."""
        return "".join(file.text for file in self.files)

    def download(self) -> Download:
        """The only file as it is, or several as a ZIP archive."""
        if len(self.files) == 1:
            only = self.files[0]
            return Download(
                filename=only.filename, content=only.text.encode(), media_type=only.media_type
            )
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
            for file in self.files:
                info = zipfile.ZipInfo(file.filename, self.now.timetuple()[:6])
                # They hold a key: nobody but their owner reads them once they are unpacked.
                info.external_attr = 0o600 << 16
                bundle.writestr(info, file.text)
        return Download(
            filename=self.bundle, content=archive.getvalue(), media_type="application/zip"
        )


def find_version(platform: Platform, version: str) -> str:
    """The version, which the platform must have. Raises RuleError when it has none of that name."""
    if version not in platform.abilities:
        choices = ", ".join(platform.versions)
        raise refuse(
            "unknown-version", f"Choose one of these versions: {choices}.", field="version"
        )
    return version


def obstacles(platform: Platform, version: str, spec: TunnelSpec) -> list[Finding]:
    """Why the platform in this version, one of its own, cannot be the tunnel's other end; nothing when it can."""
    found = refusals(platform.label, platform.abilities[version], spec)
    return found or platform.unsupported(spec)


def render(
    platform: Platform,
    spec: TunnelSpec,
    *,
    version: str,
    redacted: bool,
    now: datetime,
    console_version: str,
    given: Mapping[str, str] | None = None,
) -> Rendering:
    """The configuration of `spec` for `platform`, as the customer's device needs it.

    `given` are answers to the platform's questions; where there is none, the usual one is taken. Equal arguments give
    equal files. Raises RuleError when the platform has no such version, cannot express the tunnel, or does not take
    an answer (one finding for each reason); ValueError when `now` does not know its time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must know its time zone")
    abilities = platform.abilities[find_version(platform, version)]
    findings = obstacles(platform, version, spec)
    if findings:
        raise RuleError(findings)
    losses = (*generic_losses(platform.label, abilities, spec), *platform.losses(spec))
    stamp = now.astimezone(UTC)
    order = Order(
        platform=platform,
        spec=replace(spec, psk=Secret(PSK_PLACEHOLDER)) if redacted else spec,
        version=version,
        abilities=abilities,
        answers=answered(platform.questions, given or {}, spec),
        losses=losses,
        redacted=redacted,
        now=stamp,
        console_version=console_version,
    )
    return Rendering(
        files=tuple(
            File(
                filename=part.filename.format(tunnel_id=spec.id),
                text=part.write(order),
                media_type=part.media_type,
            )
            for part in platform.parts
        ),
        bundle=f"{spec.id}-{platform.id}.zip",
        now=stamp,
        warnings=losses,
    )
