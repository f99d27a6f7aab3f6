from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.diagnosis.excerpts import EXCERPTS, Excerpt, an_observed
from tunnels.domain.diagnosis import Code, Configured, LogEntry, Observed, diagnose
from tunnels.domain.diagnosis.model import WAITING
from tunnels.domain.diagnosis.signs import SIGNS
from tunnels.domain.status import Phase1

# Real lines that say nothing about a cause.
IRRELEVANT = (
    "sending packet: from 203.0.113.10[500] to 203.0.113.20[500] (240 bytes)",
    "received NAT-T (RFC 3947) vendor ID",
    "IKE_SA vpnx-00000001[1] state change: CONNECTING => DESTROYING",
    "activating new tasks",
    "sending keep alive to 203.0.113.20[4500]",
    "vici client 3 requests: list-sas",
    "",
)
PEER = "203.0.113.20"
PAIR, OTHER_PAIR = "10.0.0.0/24 ↔ 192.168.0.0/24", "10.0.0.0/24 ↔ 192.168.99.0/24"
any_excerpt = st.sampled_from(EXCERPTS)
failing = st.sampled_from([one for one in EXCERPTS if one.named not in WAITING])


def code_of(lines: tuple[LogEntry, ...], configured: Configured, observed: Observed) -> Code | None:
    found = diagnose(lines, configured, observed)
    return found.code if found else None


def up(excerpt: Excerpt) -> Observed:
    pairs = ((one.local, one.remote) for one in excerpt.configured.mappings)
    return an_observed(Phase1.ESTABLISHED, *pairs)


@pytest.mark.parametrize("excerpt", EXCERPTS, ids=lambda excerpt: excerpt.name)
def test_it_names_what_was_provoked(excerpt: Excerpt) -> None:
    found = diagnose(excerpt.lines, excerpt.configured, excerpt.observed)
    assert found is not None
    assert found.code is excerpt.named
    assert excerpt.provoked in {found.code, *found.also}
    assert found.is_fault is (found.code not in WAITING)
    assert found.cause
    assert "{" not in found.cause
    assert found.advice
    if found.is_fault:
        assert found.evidence in excerpt.lines


@pytest.mark.parametrize(
    ("name", "ours", "theirs", "field"),
    [
        ("identity-mismatch-the-customer-sends-another-identity-ikev2-peer",
         PEER, "other.example.com", "remote_fqdn"),
        ("identity-mismatch-the-customer-sends-another-identity-ikev1-main-we",
         PEER, "other.example.com", "remote_fqdn"),
        ("identity-mismatch-the-customer-sends-another-identity-ikev1-aggressive-peer",
         PEER, "other.example.com", "remote_fqdn"),
        ("identity-mismatch-the-customer-expects-another-identity-of-us-ikev2-peer",
         "203.0.113.10", "other.example.com", "local_fqdn"),
        ("ts-mismatch-another-range-at-the-customer-ikev2-peer", PAIR, OTHER_PAIR, "rules"),
        ("ts-mismatch-another-range-at-the-customer-ikev1-main-peer", PAIR, OTHER_PAIR, "rules"),
        ("ike-proposal-mismatch-aes-128-sha1-and-dh2-at-the-customer-ikev1-main-peer",
         "AES-256 / SHA2-256 / DH31 (Curve25519)", "AES-128 / SHA1 / DH2 (1024-bit MODP)", "encryption"),
        ("ike-proposal-mismatch-another-dh-group-at-the-customer-ikev2-peer",
         "AES-256 / SHA2-256 / DH31 (Curve25519)", "AES-256 / SHA2-256 / DH19 (256-bit elliptic curve)", "dh_group"),
        ("esp-proposal-mismatch-aes-128-and-sha1-at-the-customer-ikev2-peer",
         "AES-256 / SHA2-256", "AES-128 / SHA1", "encryption"),
        ("pfs-mismatch-pfs-only-at-the-customer-ikev1-main-peer",
         "AES-256 / SHA2-256", "AES-256 / SHA2-256 / DH14 (2048-bit MODP)", "pfs"),
        ("ike-version-mismatch-ikev1-at-the-customer-ikev2-peer", "IKEv2", "IKEv1", "version"),
        ("local-range-without-address-a-local-range-of-which-our-gateway-has-no-address-ikev2-we",
         "10.9.9.0/24", "", "rules"),
        ("lifetime-rekey-keys-of-the-customer-live-2-s-and-are-not-renewed-ikev1-main-peer",
         "3600 s", "2 s", "lifetime_seconds"),
    ],
)  # fmt: skip
def test_it_shows_the_values_of_both_sides(name: str, ours: str, theirs: str, field: str) -> None:
    excerpt = next(one for one in EXCERPTS if one.name == name)
    found = diagnose(excerpt.lines, excerpt.configured, excerpt.observed)
    assert found is not None
    assert (found.ours, found.theirs, found.field) == (ours, theirs, field)


