from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from pytest_django import Settings

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.domain.secret import Secret
from tunnels.models import Event, Tunnel, vault
from tunnels.services import keys
from tunnels.services.rotation import start_rotation

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the code catches it."""


@pytest.fixture
def key_file(tmp_path: Path, settings: Settings) -> Path:
    """A key file with one key, and settings as a process has them that started with it."""
    path = tmp_path / "secrets_keys"
    path.write_text(Fernet.generate_key().decode() + "\n", encoding="ascii")
    path.chmod(0o600)
    restart(settings, path)
    return path


def restart(settings: Settings, path: Path) -> None:
    """The settings of a process that starts now."""
    values = {"secrets_keys": tuple(path.read_text().split()), "secrets_keys_file": path}
    settings.VPNCONSOLE = settings.VPNCONSOLE.model_copy(update=values)


def tokens() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT psk FROM tunnels_tunnel ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def some_tunnels(count: int) -> None:
    for number in range(count):
        make.a_tunnel(psk=f"{make.CANARY_PSK}-{number}", name=f"t{number}")


def readable() -> list[str]:
    return [tunnel.psk.reveal() for tunnel in Tunnel.objects.order_by("pk")]


def test_it_rotates_in_three_steps(key_file: Path, settings: Settings) -> None:
    some_tunnels(3)
    [old] = key_file.read_text().split()
    before = readable()
    done = keys.rotate(actor=make.SYSTEM)
    new, kept = key_file.read_text().split()
    assert (kept, done.new_key, done.encrypted, done.keys) == (old, True, 3, 2)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert all(vault.opens(token, key=new) for token in tokens())
    assert readable() == before  # a process that started before the rotation
    restart(settings, key_file)
    assert keys.drop_old(actor=make.SYSTEM).keys == 1
    assert key_file.read_text().split() == [new]
    restart(settings, key_file)
    assert readable() == before
    messages = Event.objects.filter(action="secrets-key-rotated").values_list("message", flat=True)
    assert len(messages) == 2
    assert not any(new in message or old in message for message in messages)
    assert [path.name for path in key_file.parent.iterdir()] == ["secrets_keys"]


def test_it_takes_the_previous_key_of_a_rotation_along(key_file: Path, settings: Settings) -> None:
    some_tunnels(2)
    rotated = Tunnel.objects.order_by("pk").first()
    assert rotated is not None
    start_rotation(actor=make.SYSTEM, tunnel=rotated, psk=Secret("the-next-key"))
    assert keys.rotate(actor=make.SYSTEM).encrypted == 3
    assert keys.drop_old(actor=make.SYSTEM).keys == 1
    restart(settings, key_file)
    fresh = Tunnel.objects.get(pk=rotated.pk)
    assert fresh.previous_psk == rotated.psk
    assert fresh.psk == Secret("the-next-key")


def test_it_does_nothing_more_when_run_again(key_file: Path) -> None:
    some_tunnels(2)
    keys.rotate(actor=make.SYSTEM)
    after, stored = key_file.read_text(), tokens()
    again = keys.rotate(actor=make.SYSTEM)
    assert (again.new_key, again.encrypted, again.keys) == (False, 0, 2)
    assert (key_file.read_text(), tokens()) == (after, stored)
    keys.drop_old(actor=make.SYSTEM)
    once = key_file.read_text()
    keys.drop_old(actor=make.SYSTEM)
    assert key_file.read_text() == once


def test_it_finishes_what_was_killed_between_batches(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_tunnels(5)
    before = readable()
    monkeypatch.setattr(keys, "BATCH", 2)
    rotated: list[str] = []
    real = vault.rotate

    def dying(token: str, *, keys: tuple[str, ...]) -> str:
        if len(rotated) == 3:
            raise Killed
        rotated.append(token)
        return real(token, keys=keys)

    monkeypatch.setattr(vault, "rotate", dying)
    with pytest.raises(Killed):
        keys.rotate(actor=make.SYSTEM)
    new, old = key_file.read_text().split()
    under_new = [vault.opens(token, key=new) for token in tokens()]
    # The first batch is done; of the second nothing is, though one was encrypted already.
    assert under_new == [True, True, False, False, False]
    assert readable() == before
    monkeypatch.setattr(vault, "rotate", real)
    done = keys.rotate(actor=make.SYSTEM)
    assert (done.new_key, done.encrypted) == (False, 3)
    assert key_file.read_text().split() == [new, old]
    assert readable() == before


def test_it_finishes_what_was_killed_right_after_the_new_key(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_tunnels(1)
    real = keys.write_keys

    def dying(path: Path, wanted: tuple[str, ...]) -> None:
        real(path, wanted)
        raise Killed

    monkeypatch.setattr(keys, "write_keys", dying)
    with pytest.raises(Killed):
        keys.rotate(actor=make.SYSTEM)
    monkeypatch.setattr(keys, "write_keys", real)
    two = key_file.read_text()
    assert len(two.split()) == 2
    assert keys.rotate(actor=make.SYSTEM).encrypted == 1
    assert key_file.read_text() == two


def test_it_leaves_the_old_file_when_killed_while_writing(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_tunnels(1)
    before = key_file.read_text()

    def dying(descriptor: int) -> None:
        raise Killed

    monkeypatch.setattr(os, "fsync", dying)
    with pytest.raises(Killed):
        keys.rotate(actor=make.SYSTEM)
    assert key_file.read_text() == before
    assert len(readable()) == 1


def test_it_encrypts_what_an_old_process_wrote_before_it_drops(
    key_file: Path, settings: Settings
) -> None:
    some_tunnels(1)
    keys.rotate(actor=make.SYSTEM)
    make.a_tunnel(psk="written-with-the-old-key", name="late")  # the settings still have one key
    assert keys.drop_old(actor=make.SYSTEM).encrypted == 1
    restart(settings, key_file)
    assert "written-with-the-old-key" in readable()


def test_it_touches_nothing_with_a_wrong_key_file(key_file: Path) -> None:
    some_tunnels(2)
    stored, tunnel = tokens(), Tunnel.objects.earliest("pk")
    wrong = Fernet.generate_key().decode() + "\n"
    key_file.write_text(wrong)
    for step in (keys.rotate, keys.drop_old):
        with pytest.raises(RuleError, match=f"{tunnel.public_id} opens with none") as refused:
            step(actor=make.SYSTEM)
        assert make.CANARY_PSK not in str(refused.value)
    assert (key_file.read_text(), tokens()) == (wrong, stored)


@pytest.mark.parametrize("content", ["", "not a key\n"])
def test_it_refuses_a_file_without_keys(key_file: Path, content: str) -> None:
    key_file.write_text(content)
    with pytest.raises(RuleError, match="restore it from a backup"):
        keys.rotate(actor=make.SYSTEM)
    assert key_file.read_text() == content


def test_it_tells_how_to_rotate_keys_of_the_environment(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    console = settings.VPNCONSOLE.model_copy(
        update={"secrets_keys": (old,), "secrets_keys_file": None}
    )
    settings.VPNCONSOLE = console
    some_tunnels(2)
    with pytest.raises(RuleError, match="VPNCONSOLE_SECRETS_KEYS, which only you can change"):
        keys.rotate(actor=make.SYSTEM)
    settings.VPNCONSOLE = console.model_copy(update={"secrets_keys": (new, old)})
    assert keys.rotate(actor=make.SYSTEM).encrypted == 2
    with pytest.raises(RuleError, match="Remove the other keys from it"):
        keys.drop_old(actor=make.SYSTEM)
    settings.VPNCONSOLE = console.model_copy(update={"secrets_keys": (new,)})
    assert len(readable()) == 2
    assert vault.decrypt(tokens()[0]) == Secret(f"{make.CANARY_PSK}-0")


@pytest.mark.django_db(transaction=True)
def test_it_runs_once_at_a_time(key_file: Path) -> None:
    from threading import Thread

    from django.db import connections

    refused: list[str] = []

    def second() -> None:
        try:
            keys.rotate(actor=make.SYSTEM)
        except RuleError as error:
            refused.append(str(error))
        finally:
            connections.close_all()

    with keys._alone():
        thread = Thread(target=second)
        thread.start()
        thread.join()
    assert refused == ["Another rotation is running; wait until it ends."]
    assert len(key_file.read_text().split()) == 1
