"""The way to the console: what is sent, and the answers that are not believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.agent.authority import Authority
from tests.agent.console import TOKEN, Reply, SocketConsole, a_console, a_tls_console, a_token
from tests.agent.documents import GATEWAY, KEY, a_tunnel, an_answer
from tunnels.agent.transport import (
    BadAnswer,
    ConfigurationError,
    Console,
    SyncFailed,
    Unauthorised,
)
from tunnels.contract import AgentFacts, SyncAnswer, SyncRequest

REQUEST = SyncRequest(
    facts=AgentFacts(agent_version="0.1.0", boot_id="b", clock=datetime(2026, 1, 1, tzinfo=UTC)),
    revision=3,
)
ANSWER = an_answer(a_tunnel(), revision=4)
JSON = ANSWER.model_dump_json().encode()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[SocketConsole]:
    with a_console(tmp_path) as console:
        yield console


@pytest.fixture
def line(console: SocketConsole, tmp_path: Path) -> Iterator[Console]:
    line = Console(console.address, gateway=GATEWAY, token_file=a_token(tmp_path))
    yield line
    line.close()


def test_it_posts_with_the_token_and_gets_the_answer(console: SocketConsole, line: Console) -> None:
    console.reply = lambda _request: Reply(JSON)
    assert line.sync(REQUEST) == ANSWER
    assert console.requests == [REQUEST]
    (headers,) = console.headers
    assert headers["path"] == "/api/agent/v1/sync"
    assert headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_new_token_is_used_at_once(console: SocketConsole, line: Console, tmp_path: Path) -> None:
    console.reply = lambda _request: Reply(JSON)
    (tmp_path / "token").write_text("another-token")
    line.sync(REQUEST)
    assert console.headers[0]["Authorization"] == "Bearer another-token"


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(b"", 401), Unauthorised, "does not accept"),
        (Reply(b"", 403), Unauthorised, "does not accept"),
        (Reply(JSON, 500), BadAnswer, "status 500"),
        (Reply(b"", 302), BadAnswer, "status 302"),
        (Reply(b""), BadAnswer, "not understood"),
        (Reply(b"{}"), BadAnswer, "at gateway"),
        (Reply(b"null"), BadAnswer, "not understood"),
        (Reply(b"<html>Welcome to the hotel</html>", kind="text/html"), BadAnswer, "not understood"),
        (Reply(JSON[:-9]), BadAnswer, "not understood"),
        (Reply(JSON.replace(b'"schema_version":1', b'"schema_version":2')), BadAnswer, "schema_version"),
        (Reply(JSON.replace(b"vpngw-1a2b3c4d", b"vpngw-99999999")), BadAnswer, "for vpngw-99999999"),
        (Reply(JSON.replace(b'"10.0.0.0/24"', b'"10.0.0.1/24"')), BadAnswer, "tunnels.0.mappings.0.local"),
        (Reply(an_answer(a_tunnel(), a_tunnel()).model_dump_json().encode()), BadAnswer, "twice"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_believed(
    console: SocketConsole, line: Console, reply: Reply, error: type[SyncFailed], words: str
) -> None:
    console.reply = lambda _request: reply
    with pytest.raises(error, match=words) as caught:
        line.sync(REQUEST)
    assert KEY not in str(caught.value)


def test_a_later_version_may_say_more(console: SocketConsole, line: Console) -> None:
    console.reply = lambda _request: Reply(JSON.replace(b'{"schema', b'{"weather":"fine","schema'))
    assert line.sync(REQUEST) == ANSWER


def test_an_answer_without_end_is_cut(
    console: SocketConsole, line: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunnels.agent.transport.ANSWER_BYTES", 100)
    console.reply = lambda _request: Reply(JSON)
    with pytest.raises(BadAnswer, match="too long"):
        line.sync(REQUEST)


# httpcore leaves the socket of a failed connection to the garbage collector.
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
def test_a_console_that_is_not_there(tmp_path: Path) -> None:
    line = Console("unix:///no/console", gateway=GATEWAY, token_file=a_token(tmp_path))
    with pytest.raises(SyncFailed, match="cannot be reached"):
        line.sync(REQUEST)
    line.close()


@pytest.mark.parametrize(
    "address", ["http://console.example.com", "console.example.com", "ftp://x", "unix://", ""]
)
def test_keys_do_not_travel_in_clear(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigurationError, match="https://"):
        Console(address, gateway=GATEWAY, token_file=a_token(tmp_path))


@pytest.mark.parametrize("address", ["https://console.example.com", "http://127.0.0.1:8000/"])
def test_addresses_that_will_do(tmp_path: Path, address: str) -> None:
    Console(address, gateway=GATEWAY, token_file=a_token(tmp_path)).close()


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    token = a_token(tmp_path)
    token.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Console("unix:///x", gateway=GATEWAY, token_file=token)


@pytest.mark.parametrize("content", ["", "\n", "two words", "two\nlines"])
def test_a_file_that_holds_no_token_is_refused(tmp_path: Path, content: str) -> None:
    token = a_token(tmp_path)
    token.write_text(content)
    with pytest.raises(ConfigurationError, match="the token and nothing else"):
        Console("unix:///x", gateway=GATEWAY, token_file=token)


def test_a_ca_file_that_holds_no_certificate_is_refused(tmp_path: Path) -> None:
    token = a_token(tmp_path)
    with pytest.raises(ConfigurationError, match="CA file"):
        Console("https://x.example.com", gateway=GATEWAY, token_file=token, ca_file=token)
    with pytest.raises(ConfigurationError, match="No such file"):
        Console("https://x.example.com", gateway=GATEWAY, token_file=token, ca_file=tmp_path / "no")


# --- HTTPS ---


def over_tls(console: SocketConsole, folder: Path, ca_file: Path | None) -> SyncAnswer:
    console.reply = lambda _request: Reply(JSON)
    line = Console(console.address, gateway=GATEWAY, token_file=a_token(folder), ca_file=ca_file)
    try:
        return line.sync(REQUEST)
    finally:
        line.close()


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of whoever runs the tests is in between."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("direct")
def test_a_console_whose_certificate_the_ca_file_vouches_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "own")
    with a_tls_console(authority.context("127.0.0.1")) as console:
        assert over_tls(console, tmp_path, authority.file) == ANSWER
    assert console.headers[0]["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.usefixtures("direct")
@pytest.mark.parametrize(
    ("vouches", "address", "expired"),
    [
        ("another", "127.0.0.1", False),
        ("the system's", "127.0.0.1", False),
        ("own", "127.0.0.2", False),
        ("own", "127.0.0.1", True),
    ],
)
# httpcore leaves the socket of a failed connection to the garbage collector.
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
def test_a_console_that_is_not_the_right_one_gets_no_token(
    tmp_path: Path, vouches: str, address: str, *, expired: bool
) -> None:
    own, another = Authority(tmp_path, "own"), Authority(tmp_path, "another")
    ca_file = {"own": own.file, "another": another.file}.get(vouches)
    with a_tls_console(own.context(address, expired=expired)) as console:
        with pytest.raises(SyncFailed, match=r"cannot be reached: .*CERTIFICATE_VERIFY_FAILED"):
            over_tls(console, tmp_path, ca_file)
    assert (console.headers, console.requests) == ([], [])
