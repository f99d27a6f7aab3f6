from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests import factories as make

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_secrets_key", *arguments, stdout=out)
    return out.getvalue()


def use(settings: Settings, path: Path | None, *keys: str) -> None:
    if path:
        path.write_text("\n".join(keys) + "\n")
    values = {"secrets_keys": keys, "secrets_keys_file": path}
    settings.VPNCONSOLE = settings.VPNCONSOLE.model_copy(update=values)


def test_it_says_what_it_did_and_what_comes_next(tmp_path: Path, settings: Settings) -> None:
    path, old = tmp_path / "keys", Fernet.generate_key().decode()
    use(settings, path, old)
    make.a_tunnel()
    first = run()
    assert "encrypted anew: 1." in first
    assert "restart the console" in first
    last = run("--drop-old")
    assert "Only the newest key is left." in last
    assert "drafts" in last
    [new] = path.read_text().split()
    assert new != old
    assert not {new, old} & set((first + last).split())


def test_it_refuses_in_one_sentence(settings: Settings) -> None:
    use(settings, None, Fernet.generate_key().decode())
    with pytest.raises(CommandError, match="VPNCONSOLE_SECRETS_KEYS"):
        run()
