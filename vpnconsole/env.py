"""The environment, typed: every variable that VPN Console reads is a field of `Environment`.

A variable X whose value is a secret may also be given as X_FILE, the path of a file that holds it.
This module needs no Django, so that a mistake can be told in one sentence before Django starts.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import urlsplit

import dj_database_url
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

BASE_DIR: Final = Path(__file__).resolve().parent.parent

Words: TypeAlias = Annotated[tuple[str, ...], NoDecode]

EVERY_ADDRESS: Final = ("0.0.0.0", "[::]")  # noqa: S104 (compared with, never bound)
MAY_BE_FILES: Final = ("DATABASE_URL", "SECRET_KEY", "VPNCONSOLE_SECRETS_KEYS")


class Misconfigured(Exception):
    """The environment cannot work; the message is one sentence: what is wrong, what to do."""


class ConsoleSettings(BaseModel):
    """What the tunnels app reads as `settings.VPNCONSOLE`: limits, and the keys that protect PSKs.

    `secrets_keys` are Fernet keys, newest first: the first encrypts, all decrypt.
    `secrets_keys_file` is the file they came from, or None when the environment gave them.
    """

    model_config = ConfigDict(frozen=True)

    max_rules_per_tunnel: int
    max_remotes_per_rule: int
    max_mappings_per_gateway: int
    max_tunnels_per_gateway: int
    draft_hours: int
    log_days: int
    log_lines_per_gateway: int
    sample_days: int
    secrets_keys: tuple[str, ...] = Field(repr=False)
    secrets_keys_file: Path | None = None


class _EnvOrFile(EnvSettingsSource):
    """Environment variables, where X_FILE names a file that holds the value of X."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        value, key, is_complex = super().get_field_value(field, field_name)
        name = str(field.validation_alias)
        if name not in MAY_BE_FILES:
            return value, key, is_complex
        path = os.environ.get(f"{name}_FILE", "")
        if not path:
            return value, key, is_complex
        if value:
            raise Misconfigured(f"{name} and {name}_FILE are both set; unset one of them.")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), key, is_complex
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise Misconfigured(
                f"{name}_FILE names {path}, which cannot be read ({reason}); "
                "correct the path or its permissions."
            ) from None


