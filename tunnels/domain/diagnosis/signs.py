"""The lines that mean something, and what reads them. The wording is that of charon 5.9.8, log levels 0 to 2."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tunnels.domain.diagnosis import progress, refusals
from tunnels.domain.diagnosis.model import LogEntry
from tunnels.domain.diagnosis.story import Story

# charon prints keys from level 4 on, packets from 3: those lines are never looked at.
LEVEL_MAX = 2
TEXT_MAX = 2_000

Told = Callable[[Story, re.Match[str]], None]

_CHILD = r"(?P<child>\S+?)\{\d+\}"
_PAIR = r"(?P<local>[0-9a-fA-F.:/]+) === (?P<remote>[0-9a-fA-F.:/]+)"
# IKEv1 prints the ranges of the one who asks first.
_PAIR_TURNED = r"(?P<remote>[0-9a-fA-F.:/]+) === (?P<local>[0-9a-fA-F.:/]+)"
_MESSAGE = r"(?P<exchange>\w+) (?P<kind>request|response) \d+ \[(?P<payloads>[^\]]*)\]"


def _sign(pattern: str, told: Told) -> tuple[re.Pattern[str], Told]:
    return re.compile(pattern, re.ASCII), told


# The first that fits is taken.
SIGNS: tuple[tuple[re.Pattern[str], Told], ...] = (
    _sign(r"(?:(?P<peer>\S+) is )?initiating (?:an? )?(?:\w+ Mode )?IKE_SA\b", progress.begins),
    _sign(rf"parsed {_MESSAGE}", progress.parsed),
    _sign(rf"generating {_MESSAGE}", progress.generated),
    _sign(r"(?:local|remote) host is behind NAT", progress.behind_nat),
    _sign(r"IKE_SA \S+ (?:established|rekeyed) between ", progress.ike_up),
    _sign(rf"establishing CHILD_SA {_CHILD}", progress.child_begins),
    _sign(rf"looking for a child config for {_PAIR}", progress.child_asked),
    _sign(
        rf"(?:(?:in|out)bound )?CHILD_SA {_CHILD} established with SPIs .* and TS {_PAIR}",
        progress.child_up,
    ),
    _sign(
        rf"closing (?P<expired>expired )?CHILD_SA {_CHILD} with SPIs .* and TS {_PAIR}",
        progress.child_closes,
    ),
    _sign(r"received DELETE for (?:ESP|AH) CHILD_SA", progress.child_deleted),
    _sign(r"received DELETE for IKE_SA", progress.ike_deleted),
    _sign(r"received (?P<seconds>\d{1,9})s lifetime, configured ", progress.lifetime),
    _sign(r"(?:CHILD|IKE)_SA rekeying failed|rekeying IKE_SA failed", progress.rekey_failed),
    _sign(
        r"(?:sending )?retransmit (?P<times>\d+) of (?:request|response) (?:with )?message",
        progress.repeats,
    ),
    _sign(r"received retransmit of request with ID ", progress.peer_repeats),
    _sign(r"giving up after \d+ retransmits", progress.gave_up),
    _sign(r"unable to change initiator SPI of IKE_SA as responder", progress.turns_round),
    _sign(r"deleting half open IKE_SA with ", progress.half_open),
    _sign(r"DPD check timed out", progress.dpd),
    # Proposals.
    _sign(r"received proposals: (?P<offers>.*)", refusals.offered),
    _sign(r"received proposals unacceptable|no proposal found$", refusals.ike_refused),
    _sign(
        r"no acceptable proposal found|no matching proposal found, sending ", refusals.esp_refused
    ),
    _sign(
        r"received (?P<notify>NO_PROPOSAL_CHOSEN|TS_UNACCEPTABLE) notify, no CHILD_SA built",
        refusals.child_refused,
    ),
    _sign(r"received NO_PROPOSAL_CHOSEN (?:notify error|error notify)", refusals.no_proposal),
    _sign(r"(?:\w+ )?DH group (?P<group>\w+) not (?:supported|contained)", refusals.group_refused),
    # Ranges.
    _sign(rf"traffic selectors {_PAIR} unacceptable", refusals.ranges_refused),
    _sign(rf"no matching CHILD_SA config found for {_PAIR_TURNED}", refusals.ranges_refused),
    _sign(
        r"no acceptable traffic selectors found|peer selected invalid traffic selectors"
        r"|traffic selectors .* unacceptable|no matching CHILD_SA config found for ",
        refusals.no_ranges,
    ),
    _sign(r"received INVALID_ID_INFORMATION (?:notify error|error notify)", refusals.invalid_id),
    # Versions.
    _sign(r"no IKE config found for ", refusals.no_config),
    _sign(
        r"received unsupported IKE version |received INVALID_MAJOR_VERSION ", refusals.version_refused
    ),
    # Identities and keys.
    _sign(
        r"looking for (?:[\w -]+ )?peer configs matching [^\[\s]+(?:\[(?P<us>.*)\])?\.\.\.[^\[\s]+\[(?P<them>.*)\]$",
        refusals.identities,
    ),
    _sign(r"no (?:matching )?peer config found|no alternative config found", refusals.unknown_identity),
    _sign(r"(?:received )?IDi?r '?(?P<them>.+?)'?(?: does not match to |, but require )", refusals.other_identity),
    _sign(r"constraint check failed: identity ", refusals.no_key),
    _sign(r"no shared key found for ", refusals.no_key),
    _sign(r"tried \d+ shared keys? for .* but MAC mismatched", refusals.wrong_key),
    _sign(r"calculated HASH does not match HASH payload", refusals.wrong_key),
    _sign(r"received INVALID_HASH_INFORMATION error notify", refusals.wrong_key),
    _sign(
        r"could not decrypt payloads|message (?:parsing|verification) failed|received PAYLOAD_MALFORMED error",
        refusals.undecipherable,
    ),
    _sign(r"received AUTHENTICATION_FAILED (?:notify error|error notify)", refusals.authentication_failed),
    _sign(r"queueing INFORMATIONAL_V1 request as tasks still active", refusals.refused_unread),
    # Our own machine.
    _sign(r"error installing route with policy (?P<local>\S+) === ", refusals.no_route),
    _sign(
        r"unable to install .*(?:\(SAD\)|\(SPD\)) in kernel|unable to allocate SPIs from kernel"
        r"|allocating SPI from kernel failed",
        refusals.not_installed,
    ),
)  # fmt: skip


def read(story: Story, lines: Iterable[LogEntry]) -> None:
    """Read the lines, oldest first, into the story."""
    for line in lines:
        if line.level > LEVEL_MAX:
            continue
        story.line = line
        text = line.text[:TEXT_MAX]
        for pattern, told in SIGNS:
            if match := pattern.match(text):
                told(story, match)
                break
