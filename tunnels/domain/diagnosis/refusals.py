"""What lines mean that tell of a refusal, by the peer or by us."""

from __future__ import annotations

import re

from tunnels.domain.diagnosis.model import Code
from tunnels.domain.diagnosis.offers import differing, our_esp, parse_offers
from tunnels.domain.diagnosis.progress import AUTHENTICATION
from tunnels.domain.diagnosis.story import Story


def offered(story: Story, match: re.Match[str]) -> None:
    """The peer's proposals; at level 1 only when none of them will do."""
    story.offers = parse_offers(match["offers"])


def ike_refused(story: Story, _match: re.Match[str]) -> None:
    """None of the peer's IKE proposals is acceptable to us."""
    story.fail(Code.IKE_PROPOSAL_MISMATCH, offers=story.offers)


def esp_refused(story: Story, _match: re.Match[str]) -> None:
    """None of the peer's ESP proposals is acceptable to us; when all but the group agrees, PFS is what differs."""
    only_group = differing(our_esp(story.ipsec), story.offers) == "group"
    story.fail_child(
        Code.PFS_MISMATCH if only_group else Code.ESP_PROPOSAL_MISMATCH,
        offers=story.offers,
        renewal=story.attempt.has_child,
    )


def child_refused(story: Story, match: re.Match[str]) -> None:
    """IKEv2: the peer refuses a CHILD_SA and says what it dislikes."""
    if match["notify"] == "TS_UNACCEPTABLE":
        story.fail_child(Code.TS_MISMATCH)
    elif story.attempt.has_child and story.sent == "CREATE_CHILD_SA":
        # The first CHILD_SA passed with the same algorithms; only there no group is asked for (RFC 7296 §1.2).
        renewal = "REKEY_SA" in story.sent_payloads
        story.fail_child(Code.PFS_MISMATCH, also=(Code.ESP_PROPOSAL_MISMATCH,), renewal=renewal)
    else:
        story.fail_child(Code.ESP_PROPOSAL_MISMATCH)


def no_proposal(story: Story, _match: re.Match[str]) -> None:
    """The peer chose nothing. In phase 1 it says the same when it does not know us, or not in this version."""
    if story.attempt.established:
        renewal = story.attempt.has_child
        story.fail_child(Code.ESP_PROPOSAL_MISMATCH, also=(Code.PFS_MISMATCH,), renewal=renewal)
    else:
        story.fail(Code.IKE_PROPOSAL_MISMATCH, also=(Code.IKE_VERSION_MISMATCH,))


def group_refused(story: Story, match: re.Match[str]) -> None:
    """One side wants a Diffie-Hellman group that the other does not have."""
    offers = parse_offers(f"IKE:{match['group']}")
    if story.attempt.established:
        story.fail_child(Code.PFS_MISMATCH, offers=offers, renewal=story.attempt.has_child)
    else:
        story.fail(Code.IKE_PROPOSAL_MISMATCH, offers=offers)


def ranges_refused(story: Story, match: re.Match[str]) -> None:
    """We refuse the peer's ranges."""
    story.fail_child(Code.TS_MISMATCH, theirs=f"{match['local']} ↔ {match['remote']}")


def no_ranges(story: Story, _match: re.Match[str]) -> None:
    """The peer's answer names no range that we asked for."""
    story.fail_child(Code.TS_MISMATCH)


def invalid_id(story: Story, _match: re.Match[str]) -> None:
    """IKEv1 calls both unknown ranges and an unknown identity an invalid id."""
    if story.attempt.established:
        story.fail_child(Code.TS_MISMATCH)
    else:
        story.fail(Code.IDENTITY_MISMATCH)


def no_config(story: Story, _match: re.Match[str]) -> None:
    """Nothing is configured for these addresses in this version: when it is our tunnel, the version differs."""
    if story.parsed_version not in (0, story.ike.version):
        story.fail(Code.IKE_VERSION_MISMATCH, theirs=f"IKEv{story.parsed_version}")


def version_refused(story: Story, _match: re.Match[str]) -> None:
    """One side does not speak the other's version at all."""
    story.fail(Code.IKE_VERSION_MISMATCH)


def identities(story: Story, match: re.Match[str]) -> None:
    """The identities by which the peer calls us (IKEv2 only) and itself."""
    story.identities = (match["us"] or "", match["them"])


def unknown_identity(story: Story, _match: re.Match[str]) -> None:
    """Nothing is configured for these identities."""
    us, them = story.identities
    story.fail(Code.IDENTITY_MISMATCH, ours=us, theirs=them)


def other_identity(story: Story, match: re.Match[str]) -> None:
    """The peer calls itself something else than we expect."""
    story.fail(Code.IDENTITY_MISMATCH, theirs=match["them"])


def no_key(story: Story, _match: re.Match[str]) -> None:
    """We hold no key for the peer's identity."""
    story.fail(Code.IDENTITY_MISMATCH)


def wrong_key(story: Story, _match: re.Match[str]) -> None:
    """The peer proved another key than ours."""
    story.fail(Code.PSK_MISMATCH)


def undecipherable(story: Story, _match: re.Match[str]) -> None:
    """IKEv1 main mode encrypts the identities with a key made from the PSK: unreadable means another PSK."""
    if story.is_v1 and not story.attempt.established and not story.attempt.failed:
        story.fail(Code.PSK_MISMATCH)


def authentication_failed(story: Story, _match: re.Match[str]) -> None:
    """The peer says only that authentication failed.

    IKEv1 tells more: an encrypted answer in main mode shows that the key fits, and an answer to the first message of
    aggressive mode comes before any key was proven. That leaves the identity.
    """
    if story.is_v1 and (story.attempt.aggressive or "HASH" in story.parsed_payloads):
        story.fail(Code.IDENTITY_MISMATCH, also=(Code.PSK_MISMATCH,))
    else:
        story.fail(Code.AUTH_FAILED, also=AUTHENTICATION)


def refused_unread(story: Story, _match: re.Match[str]) -> None:
    """IKEv1 aggressive mode: instead of its last message the peer sends a notification, which charon puts off."""
    attempt = story.attempt
    if attempt.aggressive and not attempt.by_us and not attempt.established:
        story.fail(Code.AUTH_FAILED, also=AUTHENTICATION)


def no_route(story: Story, match: re.Match[str]) -> None:
    """kernel-libipsec finds no address of this machine in the local range."""
    story.route = match["local"]


def not_installed(story: Story, _match: re.Match[str]) -> None:
    """The CHILD_SA was agreed on, and our own machine could not install it."""
    if story.route:
        story.fail_child(Code.LOCAL_RANGE_WITHOUT_ADDRESS, ours=story.route)
    else:
        story.fail_child(Code.KERNEL_INSTALL_FAILED)
    story.route = ""
