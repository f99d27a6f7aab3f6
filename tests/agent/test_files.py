"""What the agent keeps: the desired state, the journal, the counters; whole, private, and never believed too much."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.agent.documents import GATEWAY, KEY, ONE, a_tunnel
from tunnels.agent.charon import ChildSa
from tunnels.agent.fingerprint import prepare
from tunnels.agent.journal import Counter, Entry, Journal
from tunnels.agent.observe import accumulate
from tunnels.agent.state import DesiredState, StateStore

STATE = DesiredState(gateway=GATEWAY, revision=4, tunnels=(a_tunnel(),))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_state_comes_back_with_its_keys_and_is_private(tmp_path: Path) -> None:
    StateStore(tmp_path, gateway=GATEWAY).save(STATE)
    store = StateStore(tmp_path, gateway=GATEWAY)
    assert store.load() == STATE
    assert store.problem == ""
    assert mode(tmp_path / "desired.json") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["desired.json"]


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    assert StateStore(tmp_path, gateway=GATEWAY).load() is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"gateway": "vpngw-1a2b3c4d"}', b"\xff\xfe"]
)
def test_a_state_that_is_not_understood_is_set_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "desired.json").write_bytes(content)
    store = StateStore(tmp_path, gateway=GATEWAY)
    assert store.load() is None
    assert "was set aside as desired.json.corrupt-" in store.problem
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == content


def test_another_gateways_state_is_set_aside(tmp_path: Path) -> None:
    StateStore(tmp_path, gateway=GATEWAY).save(STATE)
    store = StateStore(tmp_path, gateway="vpngw-99999999")
    assert store.load() is None
    assert f"belongs to {GATEWAY}" in store.problem


def reopened(journal: Journal) -> Journal:
    journal.close()
    return Journal(journal._path.parent)


def an_entry(journal: Journal) -> Entry:
    ((wanted,), _) = prepare([a_tunnel()], journal.salt)
    return Entry(revision=3, applied=wanted.fingerprint, resets_done=2)


def test_the_journal_remembers_the_newest_and_is_private(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record(ONE, Entry(revision=1))
    journal.record(ONE, an_entry(journal))
    journal.record("vpnx-gone0000", Entry(revision=1))
    journal.forget("vpnx-gone0000")
    journal.count({f"{ONE}-aa": Counter(total=(1, 2, 3, 4), seen={"7": (1, 2, 3, 4)})})
    salt, entry = journal.salt, an_entry(journal)
    again = reopened(journal)
    assert dict(again.entries) == {ONE: entry}
    assert again.counters[f"{ONE}-aa"].total == (1, 2, 3, 4)
    assert again.salt == salt
    assert mode(tmp_path / "journal.jsonl") == 0o600
    again.close()


def test_the_journal_holds_no_key_and_no_digest_that_another_installation_shares(
    tmp_path: Path,
) -> None:
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        journal = Journal(tmp_path / name)
        journal.record(ONE, an_entry(journal))
        journal.close()
        contents.append((tmp_path / name / "journal.jsonl").read_text())
        assert KEY not in contents[-1]
        assert journal.entries[ONE].applied is not None
    one, two = (
        Entry.model_validate_json(text.splitlines()[-1].partition('"entry":')[2][:-1])
        for text in contents
    )
    assert one.applied is not None
    assert two.applied is not None
    assert one.applied.ike == two.applied.ike
    assert one.applied.psk != two.applied.psk


def test_a_line_cut_short_by_a_kill_never_counted(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record(ONE, Entry(revision=1))
    journal.record(ONE, Entry(revision=2))
    journal.close()
    path = tmp_path / "journal.jsonl"
    content = path.read_bytes()
    last = content.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(last, len(content)):
        path.write_bytes(content[:end])
        again = Journal(tmp_path)
        assert again.entries[ONE].revision == 1
        assert again.problem == ""
        again.close()


def test_a_journal_that_is_not_understood_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text(
        '{"schema": 1, "salt": "00"}\nnonsense\n{"tunnel": "x"}\n'
    )
    journal = Journal(tmp_path)
    assert dict(journal.entries) == {}
    assert "set aside as journal.jsonl.corrupt-" in journal.problem
    assert len(journal.salt) == 32
    journal.close()


def test_the_journal_is_rewritten_when_it_is_mostly_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunnels.agent.journal.COMPACT_BYTES", 1_000)
    journal = Journal(tmp_path)
    for number in range(200):
        journal.record(ONE, Entry(revision=number))
    assert (tmp_path / "journal.jsonl").stat().st_size < 2_000
    again = reopened(journal)
    assert again.entries[ONE].revision == 199
    again.close()


# --- Counters ---


def a_child(key: str, count: int) -> ChildSa:
    return ChildSa(
        name="pair", key=key, state="INSTALLED",
        bytes_in=count, bytes_out=2 * count, packets_in=1, packets_out=1,
    )  # fmt: skip


def test_traffic_adds_up_over_rekeyings() -> None:
    counters: dict[str, Counter] = {}
    for children in (
        [a_child("1", 100)],
        [a_child("1", 150), a_child("2", 10)],  # while one takes over both live
        [a_child("2", 30)],
        [a_child("2", 30)],
        [],
        [a_child("3", 5)],
    ):
        counters.update(accumulate(counters, children))
    assert counters["pair"].total == (150 + 30 + 5, 2 * 185, 3, 3)


def test_the_same_once_more_changes_nothing() -> None:
    counters = accumulate({}, [a_child("1", 100)])
    assert accumulate(counters, [a_child("1", 100)]) == {}


def test_a_counter_that_went_back_is_another_sa() -> None:
    counters = accumulate({}, [a_child("1", 100)])
    counters.update(accumulate(counters, [a_child("1", 40)]))
    assert counters["pair"].total[0] == 140
