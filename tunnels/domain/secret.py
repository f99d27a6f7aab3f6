"""Pre-shared keys: what is allowed, how one is generated, and a value that never prints itself."""

from __future__ import annotations

import hmac
import secrets
import string
from typing import NoReturn

from tunnels.domain.findings import refuse

PSK_MIN = 8
PSK_MAX = 128
PSK_GENERATED_LENGTH = 32
# No quotes, backslashes or shell and comment characters: the key is pasted into devices of every make.
PSK_GENERATED_ALPHABET = string.ascii_letters + string.digits


class Secret:
    """A secret text. It shows as ••••, compares in constant time, and cannot be pickled or formatted by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret in clear; call it only where the secret is used."""
        return self._text

    def __len__(self) -> int:
        return len(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "Secret(••••)"

    def __str__(self) -> str:
        return "••••"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: store it encrypted")


def check_psk(text: str) -> Secret:
    """The pre-shared key as a Secret: 8–128 printable ASCII characters without spaces, else RuleError."""
    if not PSK_MIN <= len(text) <= PSK_MAX:
        raise refuse(
            "psk-length",
            f"The pre-shared key must have {PSK_MIN} to {PSK_MAX} characters.",
            field="psk",
        )
    if not all("!" <= char <= "~" for char in text):
        raise refuse(
            "psk-characters",
            "The pre-shared key may contain only visible ASCII characters, without spaces.",
            field="psk",
        )
    return Secret(text)


def generate_psk() -> Secret:
    """A fresh key of 32 letters and digits (190 bits) from the system's random source."""
    return Secret(
        "".join(secrets.choice(PSK_GENERATED_ALPHABET) for _ in range(PSK_GENERATED_LENGTH))
    )
