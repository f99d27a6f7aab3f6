"""Log lines: read, attributed, masked, spooled, and never lost or doubled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.agent.documents import KEY, ONE, TWO, a_tunnel
from tunnels.agent.logline import LogLine, LogReader
from tunnels.agent.logs import Logs
from tunnels.agent.logtail import LogTail, Position
from tunnels.agent.spool import Spool
from tunnels.contract import LOG_TEXT_MAX

STAMP = "2026-11-23T15:36:02.292 09"


@pytest.fixture
def reader() -> LogReader:
    reader = LogReader()
    reader.know([a_tunnel()])
    return reader


def read(reader: LogReader, line: str) -> LogLine | None:
    return reader.read(f"{STAMP}{line}".encode())


def owner(reader: LogReader, line: str) -> str | None:
    found = read(reader, line)
    return found.tunnel if found else None


# --- One line ---


def test_a_line_is_taken_apart(reader: LogReader) -> None:
    line = read(reader, f"[IKE1] <{ONE}|6> CHILD_SA {ONE}-6f2fac89{{1}} established")
    assert line is not None
    assert (line.tunnel, line.group, line.level) == (ONE, "ike", 1)
    assert line.text == f"CHILD_SA {ONE}-6f2fac89{{1}} established"
    assert line.at == datetime(2026, 11, 23, 15, 36, 2, 292_000).astimezone()


def test_a_zone_is_understood(reader: LogReader) -> None:
    line = reader.read(f"2026-11-23T15:36:02+0130.292 09[IKE] <{ONE}|6> x".encode())
    assert line is not None
    assert line.at.utcoffset() == timedelta(hours=1, minutes=30)
    assert line.level == 1


@pytest.mark.parametrize(
    "line",
    [
        "[IKE1] <office|6> somebody else's",
        f"[IKE3] <{ONE}|6> 0: 6E 65 77 2D 6B 65 79",
        "[CFG2] vici client 2 requests: list-sas",
        "not a line at all",
    ],
)
def test_what_is_not_passed_on(reader: LogReader, line: str) -> None:
    assert read(reader, line) is None


def test_a_line_before_the_name_is_known_is_attributed_by_its_addresses(reader: LogReader) -> None:
    packet = "[NET1] <7> received packet: from 203.0.113.20[500] to 203.0.113.10[500] (240 bytes)"
    assert owner(reader, packet) == ONE
    assert owner(reader, "[IKE1] <7> no proposal found") == ONE
    assert owner(reader, "[IKE1] <8> no IKE config found") == ""
    assert owner(reader, "[DMN1] Starting IKE service charon-systemd (strongSwan 5.9.8)") == ""
    assert owner(reader, "[IKE1] <7> the ids began again") == ""


def test_addresses_of_two_tunnels_attribute_nothing(reader: LogReader) -> None:
    reader.know([a_tunnel(), a_tunnel(TWO)])
    packet = "[NET1] <7> received packet: from 203.0.113.20[500] to 203.0.113.10[500] (240 bytes)"
    assert owner(reader, packet) == ""


def test_a_name_in_the_text_attributes(reader: LogReader) -> None:
    assert owner(reader, f"[CFG1] added vici connection: {ONE}") == ONE
    assert owner(reader, f"[CFG1] vici initiate CHILD_SA '{ONE}-6f2fac89'") == ONE
    assert owner(reader, "[CFG1] added vici connection: vpnx-aaaaaaa12") == ""
    assert owner(reader, f"[CFG1] {ONE} and {TWO}") == ""


def test_keys_and_control_characters_are_masked(reader: LogReader) -> None:
    reader.know(
        [a_tunnel(psk=SecretStr("key.with(a)longer"), previous_psk=SecretStr("key.with(a)"))]
    )
    line = read(reader, f"[CFG1] <{ONE}|1> key.with(a)longer, key.with(a)\x1b[31m keyXwith(a)")
    assert line is not None
    assert line.text == "••••, ••••\ufffd[31m keyXwith(a)"


def test_a_long_line_is_cut_and_odd_bytes_do_no_harm(reader: LogReader) -> None:
    line = reader.read(f"{STAMP}[CFG1] <{ONE}|1> ".encode() + b"\xff" * 5000)
    assert line is not None
    assert len(line.text) == LOG_TEXT_MAX
    assert line.text.endswith("…")


# --- The file ---


class Log:
    """A log file, and what a tail read of it; `restart` makes a new tail that knows the place only."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "charon.log"
        self.path.touch()
        self.read: list[bytes] = []
        self.gaps = 0
        self._written = 0
        self._tail = LogTail(self.path, None)

    def restart(self) -> None:
        self._tail = LogTail(self.path, self._tail.position)

    def write(self, count: int = 3, path: Path | None = None) -> None:
        with (path or self.path).open("ab") as file:
            for _ in range(count):
                file.write(b"line %d\n" % self._written)
                self._written += 1

    def collect(self) -> None:
        for chunk in self._tail.read():
            self.read.extend(chunk.lines)
            self.gaps += chunk.gap

    @property
    def complete(self) -> bool:
        return self.read == [b"line %d" % number for number in range(self._written)]

    def rename(self) -> Path:
        """As logrotate: older files move up."""
        for number in (2, 1):
            old = self.path.with_name(f"charon.log.{number}")
            if old.exists():
                old.rename(self.path.with_name(f"charon.log.{number + 1}"))
        rotated = self.path.with_name("charon.log.1")
        self.path.rename(rotated)
        return rotated

    def copy_and_truncate(self) -> None:
        self.path.with_name("charon.log.1").write_bytes(self.path.read_bytes())
        os.truncate(self.path, 0)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


