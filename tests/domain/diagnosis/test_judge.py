from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.domain.diagnosis.excerpts import a_configured, an_observed
from tunnels.domain.diagnosis import Code, Configured, Diagnosis, LogEntry, Observed, Step, diagnose
from tunnels.domain.diagnosis.causes import TEXTS
from tunnels.domain.diagnosis.judge import EVIDENCE_MAX, VALUE_MAX
from tunnels.domain.proposals import IkeVersion, Mode, Negotiation
from tunnels.domain.status import Intent, Phase1

PEER = "203.0.113.20"
ESTABLISHED = f"IKE_SA vpnx-1[1] established between 203.0.113.10[203.0.113.10]...{PEER}[{PEER}]"
BEGIN = f"initiating IKE_SA vpnx-1[1] to {PEER}"
ANSWER = "parsed IKE_SA_INIT response 0 [ SA KE No ]"
TWO = ("192.168.0.0/24", "192.168.1.0/24")


def child_up(name: str, remote: str) -> str:
    return f"CHILD_SA {name}{{1}} established with SPIs c1_i c2_o and TS 10.0.0.0/24 === {remote}"


def child_closes(name: str, remote: str, expired: str = "") -> str:
    return (
        f"closing {expired}CHILD_SA {name}{{1}} with SPIs c1_i c2_o and TS 10.0.0.0/24 === {remote}"
    )


def told(*texts: str, seconds: float = 1.0) -> list[LogEntry]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        LogEntry(at=start + timedelta(seconds=seconds * number), group="ike", level=1, text=text)
        for number, text in enumerate(texts)
    ]


def up(configured: Configured, *numbers: int) -> Observed:
    pairs = [(configured.mappings[n].local, configured.mappings[n].remote) for n in numbers]
    return an_observed(Phase1.ESTABLISHED, *pairs)


def found(
    *texts: str, configured: Configured | None = None, observed: Observed | None = None
) -> Diagnosis:
    diagnosis = diagnose(told(*texts), configured or a_configured(), observed or an_observed())
    assert diagnosis is not None
    return diagnosis


def test_it_says_nothing_of_a_tunnel_that_shall_be_down() -> None:
    for intent in (Intent.DOWN, Intent.DELETING):
        configured = replace(a_configured(), intent=intent)
        assert diagnose(told("received DELETE for IKE_SA x[1]"), configured, an_observed()) is None


def test_it_says_nothing_while_we_are_about_to_begin() -> None:
    configured = a_configured(negotiation=Negotiation.ACTIVE)
    assert diagnose([], configured, an_observed()) is None


def test_it_gives_both_sides_values_in_our_labels() -> None:
    diagnosis = found(
        f"{PEER} is initiating an IKE_SA",
        "received proposals: IKE:AES_CBC_128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1024, "
        "IKE:AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384",
        "received proposals unacceptable",
    )
    assert diagnosis.code is Code.IKE_PROPOSAL_MISMATCH
    assert diagnosis.ours == "AES-256 / SHA2-256 / DH31 (Curve25519)"
    assert diagnosis.theirs == (
        "AES-128 / SHA1 / DH2 (1024-bit MODP); or "
        "AES-256-GCM / PRF SHA2-384 / DH20 (384-bit elliptic curve)"
    )
    assert (diagnosis.step, diagnosis.field) == (Step.IKE, "encryption")


@pytest.mark.parametrize(
    ("offer", "code", "field"),
    [
        ("ESP:AES_CBC_256/HMAC_SHA2_512_256/MODP_2048/NO_EXT_SEQ", Code.ESP_PROPOSAL_MISMATCH, "integrity"),
        ("ESP:AES_CBC_128/HMAC_SHA2_256_128/MODP_2048/NO_EXT_SEQ", Code.ESP_PROPOSAL_MISMATCH, "encryption"),
        ("ESP:AES_CBC_256/HMAC_SHA2_256_128/NO_EXT_SEQ", Code.PFS_MISMATCH, "pfs"),
        ("ESP:AES_CBC_256/HMAC_SHA2_256_128/MODP_1024/NO_EXT_SEQ", Code.PFS_MISMATCH, "pfs"),
        ("", Code.ESP_PROPOSAL_MISMATCH, "encryption"),
    ],
)  # fmt: skip
def test_it_tells_pfs_from_the_other_settings_of_phase_2(
    offer: str, code: Code, field: str
) -> None:
    diagnosis = found(
        ESTABLISHED,
        f"received proposals: {offer}",
        "no acceptable proposal found",
        configured=a_configured(pfs="dh14"),
    )
    assert (diagnosis.code, diagnosis.step, diagnosis.field) == (code, Step.IPSEC, field)


