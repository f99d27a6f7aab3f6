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
        pass
    # Somebody may have rotated the keys since this process started.
    try:
        return Secret(cipher_of(stored_keys()).decrypt(token.encode()).decode())
    except (InvalidToken, OSError, ValueError):
        raise VaultError(VaultError.__doc__) from None


def rotate(token: str, *, keys: tuple[str, ...] = ()) -> str:
    """The same secret as a token of the first of these keys, or of the newest configured one.

    Its time stamp is kept. Raises VaultError.
    """
    cipher = cipher_of(keys) if keys else _cipher()
    try:
        return cipher.rotate(token.encode()).decode()
    except InvalidToken:
        raise VaultError(VaultError.__doc__) from None


def opens(token: str, *, key: str) -> bool:
    """Whether this very key opens the token."""
    try:
        cipher_of((key,)).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def stored_keys() -> tuple[str, ...]:
    """The keys as they stand in the key file now, newest first; those of the settings when there is no file."""
    path = settings.VPNCONSOLE.secrets_keys_file
    if path is None:
        return tuple(settings.VPNCONSOLE.secrets_keys)
    return tuple(path.read_text(encoding="ascii").split())


@lru_cache(maxsize=8)
def cipher_of(keys: tuple[str, ...]) -> MultiFernet:
    """The cipher of these keys, newest first."""
    return MultiFernet([Fernet(key) for key in keys])


def _cipher() -> MultiFernet:
    return cipher_of(settings.VPNCONSOLE.secrets_keys)
