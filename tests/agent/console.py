"""A console that listens on a unix socket and answers as told, for tests that send real requests."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tunnels.contract import SyncAnswer, SyncRequest

TOKEN = "test-token-of-the-gateway"


@dataclass
class Reply:
    """What goes over the wire."""

    body: bytes
    status: int = 200
    kind: str = "application/json"


@dataclass
class SocketConsole:
    """`reply` is made anew for each request; `requests` are those that came."""

    address: str
    reply: Callable[[SyncRequest], Reply]
    requests: list[SyncRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def says(self, answer: SyncAnswer) -> None:
        """Answer this from now on, with whatever came as acknowledged."""
        self.reply = lambda request: Reply(
            answer.model_copy(
                update={
                    "acknowledged": max((line.cursor for line in request.log), default=0),
                    "tunnels": None if request.revision == answer.revision else answer.tunnels,
                }
            ).model_dump_json().encode()
        )  # fmt: skip


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    console: SocketConsole


class _TlsServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    console: SocketConsole


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server | _TlsServer

    def do_POST(self) -> None:
        console = self.server.console
        content = self.rfile.read(int(self.headers["Content-Length"]))
        console.headers.append({**dict(self.headers), "path": self.path})
        console.requests.append(SyncRequest.model_validate_json(content))
        reply = console.reply(console.requests[-1])
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@contextmanager
def a_console(folder: Path) -> Iterator[SocketConsole]:
    """A console that listens in this folder; it answers 503 until it is told otherwise."""
    path = folder / "console"
    with _Server(str(path), _Handler) as server:
        with _serving(server, f"unix://{path}") as console:
            yield console
    path.unlink()


@contextmanager
def a_tls_console(context: ssl.SSLContext) -> Iterator[SocketConsole]:
    """The same on this host's own address, by HTTPS."""
    with _TlsServer(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with _serving(server, f"https://127.0.0.1:{server.server_address[1]}") as console:
            yield console


@contextmanager
def _serving(server: _Server | _TlsServer, address: str) -> Iterator[SocketConsole]:
    server.console = SocketConsole(address, lambda _request: Reply(b"", 503))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.console
    finally:
        server.shutdown()
        thread.join()


def a_token(folder: Path) -> Path:
    """A token file as the agent wants it."""
    path = folder / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    return path
