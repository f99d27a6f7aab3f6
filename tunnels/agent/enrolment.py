"""`enrol`: exchange the one-time token of the gateway's page for the gateway's own, and keep that."""

from __future__ import annotations

import tempfile

import httpx

from tunnels.agent.config import Options
from tunnels.agent.files import replace_file
from tunnels.agent.transport import BadAnswer, ConfigurationError, SyncFailed, connect

PATH = "/api/agent/v1/enrol"
FOLDER_MODE = 0o700


def enrol(options: Options) -> None:
    """Do it once; the token's file is 0600. Raises ConfigurationError, SyncFailed and OSError."""
    # A token that cannot be kept would be used up for nothing.
    options.token_file.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=options.token_file.parent).close()
    base, client = connect(options.console, options.ca_file)
    try:
        with client:
            response = client.post(f"{base}{PATH}", json={"token": options.one_time_token})
    except httpx.HTTPError as error:
        raise SyncFailed(
            f"The console cannot be reached: {error or type(error).__name__}."
        ) from None
    if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
        raise ConfigurationError(
            "The console does not accept this one-time token: it is unknown, used or too old. "
            "Make a new one on the gateway's page."
        )
    if response.status_code != httpx.codes.OK:
        raise BadAnswer(f"The console answered with status {response.status_code}.")
    gateway, token = _read(response)
    if gateway != options.gateway:
        raise ConfigurationError(
            f"This one-time token is for {gateway}, not for {options.gateway}; "
            "make one on the page of this gateway."
        )
    replace_file(options.token_file, f"{token}\n".encode("ascii"))


def _read(response: httpx.Response) -> tuple[str, str]:
    try:
        answer = response.json()
        return str(answer["gateway"]), str(answer["token"])
    except (ValueError, KeyError, TypeError):
        raise BadAnswer("The console's answer was not understood.") from None