def test_it_keeps_the_failure_of_one_pair_while_another_is_renewed() -> None:
    configured = a_configured(remotes=TWO)
    diagnosis = found(
        BEGIN, ANSWER, ESTABLISHED, child_up("a", TWO[0]),
        "establishing CHILD_SA b{2}", "received TS_UNACCEPTABLE notify, no CHILD_SA built",
        child_up("a", TWO[0]),
        "received DELETE for ESP CHILD_SA with SPI c1", child_closes("a", TWO[0]),
        configured=configured, observed=up(configured, 0),
    )  # fmt: skip
    assert diagnosis.code is Code.TS_MISMATCH
    assert diagnosis.ours == f"10.0.0.0/24 ↔ {TWO[1]}"


def test_it_forgets_the_failure_of_a_pair_that_came_up() -> None:
    configured = a_configured(remotes=TWO, negotiation=Negotiation.ACTIVE)
    lines = told(
        ESTABLISHED, "establishing CHILD_SA b{2}", "received TS_UNACCEPTABLE notify, no CHILD_SA built",
        "establishing CHILD_SA b{3}", child_up("b", TWO[1]),
    )  # fmt: skip
    assert diagnose(lines, configured, up(configured, 1)) is None


def test_it_warns_of_keys_that_cannot_be_renewed_while_the_tunnel_is_up() -> None:
    configured = a_configured(pfs="dh14")
    lines = (
        BEGIN, ANSWER, ESTABLISHED, child_up("a", TWO[0]),
        "generating CREATE_CHILD_SA request 2 [ N(REKEY_SA) SA No KE TSi TSr ]",
        "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built",
        "CHILD_SA rekeying failed, trying again in 8 seconds",
    )  # fmt: skip
    assert (
        found(*lines, configured=configured, observed=up(configured, 0)).code is Code.PFS_MISMATCH
    )
    unexplained = (*lines[:4], lines[-1])
    diagnosis = found(*unexplained, configured=configured, observed=up(configured, 0))
    assert diagnosis.code is Code.LIFETIME_REKEY


def test_further_silence_is_no_news_after_the_peer_stopped_answering() -> None:
    silence = (BEGIN, "retransmit 2 of request with message ID 0", "giving up after 5 retransmits")
    gone = (BEGIN, ANSWER, ESTABLISHED, "sending DPD request", "giving up after 5 retransmits")
    diagnosis = found(*gone, *silence, *silence)
    assert diagnosis.code is Code.DPD_TIMEOUT
    assert diagnosis.evidence == told(*gone)[-1]
    assert found(*silence).code is Code.PEER_UNREACHABLE
    assert (
        found(*gone, BEGIN, "received AUTHENTICATION_FAILED notify error").code is Code.AUTH_FAILED
    )


def test_charon_turning_round_an_attempt_of_the_peer_proves_nothing() -> None:
    configured = a_configured(version=IkeVersion.V1, mode=Mode.AGGRESSIVE)
    refused = (
        f"{PEER} is initiating a Aggressive Mode IKE_SA",
        "queueing INFORMATIONAL_V1 request as tasks still active",
        "sending retransmit 1 of response message ID 0, seq 1",
        "giving up after 5 retransmits",
        "peer not responding, trying again (2/0)",
        "unable to change initiator SPI of IKE_SA as responder",
        f"initiating Aggressive Mode IKE_SA vpnx-1[1] to {PEER}",
        "sending retransmit 2 of request message ID 0, seq 1",
        "giving up after 5 retransmits",
    )
    assert found(*refused, configured=configured).code is Code.AUTH_FAILED


def test_level_2_tells_which_pair_the_peer_asked_for() -> None:
    configured = a_configured(remotes=TWO)
    refused = "no acceptable proposal found"
    asked = [f"looking for a child config for 10.0.0.0/24 === {remote}" for remote in TWO]
    one_up = up(configured, 0)
    assert found(ESTABLISHED, asked[1], refused, configured=configured, observed=one_up).is_fault
    assert not found(
        ESTABLISHED, asked[0], refused, configured=configured, observed=one_up
    ).is_fault


def test_one_repetition_is_chance() -> None:
    lines = told(BEGIN, "retransmit 1 of request with message ID 0")
    assert diagnose(lines, a_configured(negotiation=Negotiation.ACTIVE), an_observed()) is None


def test_an_idle_tunnel_may_be_ended_when_traffic_opens_it() -> None:
    texts = (ESTABLISHED, "received DELETE for IKE_SA vpnx-1[1]")
    on_traffic = found(*texts, configured=a_configured(negotiation=Negotiation.ON_TRAFFIC))
    assert on_traffic.code is Code.WAITING_FOR_TRAFFIC
    assert not on_traffic.is_fault
    assert on_traffic.evidence == told(*texts)[-1]
    assert found(*texts).code is Code.DELETED_BY_PEER


