from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vpnconsole.env import BASE_DIR, Environment, Misconfigured, environment, new_fernet_key


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Environment.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
        monkeypatch.delenv(f"{field.validation_alias}_FILE", raising=False)


def read() -> Environment:
    return environment.__wrapped__()


def test_it_needs_no_variable() -> None:
    env = read()
    assert (env.bind, env.port, env.debug, env.https) == ("127.0.0.1", 8000, False, False)
    assert env.var_dir == BASE_DIR / "var"
    assert env.hosts == ["localhost", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "abc", "PORT must be a whole number"),
        ("PORT", "0", "PORT must be at least 1"),
        ("PORT", "65536", "PORT must be at most 65535"),
        ("DEBUG", "maybe", "DEBUG must be on or off"),
        ("DATABASE_URL", "sqlite:///x", "PostgreSQL is the only database"),
        ("DATABASE_URL", "postgresql://host:port/x", "DATABASE_URL"),
        ("SECRET_KEY", "short", "SECRET_KEY must have at least 32 characters"),
        ("VPNCONSOLE_SECRETS_KEYS", "no-key", "VPNCONSOLE_SECRETS_KEYS must be Fernet keys"),
        ("CSRF_TRUSTED_ORIGINS", "example.net", "CSRF_TRUSTED_ORIGINS must be origins"),
        ("VPNCONSOLE_DRAFT_HOURS", "0", "VPNCONSOLE_DRAFT_HOURS must be at least 1"),
    ],
)
def test_it_tells_a_mistake_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as caught:
        read()
    message = str(caught.value)
    assert sentence in message
    assert "\n" not in message
    assert message.endswith(".")


@pytest.mark.parametrize("name", ["SECRET_KEY", "VPNCONSOLE_SECRETS_KEYS"])
def test_it_never_repeats_a_secret(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "canary-4711")
    with pytest.raises(Misconfigured) as caught:
        read()
    assert "canary" not in str(caught.value)


def test_it_hides_secrets_when_printed(monkeypatch: pytest.MonkeyPatch, var_dir: Path) -> None:
    key = new_fernet_key()
    monkeypatch.setenv("VPNCONSOLE_SECRETS_KEYS", key)
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:canary@db/x")
    assert "canary" not in repr(read())
    assert key not in repr(read())
    assert key not in repr(read().console())


def test_it_reads_a_value_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys = [new_fernet_key(), new_fernet_key()]
    (tmp_path / "keys").write_text("\n".join(keys) + "\n")
    monkeypatch.setenv("VPNCONSOLE_SECRETS_KEYS_FILE", str(tmp_path / "keys"))
    assert read().console().secrets_keys == tuple(keys)
    assert read().console().secrets_keys_file is None


def test_it_refuses_a_file_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_FILE", "/nowhere/key")
    with pytest.raises(Misconfigured, match=r"/nowhere/key, which cannot be read"):
        read()


def test_it_refuses_a_value_beside_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    monkeypatch.setenv("SECRET_KEY_FILE", "/nowhere/key")
    with pytest.raises(Misconfigured, match="both set"):
        read()


def test_it_keeps_its_keys_in_files_of_the_owner(
    monkeypatch: pytest.MonkeyPatch, var_dir: Path
) -> None:
    monkeypatch.setenv("VPNCONSOLE_VAR_DIR", str(var_dir))
    signing, keys = read().signing_key(), read().console().secrets_keys
    assert (read().signing_key(), read().console().secrets_keys) == (signing, keys)
    assert read().console().secrets_keys_file == var_dir / "secrets_keys"
    assert {stat.S_IMODE(file.stat().st_mode) for file in var_dir.iterdir()} == {0o600}
    assert sorted(file.name for file in var_dir.iterdir()) == ["secret_key", "secrets_keys"]


def test_it_makes_one_key_when_many_start_together(
    monkeypatch: pytest.MonkeyPatch, var_dir: Path
) -> None:
    monkeypatch.setenv("VPNCONSOLE_VAR_DIR", str(var_dir))
    env = read()
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: env.console().secrets_keys, range(64)))
    assert len(keys) == 1


@pytest.mark.parametrize("content", ["", "not a key"])
def test_it_refuses_a_broken_key_file(
    monkeypatch: pytest.MonkeyPatch, var_dir: Path, content: str
) -> None:
    var_dir.mkdir()
    (var_dir / "secrets_keys").write_text(content)
    monkeypatch.setenv("VPNCONSOLE_VAR_DIR", str(var_dir))
    with pytest.raises(Misconfigured, match="restore it from a backup"):
        read().console()


def test_it_refuses_a_folder_that_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VPNCONSOLE_VAR_DIR", str(tmp_path / "file" / "var"))
    with pytest.raises(Misconfigured, match="set VPNCONSOLE_VAR_DIR"):
        read().signing_key()


def test_it_lets_people_reach_the_address_it_listens_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIND", "192.0.2.7")
    assert "192.0.2.7" in read().hosts
    monkeypatch.setenv("ALLOWED_HOSTS", "vpn.example.net, other.example.net")
    assert read().hosts == ["vpn.example.net", "other.example.net"]