class Environment(BaseSettings):
    """One field a variable, whose name is the alias. Nothing else reads these variables."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        case_sensitive=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    var_dir: Path = Field(default=BASE_DIR / "var", validation_alias="VPNCONSOLE_VAR_DIR")
    database_url: str = Field(default="", validation_alias="DATABASE_URL", repr=False)
    secret_key: str = Field(default="", validation_alias="SECRET_KEY", repr=False)
    secrets_keys: Words = Field(default=(), validation_alias="VPNCONSOLE_SECRETS_KEYS", repr=False)
    bind: str = Field(default="127.0.0.1", validation_alias="BIND")
    port: int = Field(default=8000, ge=1, le=65535, validation_alias="PORT")
    web_workers: int = Field(default=2, ge=1, le=64, validation_alias="WEB_WORKERS")
    debug: bool = Field(default=False, validation_alias="DEBUG")
    https: bool = Field(default=False, validation_alias="HTTPS")
    allowed_hosts: Words = Field(default=(), validation_alias="ALLOWED_HOSTS")
    csrf_trusted_origins: Words = Field(default=(), validation_alias="CSRF_TRUSTED_ORIGINS")
    max_rules_per_tunnel: int = Field(
        default=10, ge=1, validation_alias="VPNCONSOLE_MAX_RULES_PER_TUNNEL"
    )
    max_remotes_per_rule: int = Field(
        default=50, ge=1, validation_alias="VPNCONSOLE_MAX_REMOTES_PER_RULE"
    )
    max_mappings_per_gateway: int = Field(
        default=200, ge=1, validation_alias="VPNCONSOLE_MAX_MAPPINGS_PER_GATEWAY"
    )
    max_tunnels_per_gateway: int = Field(
        default=20, ge=1, validation_alias="VPNCONSOLE_MAX_TUNNELS_PER_GATEWAY"
    )
    draft_hours: int = Field(default=24, ge=1, validation_alias="VPNCONSOLE_DRAFT_HOURS")
    log_days: int = Field(default=30, ge=1, validation_alias="VPNCONSOLE_LOG_DAYS")
    log_lines_per_gateway: int = Field(
        default=200_000, ge=1_000, validation_alias="VPNCONSOLE_LOG_LINES_PER_GATEWAY"
    )
    sample_days: int = Field(default=30, ge=1, validation_alias="VPNCONSOLE_SAMPLE_DAYS")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the process environment and nothing else: no .env file appears by surprise."""
        return (init_settings, _EnvOrFile(settings_cls))

    @field_validator("secrets_keys", "allowed_hosts", "csrf_trusted_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Accept a list separated by commas or white space."""
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("var_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        """A relative path is taken from the project's folder, whatever the working directory is."""
        return (BASE_DIR / value.expanduser()).resolve()

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("postgres", "postgresql"):
            raise ValueError(
                "must look like postgresql://user:password@host:5432/name; "
                "PostgreSQL is the only database"
            )
        if value:
            dj_database_url.parse(value)
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < 32:
            raise ValueError("must have at least 32 characters; unset it to have one made")
        return value

    @field_validator("secrets_keys")
    @classmethod
    def _fernet(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for key in value:
            if not is_fernet_key(key):
                raise ValueError(
                    "must be Fernet keys (32 bytes in URL-safe base64), newest first, "
                    "separated by commas"
                )
        return value

    @field_validator("csrf_trusted_origins")
    @classmethod
    def _with_scheme(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any("://" not in origin for origin in value):
            raise ValueError("must be origins with their scheme, such as https://vpn.example.net")
        return value

    @property
    def listen(self) -> str:
        """Where the web server listens, as gunicorn writes it."""
        return f"[{self.bind}]:{self.port}" if ":" in self.bind else f"{self.bind}:{self.port}"

    @property
    def hosts(self) -> list[str]:
        """Host names that requests may use: the given ones, else loopback and BIND."""
        if self.allowed_hosts:
            return list(self.allowed_hosts)
        loopback = ["localhost", "127.0.0.1", "[::1]"]
        own = f"[{self.bind}]" if ":" in self.bind else self.bind
        return loopback if own in (*loopback, *EVERY_ADDRESS) else [*loopback, own]

    def signing_key(self) -> str:
        """Django's SECRET_KEY: the given one, else the one kept in VAR_DIR, made on first use."""
        return self.secret_key or _kept_secret(
            self.var_dir / "secret_key", secrets.token_urlsafe(64)
        )

    def console(self) -> ConsoleSettings:
        """The object behind `settings.VPNCONSOLE`; makes the key file for PSKs on first use."""
        keys, path = self.secrets_keys, None
        if not keys:
            path = self.var_dir / "secrets_keys"
            keys = tuple(_kept_secret(path, new_fernet_key()).split())
            if not all(map(is_fernet_key, keys)):
                raise Misconfigured(
                    f"{path} does not hold Fernet keys, one a line; restore it from a backup, "
                    "because the stored pre-shared keys cannot be read without it."
                )
        return ConsoleSettings(
            max_rules_per_tunnel=self.max_rules_per_tunnel,
            max_remotes_per_rule=self.max_remotes_per_rule,
            max_mappings_per_gateway=self.max_mappings_per_gateway,
            max_tunnels_per_gateway=self.max_tunnels_per_gateway,
            draft_hours=self.draft_hours,
            log_days=self.log_days,
            log_lines_per_gateway=self.log_lines_per_gateway,
            sample_days=self.sample_days,
            secrets_keys=keys,
            secrets_keys_file=path,
        )


def new_fernet_key() -> str:
    """A fresh Fernet key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode("ascii")


def is_fernet_key(text: str) -> bool:
    """Whether the text is 32 bytes in URL-safe base64, as Fernet wants."""
    try:
        return len(base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)) == 32
    except (binascii.Error, UnicodeEncodeError):
        return False


def prepare_var_dir(path: Path) -> None:
    """Make the folder for state. Root's stays passable, because PostgreSQL runs as another user."""
    try:
        path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"the folder {path} cannot be made ({error.strerror}); "
            "set VPNCONSOLE_VAR_DIR to a folder that you may write to."
        ) from None


def _kept_secret(path: Path, fresh: str) -> str:
    """The secret in this file; on first use the fresh one is put there, readable by its owner only.

    The file appears complete or not at all: it is written under another name and then linked; of
    two processes that start together, one links and both read what it linked.
    """
    try:
        if not path.exists():
            prepare_var_dir(path.parent)
            draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    file.write(f"{fresh}\n")
                    file.flush()
                    os.fsync(file.fileno())
                with contextlib.suppress(FileExistsError):
                    os.link(draft, path)
            finally:
                draft.unlink()
        kept = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Misconfigured(
            f"the key file {path} cannot be used ({reason}); correct its permissions, "
            "or set VPNCONSOLE_VAR_DIR to a folder that you may write to."
        ) from None
    if not kept:
        raise Misconfigured(f"the key file {path} is empty; restore it from a backup.")
    return kept


def _sentence(error: ValidationError) -> str:
    """The first mistake that pydantic found, as one sentence that names the variable."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0])
    message = {
        "bool_parsing": "must be on or off",
        "int_parsing": "must be a whole number",
        "greater_than_equal": f"must be at least {first.get('ctx', {}).get('ge')}",
        "less_than_equal": f"must be at most {first.get('ctx', {}).get('le')}",
    }.get(first["type"], first["msg"].removeprefix("Value error, "))
    return f"the environment variable {name} {message}."


@functools.cache
def environment() -> Environment:
    """The environment of this process, read once.

    Raises Misconfigured when a variable cannot be understood.
    """
    try:
        return Environment()
    except ValidationError as error:
        raise Misconfigured(_sentence(error)) from None
    except SettingsError as error:
        # pydantic-settings wraps what a source raises, here the sentence about an X_FILE.
        raise (error.__cause__ or error) from None
