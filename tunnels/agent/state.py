"""The desired state on disk, so that a reboot with the console away still brings the tunnels up."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from tunnels.agent.files import replace_file, set_aside
from tunnels.contract import Document, TunnelDocument


class DesiredState(Document):
    """What the console wanted last: the gateway it is for, its revision, the tunnels. Holds keys in clear."""

    gateway: str
    revision: int
    tunnels: tuple[TunnelDocument, ...]


class StateStore:
    """The file. `problem` is a sentence when what was found could not be used."""

    def __init__(self, folder: Path, *, gateway: str, read_only: bool = False) -> None:
        self._read_only = read_only
        self._path = folder / "desired.json"
        self._gateway = gateway
        self.problem = ""

    def load(self) -> DesiredState | None:
        """The saved state; None when nothing is known, which never means that nothing is wanted.

        A file that cannot be understood, or is another gateway's, is set aside. Raises OSError.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            state = DesiredState.model_validate_json(content)
        except ValidationError as error:
            self._refuse(f"it could not be understood ({error.error_count()} errors)")
            return None
        if state.gateway != self._gateway:
            self._refuse(f"it belongs to {state.gateway}")
            return None
        return state

    def save(self, state: DesiredState) -> None:
        """Replace the file. Raises OSError."""
        replace_file(self._path, state.model_dump_json().encode())

    def _refuse(self, reason: str) -> None:
        kept = self._path if self._read_only else set_aside(self._path)
        self.problem = f"The saved state was set aside as {kept.name}: {reason}."
