"""To the console and back: one POST, over HTTPS or a unix socket; only a whole answer is believed."""

from __future__ import annotations

import ssl
import stat
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from tunnels.contract import SyncAnswer, SyncRequest

GATEWAY_HEADER = "VPN-Gateway"
PATH = "/api/agent/v1/sync"
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
# The whole answer must be here after so long, however slowly it trickles.
ANSWER_SECONDS = 30.0
ANSWER_BYTES = 64_000_000
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class SyncFailed(Exception):
    """The console was not reached, or what it said is not believed; the message is for people."""


class Unauthorised(SyncFailed):
    """The console does not accept the token."""


class BadAnswer(SyncFailed):
    """The console answered, but not with an answer that this agent can take."""


class ConfigurationError(Exception):
    """The agent cannot run like this; the message says what to change."""


class Console:
    """The console of one gateway. The token is read for each request, so that it can be replaced meanwhile."""

    def __init__(
        self, address: str, *, gateway: str, token_file: Path, ca_file: Path | None = None
    ) -> None:
        """Raises ConfigurationError when the address, the token's file or the CA file cannot be used."""
        self._gateway = gateway
        self._token_file = token_file
        base, self._client = connect(address, ca_file)
        self._url = f"{base}{PATH}"
        read_token(token_file)

    def sync(self, request: SyncRequest) -> SyncAnswer:
        """Post the request. Raises SyncFailed, as Unauthorised or BadAnswer where that is known."""
        try:
            token = read_token(self._token_file)
        except ConfigurationError as error:
            raise SyncFailed(str(error)) from None
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            # The page of this gateway shows that its token was refused.
            GATEWAY_HEADER: self._gateway,
        }
        try:
            with self._client.stream(
                "POST", self._url, content=request.model_dump_json(), headers=headers
            ) as response:
                return self._answer(response, _read(response))
        except httpx.TimeoutException:
            raise SyncFailed("The console did not answer in time.") from None
        except httpx.HTTPError as error:
            raise SyncFailed(
                f"The console cannot be reached: {error or type(error).__name__}."
            ) from None

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _answer(self, response: httpx.Response, content: bytes) -> SyncAnswer:
        if response.status_code in (401, 403):
            raise Unauthorised("The console does not accept this gateway's token; enrol it again.")
        if response.status_code != 200:
            raise BadAnswer(f"The console answered with status {response.status_code}.")
        try:
            answer = SyncAnswer.model_validate_json(content)
        except ValidationError as error:
            # Its text could quote a key: only where it hurts is told.
            where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
            raise BadAnswer(
                f"The console's answer was not understood ({len(content)} bytes, at {where or 'the beginning'})."
            ) from None
        if answer.gateway != self._gateway:
            raise BadAnswer(f"The console answered for {answer.gateway}, not for {self._gateway}.")
        if answer.tunnels is not None and len({tunnel.id for tunnel in answer.tunnels}) != len(
            answer.tunnels
        ):
            raise BadAnswer("The console's answer names a tunnel twice.")
        return answer


def read_token(path: Path) -> str:
    """The token. Raises ConfigurationError when its file is not there, empty, or readable by others."""
    try:
        mode = path.stat().st_mode
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no token"
        raise ConfigurationError(f"The token file {path} cannot be read: {reason}.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(f"Others can read the token file {path}: run `chmod 600 {path}`.")
    if not token or not token.isprintable() or " " in token:
        raise ConfigurationError(f"The token file {path} must hold the token and nothing else.")
    return token


def connect(address: str, ca_file: Path | None) -> tuple[str, httpx.Client]:
    """What the console's paths are appended to, and a client. Raises ConfigurationError."""
    parts = urlsplit(address)
    if parts.scheme == "unix" and parts.path:
        transport = httpx.HTTPTransport(uds=parts.path)
        return "http://localhost", httpx.Client(transport=transport, timeout=TIMEOUT)
    local = parts.scheme == "http" and parts.hostname in LOCAL_HOSTS
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise ConfigurationError(
            f"--console {address} must be an https:// address or unix:///path/to/socket: keys travel there."
        )
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"The CA file {ca_file} cannot be used: {error.strerror or error}."
        ) from None
    client = httpx.Client(verify=context, timeout=TIMEOUT, trust_env=not local)
    return address.rstrip("/"), client


def _read(response: httpx.Response) -> bytes:
    deadline = time.monotonic() + ANSWER_SECONDS
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if len(content) > ANSWER_BYTES or time.monotonic() > deadline:
            raise BadAnswer("The console's answer is too long, or takes too long.")
    return bytes(content)
