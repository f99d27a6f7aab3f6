"""Encryption at rest of pre-shared keys, with keys that can be rotated (MultiFernet)."""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from tunnels.domain.secret import Secret


class VaultError(Exception):
    """A stored secret cannot be decrypted with the configured keys; restore the key file it was written with."""


def encrypt(secret: Secret) -> str:
    """The secret as a token of the newest key."""
    return _cipher().encrypt(secret.reveal().encode()).decode()


def decrypt(token: str) -> Secret:
    """The secret of a token. Raises VaultError when no configured key opens it."""
    try:
        return Secret(_cipher().decrypt(token.encode()).decode())
    except InvalidToken:
        raise VaultError(VaultError.__doc__) from None


def rotate(token: str) -> str:
    """The same secret as a token of the newest key; its time stamp is kept. Raises VaultError."""
    try:
        return _cipher().rotate(token.encode()).decode()
    except InvalidToken:
        raise VaultError(VaultError.__doc__) from None


def _cipher() -> MultiFernet:
    return _cipher_of(settings.VPNCONSOLE.secrets_keys)


@lru_cache(maxsize=4)
def _cipher_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
