"""The console of the tests on a unix socket: an agent in another network namespace cannot reach the live server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test.testcases import QuietWSGIRequestHandler


class _Handler(QuietWSGIRequestHandler):
    # A connection a request: none of them keeps one to the database.
    protocol_version = "HTTP/1.0"


class _Server(ThreadedWSGIServer):
    address_family = socket.AF_UNIX
    # Closing waits for the requests under way.
    daemon_threads = False

    def server_bind(self) -> None:
        """The HTTP server of the base class would look up a host name here."""
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", 80
        self.setup_environ()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Whoever comes over a unix socket has no address."""
        connection, _ = super().get_request()
        return connection, ("127.0.0.1", 0)


@contextmanager
def serve(path: Path) -> Iterator[None]:
    """Answer on this socket, with the settings and the database of the running test."""
    server = _Server(str(path), _Handler, allow_reuse_address=False)
    server.set_app(WSGIHandler())
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="socket-server")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        path.unlink()