@pytest.fixture(params=["going on", "after a restart"])
def again(request: pytest.FixtureRequest, log: Log) -> Log:
    """The same, with a restart of the reader before each `collect` in one of two runs."""
    if request.param == "after a restart":
        collect = log.collect

        def restart_and_collect() -> None:
            log.restart()
            collect()

        log.collect = restart_and_collect  # type: ignore[method-assign]
    return log


def test_it_reads_on(again: Log) -> None:
    for _ in range(3):
        again.write()
        again.collect()
    again.collect()
    assert again.complete


def test_it_begins_at_the_end_of_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "charon.log"
    path.write_bytes(b"old\n")
    tail = LogTail(path, None)
    with path.open("ab") as file:
        file.write(b"new\n")
    assert [chunk.lines for chunk in tail.read()] == [(b"new",)]


def test_it_waits_for_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "charon.log"
    tail = LogTail(path, None)
    assert list(tail.read()) == []
    path.write_bytes(b"first\n")
    assert [chunk.lines for chunk in tail.read()] == [(b"first",)]


def test_half_a_line_is_not_read(log: Log) -> None:
    log.write()
    with log.path.open("ab") as file:
        file.write(b"half")
    log.collect()
    assert log.complete


def test_it_follows_a_file_that_is_renamed(again: Log) -> None:
    again.write()
    again.collect()
    again.write()
    rotated = again.rename()
    again.path.touch()  # logrotate's `create`: charon does not write there before it opens it
    again.collect()
    again.write(path=rotated)
    again.collect()
    again.write(path=rotated)
    again.write()
    again.collect()
    assert again.complete
    assert again.gaps == 0


def test_it_follows_over_several_rotations_at_once(again: Log) -> None:
    again.write()
    again.collect()
    for number in range(3):
        again.write()
        os.utime(again.rename(), ns=(number, number * 1_000_000_000))
        again.write()
    again.collect()
    assert again.complete


def test_it_follows_a_file_that_is_copied_and_truncated(again: Log) -> None:
    again.write()
    again.collect()
    again.write()
    again.copy_and_truncate()
    again.collect()
    again.write()
    again.collect()
    assert again.complete
    assert again.gaps == 0


def test_it_notices_a_truncated_file_that_has_grown_as_long_again(again: Log) -> None:
    again.write()
    again.collect()
    again.copy_and_truncate()
    again.write(20)
    again.collect()
    assert again.complete


def test_what_was_rotated_away_unread_is_told(again: Log) -> None:
    again.write()
    again.collect()
    again.path.unlink()
    again.path.write_bytes(b"something new\n")
    again.collect()
    assert again.read[-1] == b"something new"
    assert again.gaps == 1


# --- The spool ---


def a_line(number: int) -> LogLine:
    return LogLine(datetime.now(UTC), ONE, "ike", 1, f"line {number}")


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path)
    yield spool
    spool.close()


def texts(spool: Spool) -> list[str]:
    return [document.text for document in spool.first(1000)]


