"""Files for Cisco's devices as the tests look at them; apart from what reads them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.devices.cases import render_case
from tests.devices.understood import BadFileError
from tunnels.devices.base import Platform
from tunnels.domain.spec import TunnelSpec


def file_of(
    platform: Platform,
    spec: TunnelSpec,
    version: str = "",
    answers: Mapping[str, str] | None = None,
) -> str:
    """The text of the platform's only file; without a version, for the most usual one."""
    return render_case(platform, spec, version=version, given=answers).text


def commands_of(text: str) -> list[str]:
    """The lines that are no comments, without their indentation."""
    return [line.strip() for line in text.splitlines() if not line.startswith("!")]


def header_of(text: str) -> str:
    """All comments as one line."""
    return " ".join(line[1:].strip() for line in text.splitlines() if line.startswith("!"))


def must_catch(
    platform: Platform,
    planted: tuple[TunnelSpec, str, str],
    is_understood: Callable[[str, TunnelSpec], bool],
) -> None:
    """Asserts that the reader takes the file of a tunnel, and no longer once the right text is the wrong one."""
    spec, right, wrong = planted
    text = file_of(platform, spec)
    assert is_understood(text, spec)
    damaged = text.replace(right, wrong)
    assert damaged != text
    with pytest.raises(BadFileError):
        # What can be read must at least not be the tunnel.
        if not is_understood(damaged, spec):
            raise BadFileError(wrong)
