"""What lines mean that tell how far a tunnel got, how it ended, or that nobody answers."""

from __future__ import annotations

import re

from tunnels.domain.diagnosis.model import Code
from tunnels.domain.diagnosis.story import SILENT, Attempt, Story

# A CHILD_SA that lived for this share of the peer's lifetime died of it.
LIFETIME_SHARE = 0.75
V2_EXCHANGES = frozenset({"IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA", "INFORMATIONAL"})
ASKS_FOR_CHILD = frozenset({"IKE_AUTH", "CREATE_CHILD_SA", "QUICK_MODE"})
AUTHENTICATION = (Code.PSK_MISMATCH, Code.IDENTITY_MISMATCH)


def begins(story: Story, match: re.Match[str]) -> None:
    """An attempt begins; with IKEv2 a second time when the peer asks for a cookie."""
    by_us = match["peer"] is None
    # The line about the peer's first message stands before the one that says that it began.
    story.attempt = Attempt(
        by_us=by_us, aggressive="Aggressive" in match[0], answered=not by_us, void=story.turned
    )
    story.turned = False
    story.repetitions = 0
    story.child, story.pair, story.route, story.offers = "", None, "", ()
    if not by_us:
        story.peer_began.append(story.line.at)


def parsed(story: Story, match: re.Match[str]) -> None:
    """A message of the peer was understood."""
    exchange = match["exchange"]
    story.parsed_version = 2 if exchange in V2_EXCHANGES else 1
    story.parsed_payloads = match["payloads"]
    story.attempt.answered = True
    if "SA" not in story.parsed_payloads.split():
        # No first message: the peer has had our answer.
        story.repetitions, story.peer_repeats = 0, False
    if match["kind"] == "request" and exchange in ASKS_FOR_CHILD:
        story.child, story.pair = "", None
    if story.attempt.established and not story.attempt.confirmed:
        story.confirm()


def generated(story: Story, match: re.Match[str]) -> None:
    """We send a message."""
    story.sent, story.sent_payloads = match["exchange"], match["payloads"]
    story.explained = False


def behind_nat(story: Story, _match: re.Match[str]) -> None:
    """Address translation was found."""
    story.attempt.moved = True


def ike_up(story: Story, _match: re.Match[str]) -> None:
    """Phase 1 is done. Who begins aggressive mode says so with its last message, before anybody answers it."""
    story.attempt.established = True
    if not (story.attempt.by_us and story.attempt.aggressive):
        story.confirm()


def child_begins(story: Story, match: re.Match[str]) -> None:
    """We ask for one pair of ranges."""
    story.child, story.pair = match["child"], None


def child_asked(story: Story, match: re.Match[str]) -> None:
    """The peer asks for a pair of ranges (level 2 only)."""
    story.child, story.pair = "", (match["local"], match["remote"])


def child_up(story: Story, match: re.Match[str]) -> None:
    """Phase 2 is done for one pair of ranges."""
    name = match["child"]
    story.pairs[name] = (match["local"], match["remote"])
    story.up_at[name] = story.line.at
    story.confirm()
    story.attempt.has_child = True
    story.failures.pop(name, None)
    story.failures.pop("", None)


def child_closes(story: Story, match: re.Match[str]) -> None:
    """One CHILD_SA ends: the peer said so in the line before, its life is over, or it was rekeyed."""
    name = match["child"]
    story.child, story.pair = name, (match["local"], match["remote"])
    story.pairs[name] = story.pair
    deleted, story.deleted = story.deleted, False
    if match["expired"]:
        story.fail_child(Code.LIFETIME_REKEY)
    elif deleted and _outlived(story, name):
        story.fail_child(Code.LIFETIME_REKEY, theirs=f"{story.peer_lifetime} s")
    elif deleted:
        story.fail_child(Code.DELETED_BY_PEER, also=(Code.LIFETIME_REKEY,))


def child_deleted(story: Story, _match: re.Match[str]) -> None:
    """The peer ends a CHILD_SA; the next line says which."""
    story.deleted = True


def ike_deleted(story: Story, _match: re.Match[str]) -> None:
    """The peer ends the whole tunnel. With IKEv1, right after phase 1, it rather does not like who we are."""
    early = story.is_v1 and not story.attempt.has_child
    story.fail(Code.DELETED_BY_PEER, also=(Code.IDENTITY_MISMATCH,) if early else ())


def lifetime(story: Story, match: re.Match[str]) -> None:
    """The peer proposed another lifetime than ours (IKEv1, when the peer begins)."""
    story.peer_lifetime = int(match["seconds"])


def rekey_failed(story: Story, _match: re.Match[str]) -> None:
    """A rekey failed; mostly the lines before have told why."""
    if not story.explained:
        story.fail_child(Code.LIFETIME_REKEY, renewal=True)


def repeats(story: Story, match: re.Match[str]) -> None:
    """We send a message again. Once may be chance."""
    attempt = story.attempt
    if match["times"] != "1" and not (attempt.confirmed or attempt.failed or attempt.void):
        _silence(story)


def peer_repeats(story: Story, _match: re.Match[str]) -> None:
    """The peer sends its request again. Once may be chance; then our answers do not arrive."""
    story.repetitions += 1
    if story.repetitions > 1:
        story.peer_repeats = True


def gave_up(story: Story, _match: re.Match[str]) -> None:
    """No answer after all repetitions."""
    last = story.failures.get("")
    if story.attempt.confirmed:
        story.fail(Code.DPD_TIMEOUT)
    elif not story.attempt.void and (not story.attempt.failed or (last and last.code in SILENT)):
        _silence(story)


def turns_round(story: Story, _match: re.Match[str]) -> None:
    """charon will begin anew on an IKE_SA that the peer began, which cannot work: no evidence comes of that."""
    story.turned = True


def half_open(story: Story, _match: re.Match[str]) -> None:
    """The peer began and did not go on. An attempt that failed for a known cause ends like this too."""
    began = story.peer_began.popleft() if story.peer_began else None
    last = story.failures.get("")
    if last and last.code not in SILENT and (began is None or last.line.at >= began):
        return
    if story.attempt.moved and not story.peer_repeats:
        story.fail(Code.NAT_WITHOUT_4500, also=(Code.HALF_OPEN,))
    else:
        # In aggressive mode who answers learns of a NAT from a message that is sent to port 4500 already.
        story.fail(Code.HALF_OPEN, also=() if story.peer_repeats else (Code.NAT_WITHOUT_4500,))


def dpd(story: Story, _match: re.Match[str]) -> None:
    """The peer no longer answers the question whether it is there."""
    story.fail(Code.DPD_TIMEOUT)


def _silence(story: Story) -> None:
    attempt, last = story.attempt, story.failures.get("")
    if not attempt.answered:
        # After the peer fell silent, further silence is no news.
        if last is None or last.code is not Code.DPD_TIMEOUT:
            story.fail(Code.PEER_UNREACHABLE)
    elif attempt.moved and attempt.by_us:
        story.fail(Code.NAT_WITHOUT_4500, also=(Code.HALF_OPEN,))
    else:
        story.fail(Code.HALF_OPEN, also=(Code.NAT_WITHOUT_4500, *AUTHENTICATION))


def _outlived(story: Story, name: str) -> bool:
    began = story.up_at.get(name)
    if not story.peer_lifetime or began is None:
        return False
    return (story.line.at - began).total_seconds() >= LIFETIME_SHARE * story.peer_lifetime
