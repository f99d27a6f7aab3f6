"""Rotation of the keys that protect stored pre-shared keys.

The order, while the console keeps running: `rotate`, restart the console, `drop_old`. A process that started
before the rotation still writes with the old key, so the old key may go only when no such process is left; it
reads with new keys, because it looks into the key file again when a token does not open.

Every step may be killed at any time and run again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from tunnels.domain.findings import RuleError, refuse
from tunnels.models import Event, Tunnel, vault
from tunnels.services.access import SystemActor

BATCH: Final = 200
# The session lock that keeps two rotations apart.
_ROTATION_LOCK: Final = 0x76706E6B


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a rotation did: whether it made a key, how many secrets it encrypted anew, how many keys remain."""

    new_key: bool
    encrypted: int
    keys: int


def rotate(*, actor: SystemActor) -> Rotation:
    """Put a new key in front of the key file, then encrypt every pre-shared key with it.

    When an earlier rotation was interrupted, this finishes it; when its old key is still in the file and nothing
    is left to do, this does nothing. With keys from the environment it never makes a key. Raises RuleError.
    """
    with _alone():
        keys = _keys()
        waiting = _waiting(keys)
        path = settings.VPNCONSOLE.secrets_keys_file
        if len(keys) == 1 and path is None:
            raise refuse(
                "keys-in-environment",
                "The keys come from VPNCONSOLE_SECRETS_KEYS, which only you can change. Set it to a new key, a comma "
                "and the present key; restart the console; run this again. "
                "A new key: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
            )
        made = len(keys) == 1
        if made and path is not None:
            keys = (Fernet.generate_key().decode(), *keys)
            write_keys(path, keys)
            waiting = 1
        count = _encrypt_all(keys) if waiting else 0
        if made or count:
            _record(actor, f"Stored pre-shared keys encrypted with a new key: {count}")
    return Rotation(new_key=made, encrypted=count, keys=len(keys))


def drop_old(*, actor: SystemActor) -> Rotation:
    """Encrypt what an old key still protects, then take all keys but the newest out of the key file.

    Raises RuleError when the keys come from the environment.
    """
    with _alone():
        keys = _keys()
        path = settings.VPNCONSOLE.secrets_keys_file
        count = _encrypt_all(keys) if _waiting(keys) else 0
        if path is None:
            if len(keys) > 1:
                raise refuse(
                    "keys-in-environment",
                    "Every pre-shared key is under the first key of VPNCONSOLE_SECRETS_KEYS now. "
                    "Remove the other keys from it and restart the console.",
                )
            return Rotation(new_key=False, encrypted=count, keys=len(keys))
        if len(keys) > 1:
            with transaction.atomic():
                # Nobody may store a key under an old one between the last look and the new file.
                with connection.cursor() as cursor:
                    cursor.execute("LOCK TABLE tunnels_tunnel IN SHARE ROW EXCLUSIVE MODE")
                if _waiting(keys):
                    raise refuse(
                        "keys-in-use",
                        "The console still writes with an old key: restart it, then run this again.",
                    )
                write_keys(path, keys[:1])
            _record(actor, f"Old keys dropped: {len(keys) - 1}")
    return Rotation(new_key=False, encrypted=count, keys=1)


def write_keys(path: Path, keys: tuple[str, ...]) -> None:
    """Replace the key file in one step; its owner stays, and nobody else may read it."""
    owner = path.stat()
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write("".join(f"{key}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def _keys() -> tuple[str, ...]:
    try:
        keys = vault.stored_keys()
        vault.cipher_of(keys)
    except (OSError, ValueError) as error:
        raise refuse(
            "keys-unreadable",
            f"The key file {settings.VPNCONSOLE.secrets_keys_file} cannot be used ({error}); restore it from a backup.",
        ) from None
    return keys


def _waiting(keys: tuple[str, ...]) -> int:
    """How many secrets are not under the newest key. Raises RuleError when one opens with none of the keys."""
    waiting = 0
    rows = _tokens().values_list("public_id", *_COLUMNS.values())
    for public_id, *tokens in rows.iterator(chunk_size=1_000):
        for token in filter(None, tokens):
            if vault.opens(token, key=keys[0]):
                continue
            if not any(vault.opens(token, key=key) for key in keys[1:]):
                raise _unreadable(public_id)
            waiting += 1
    return waiting


def _encrypt_all(keys: tuple[str, ...]) -> int:
    """Bring every secret under the newest key, in batches that each are all done or not at all."""
    count, last = 0, 0
    while True:
        with transaction.atomic():
            batch = list(
                _tokens()
                .filter(pk__gt=last)
                .order_by("pk")
                .select_for_update()
                .values_list("pk", "public_id", *_COLUMNS.values())[:BATCH]
            )
            for pk, public_id, *tokens in batch:
                fresh = _anew(public_id, dict(zip(_COLUMNS, tokens, strict=True)), keys)
                if fresh:
                    Tunnel.objects.filter(pk=pk).update(**fresh)
                count += len(fresh)
        if len(batch) < BATCH:
            return count
        last = batch[-1][0]


def _anew(
    public_id: str, tokens: Mapping[str, str | None], keys: tuple[str, ...]
) -> dict[str, str]:
    """The columns whose token is not under the newest key, with their new tokens. Raises RuleError."""
    try:
        return {
            column: vault.rotate(token, keys=keys)
            for column, token in tokens.items()
            if token and not vault.opens(token, key=keys[0])
        }
    except vault.VaultError:
        raise _unreadable(public_id) from None


# The encrypted columns of a tunnel, and under which name their tokens are read.
_COLUMNS: Final = {"psk": "token", "previous_psk": "previous_token"}


def _tokens() -> QuerySet[Any]:
    """Tunnels with their stored tokens as text: the model's own fields would open them."""
    return Tunnel.objects.annotate(
        **{name: Cast(column, TextField()) for column, name in _COLUMNS.items()}
    )


def _unreadable(public_id: str) -> RuleError:
    return refuse(
        "keys-wrong",
        f"The pre-shared key of {public_id} opens with none of the configured keys. Nothing was dropped; "
        "restore the key file that it was stored with, then run this again.",
    )


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of rotations. Raises RuleError while another one runs; a killed one holds nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ROTATION_LOCK])
        if not cursor.fetchone()[0]:
            raise refuse("keys-busy", "Another rotation is running; wait until it ends.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ROTATION_LOCK])


def _record(actor: SystemActor, message: str) -> None:
    Event.objects.create(
        actor_name=actor.name,
        action="secrets-key-rotated",
        level=Event.Level.WARNING,
        target_kind="console",
        target_id="secrets-key",
        target_name="key file",
        message=message,
    )
