"""The canary: the tests' one pre-shared key, searched for wherever no key may be.

Every response and every log line of every test passes through here; `tests/test_canary.py` searches what
is left in the database after a whole day's work with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse

from tests.factories import CANARY_PSK

# The two answers whose purpose is to hand over the key: both are POSTs that need a permission of their own.
MAY_HOLD_THE_KEY = {"tunnels:reveal-psk", "tunnels:config-download"}

leaks: list[str] = []


class CanaryMiddleware:
    """Looks into every response, streamed ones included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        match = request.resolver_match
        if match and match.view_name in MAY_HOLD_THE_KEY and request.method == "POST":
            return response
        where = f"{request.method} {request.path}"
        if isinstance(response, StreamingHttpResponse):
            parts = cast("Iterator[bytes]", response.streaming_content)
            response.streaming_content = _watched(parts, where)
        else:
            _search(cast("HttpResponse", response).content, f"the body of {where}")
        _search(str(response.headers).encode(), f"the headers of {where}")
        return response


class CanaryHandler(logging.Handler):
    """Looks into every log record, with its arguments and its traceback."""

    _formatter = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        _search(self._formatter.format(record).encode(), f"a log line of {record.name}")


def _watched(parts: Iterator[bytes], where: str) -> Iterator[bytes]:
    before = b""
    for part in parts:
        _search(before + part, f"the stream of {where}")
        before = part
        yield part


def _search(content: bytes, where: str) -> None:
    if CANARY_PSK.encode() in content:
        leaks.append(where)