def test_cursors_rise_by_one_and_lines_go_when_they_are_confirmed(spool: Spool) -> None:
    spool.add([a_line(0), a_line(1)], Position(offset=1))
    spool.add([a_line(2)], Position(offset=2))
    cursors = [document.cursor for document in spool.first(1000)]
    assert cursors == list(range(cursors[0], cursors[0] + 3))
    assert [document.text for document in spool.first(2)] == ["line 0", "line 1"]
    spool.acknowledge(cursors[0])
    assert texts(spool) == ["line 1", "line 2"]
    assert spool.waiting == 2
    spool.acknowledge(cursors[-1])
    spool.acknowledge(cursors[0])
    assert texts(spool) == []
    spool.add([a_line(3)], Position(offset=3))
    assert spool.first(1)[0].cursor == cursors[-1] + 1


def test_a_kill_at_any_byte_leaves_lines_and_place_in_step(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(3):
        spool.add([a_line(number)], Position(offset=number + 1))
    last = spool.first(3)[-1].cursor
    spool.close()
    path = tmp_path / "log.jsonl"
    content = path.read_bytes()
    for end in range(len(content) + 1):
        path.write_bytes(content[:end])
        again = Spool(tmp_path)
        count = again.position.offset if again.position else 0
        assert texts(again) == [f"line {number}" for number in range(count)]
        again.add([a_line(count)], Position(offset=count + 1))
        assert texts(again) == [f"line {number}" for number in range(count + 1)]
        if count == 3:
            assert again.first(4)[-1].cursor == last + 1
        assert again.problem == ""
        again.close()


def test_a_spool_that_was_lost_begins_another_stream(tmp_path: Path) -> None:
    streams = []
    for _ in range(2):
        spool = Spool(tmp_path)
        streams.append(spool.stream)
        spool.add([a_line(0)], None)
        assert spool.first(1)[0].cursor == 1
        spool.close()
        again = Spool(tmp_path)
        assert again.stream == streams[-1]
        again.close()
        (tmp_path / "log.jsonl").unlink()
    assert streams[0] != streams[1]


def test_a_spool_that_was_put_back_from_a_copy_begins_another_stream(spool: Spool) -> None:
    spool.add([a_line(0), a_line(1)], Position(offset=5))
    before = spool.stream
    spool.acknowledge(9)  # the console knows more than this spool ever gave
    assert spool.stream != before
    assert [(line.cursor, line.text) for line in spool.first(9)] == [(1, "line 0"), (2, "line 1")]
    assert spool.position == Position(offset=5)
    spool.acknowledge(2)
    assert texts(spool) == []


def test_a_full_spool_drops_the_oldest_and_counts_them(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=5_000)
    for number in range(200):
        spool.add([a_line(number)], Position(offset=number))
    kept = texts(spool)
    assert kept[-1] == "line 199"
    assert len(kept) == spool.waiting
    assert spool.dropped == 200 - len(kept) > 100
    assert (tmp_path / "log.jsonl").stat().st_size < 1_200_000
    spool.close()


def test_confirmed_lines_leave_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunnels.agent.spool.COMPACT_BYTES", 2_000)
    spool = Spool(tmp_path)
    for number in range(100):
        spool.add([a_line(number)], Position(offset=number))
        if number != 50:
            spool.acknowledge(spool.first(1)[0].cursor)
    assert (tmp_path / "log.jsonl").stat().st_size < 5_000
    assert texts(spool) == ["line 99"]
    spool.close()
    again = Spool(tmp_path)
    assert texts(again)[-1] == "line 99"
    assert again.position == Position(offset=99)
    again.close()


def test_a_spool_that_is_not_understood_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("nonsense\n")
    spool = Spool(tmp_path)
    assert "set aside as log.jsonl.corrupt-" in spool.problem
    assert texts(spool) == []
    spool.close()


# --- All of it ---


def test_lines_go_from_the_file_into_the_spool_without_keys(tmp_path: Path) -> None:
    path = tmp_path / "charon.log"
    spool = Spool(tmp_path)
    logs = Logs(spool, path)
    logs.collect([a_tunnel()])
    assert logs.problem.startswith(f"charon writes no log to {path}")
    path.touch()
    logs.collect([a_tunnel()])
    assert logs.problem == ""
    path.write_text(f"{STAMP}[IKE1] <{ONE}|1> the key is {KEY}\n")
    logs.note(ONE, f"so it is: {KEY}")
    logs.collect([a_tunnel()])
    assert [line.text for line in logs.first(9)] == ["the key is ••••", "so it is: ••••"]
    assert KEY not in (tmp_path / "log.jsonl").read_text()
    spool.close()