def test_a_half_open_attempt_does_not_hide_why_it_failed() -> None:
    begins = f"{PEER} is initiating a Main Mode IKE_SA"
    ends = f"deleting half open IKE_SA with {PEER} after timeout"
    configured = a_configured(version=IkeVersion.V1)
    failed = (begins, "could not decrypt payloads", begins, ends)
    assert found(*failed, configured=configured).code is Code.PSK_MISMATCH
    # Two attempts later the old failure explains nothing any more.
    assert found(*failed, ends, begins, ends, configured=configured).code is Code.HALF_OPEN


def test_a_peer_that_repeats_itself_does_not_hear_us() -> None:
    attempt = (f"{PEER} is initiating an IKE_SA", "remote host is behind NAT")
    again = "received retransmit of request with ID 0, retransmitting response"
    ends = f"deleting half open IKE_SA with {PEER} after timeout"
    assert found(*attempt, ends).code is Code.NAT_WITHOUT_4500
    assert found(*attempt, again, *attempt, again, ends).code is Code.NAT_WITHOUT_4500
    assert found(*attempt, again, again, ends).code is Code.HALF_OPEN
    went_on = "parsed ID_PROT request 0 [ KE No NAT-D NAT-D ]"
    assert found(*attempt, again, again, went_on, ends).code is Code.NAT_WITHOUT_4500


def test_the_lifetime_of_the_peer_is_what_ended_a_pair_only_when_it_was_reached() -> None:
    configured = a_configured(version=IkeVersion.V1)
    texts = (
        ESTABLISHED, "received 10s lifetime, configured 3600s", child_up("a", TWO[0]),
        "received DELETE for ESP CHILD_SA with SPI c1", child_closes("a", TWO[0]),
    )  # fmt: skip
    slow = diagnose(told(*texts, seconds=5), configured, an_observed())
    quick = diagnose(told(*texts, seconds=1), configured, an_observed())
    assert slow is not None
    assert (slow.code, slow.ours, slow.theirs) == (Code.LIFETIME_REKEY, "3600 s", "10 s")
    assert quick is not None
    assert quick.code is Code.DELETED_BY_PEER


def test_no_configuration_in_the_same_version_is_no_mismatch_of_versions() -> None:
    texts = (
        "parsed IKE_SA_INIT request 0 [ SA KE No ]",
        "no IKE config found for a...b, sending NO_PROPOSAL_CHOSEN",
    )
    active = a_configured(negotiation=Negotiation.ACTIVE)
    assert diagnose(told(*texts), active, an_observed()) is None
    assert found(*texts, configured=a_configured(version=IkeVersion.V1)).theirs == "IKEv2"


@pytest.mark.parametrize(
    ("text", "version", "code"),
    [
        ("no shared key found for 'a' - 'b'", IkeVersion.V2, Code.IDENTITY_MISMATCH),
        ("received IDr other.example.com, but require 203.0.113.20", IkeVersion.V2, Code.IDENTITY_MISMATCH),
        ("constraint check failed: identity '203.0.113.20' required", IkeVersion.V2, Code.IDENTITY_MISMATCH),
        ("received INVALID_MAJOR_VERSION notify error", IkeVersion.V2, Code.IKE_VERSION_MISMATCH),
        ("requested DH group MODP_1024 not contained in any of our proposals", IkeVersion.V2,
         Code.IKE_PROPOSAL_MISMATCH),
        ("received INVALID_HASH_INFORMATION error notify", IkeVersion.V1, Code.PSK_MISMATCH),
        ("received PAYLOAD_MALFORMED error notify", IkeVersion.V1, Code.PSK_MISMATCH),
        ("unable to allocate SPIs from kernel", IkeVersion.V2, Code.KERNEL_INSTALL_FAILED),
        ("no acceptable traffic selectors found", IkeVersion.V2, Code.TS_MISMATCH),
    ],
)  # fmt: skip
def test_it_knows_wordings_that_the_lab_does_not_provoke(
    text: str, version: IkeVersion, code: Code
) -> None:
    assert found(BEGIN, text, configured=a_configured(version=version)).code is code


def test_it_shows_no_endless_line_or_value() -> None:
    name = "x" * 1_500
    looking = f"looking for peer configs matching 203.0.113.10[203.0.113.10]...{PEER}[{name}]"
    diagnosis = found(looking, "no matching peer config found")
    assert len(diagnosis.theirs) == VALUE_MAX
    long = found("no shared key found for " + name)
    assert long.evidence is not None
    assert len(long.evidence.text) == EVIDENCE_MAX


def test_every_code_has_its_sentences() -> None:
    assert set(TEXTS) == set(Code)
    for text in TEXTS.values():
        for sentence in (text.cause, text.advice):
            assert sentence.endswith(".")
        assert text.cause.format(peer=PEER)
        assert bool(text.step) is bool(text.field)