def test_there_are_excerpts_of_every_code() -> None:
    assert {excerpt.named for excerpt in EXCERPTS} == set(Code)
    assert all(excerpt.charon for excerpt in EXCERPTS)


@given(excerpt=any_excerpt, data=st.data())
def test_it_does_not_mind_irrelevant_lines(excerpt: Excerpt, data: st.DataObject) -> None:
    lines = list(excerpt.lines)
    for text in data.draw(st.lists(st.sampled_from(IRRELEVANT), max_size=6)):
        assert not any(pattern.match(text) for pattern, _ in SIGNS)
        place = data.draw(st.integers(0, len(lines)))
        at = lines[min(place, len(lines) - 1)].at if lines else excerpt_time()
        lines.insert(place, LogEntry(at=at, group="ike", level=1, text=text))
    expected = diagnose(excerpt.lines, excerpt.configured, excerpt.observed)
    assert diagnose(lines, excerpt.configured, excerpt.observed) == expected


@given(excerpt=failing, data=st.data())
def test_it_never_shows_the_key(excerpt: Excerpt, data: st.DataObject) -> None:
    key = excerpt.configured.secret.reveal()
    lines = []
    for line in excerpt.lines:
        words = line.text.split("'")
        place = data.draw(st.integers(0, len(words) - 1))
        words[place] += key
        lines.append(LogEntry(at=line.at, group=line.group, level=line.level, text="'".join(words)))
    found = diagnose(lines, excerpt.configured, excerpt.observed)
    assert key not in repr(found)
    assert key not in repr(excerpt.configured)


@given(excerpt=failing)
def test_it_is_silent_after_success(excerpt: Excerpt) -> None:
    one = excerpt.configured.mappings[0]
    good = (
        "initiating IKE_SA vpnx-00000001[9] to 203.0.113.20",
        "parsed IKE_AUTH response 1 [ IDr AUTH SA TSi TSr ]",
        "IKE_SA vpnx-00000001[9] established between 203.0.113.10[203.0.113.10]...203.0.113.20[203.0.113.20]",
        *(
            f"CHILD_SA {name}{{9}} established with SPIs c1_i c2_o and TS {one.local} === {one.remote}"
            for name in children(excerpt)
        ),
    )
    last = excerpt.lines[-1]
    more = (LogEntry(at=last.at, group="ike", level=0, text=text) for text in good)
    assert diagnose((*excerpt.lines, *more), excerpt.configured, up(excerpt)) is None


@given(first=failing, second=failing)
def test_the_newest_refusal_wins(first: Excerpt, second: Excerpt) -> None:
    refusals = {
        Code.PSK_MISMATCH, Code.IDENTITY_MISMATCH, Code.AUTH_FAILED, Code.IKE_PROPOSAL_MISMATCH,
        Code.IKE_VERSION_MISMATCH, Code.ESP_PROPOSAL_MISMATCH, Code.TS_MISMATCH,
    }  # fmt: skip
    if second.named in refusals:
        lines = first.lines + second.lines
        assert code_of(lines, second.configured, second.observed) is second.named


word = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["[", "]", "{1}", "===", "'", "999999999999", "IKE:", "/"]),
)
torn = st.tuples(any_excerpt, st.integers(0, 60), st.integers(0, 80), word).map(
    lambda drawn: (
        (lines := drawn[0].lines or EXCERPTS[0].lines)[drawn[1] % len(lines)].text[: drawn[2]]
        + drawn[3]
    )
)


@given(
    excerpt=any_excerpt,
    texts=st.lists(st.one_of(torn, st.text()), max_size=12),
    levels=st.lists(st.integers(-1, 4), min_size=12, max_size=12),
)
def test_it_never_raises(excerpt: Excerpt, texts: list[str], levels: list[int]) -> None:
    lines = [
        LogEntry(at=excerpt_time(), group="ike", level=level, text=text)
        for text, level in zip(texts, levels, strict=False)
    ]
    found = diagnose((*excerpt.lines, *lines), excerpt.configured, excerpt.observed)
    assert found is None or isinstance(found.code, Code)
    loud = [line for line in lines if line.level <= 2]
    assert diagnose((*excerpt.lines, *loud), excerpt.configured, excerpt.observed) == found


def excerpt_time() -> datetime:
    return EXCERPTS[0].lines[0].at


def children(excerpt: Excerpt) -> set[str]:
    """The names of the CHILD_SAs in its lines."""
    names = {
        word.split("{")[0]
        for line in excerpt.lines
        for word in line.text.split()
        if word.startswith("vpnx-") and "{" in word
    }
    return names or {"vpnx-00000001-6f2fac89"}
