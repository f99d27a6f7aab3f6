"""Keys at rest: what the database holds is a token, and old tokens open after a rotation."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from pytest_django import Settings

from tests import factories as make
from tunnels.domain.secret import Secret
from tunnels.models import Tunnel, vault


def test_it_encrypts_so_that_the_same_text_never_looks_the_same() -> None:
    one, other = vault.encrypt(Secret("same-text")), vault.encrypt(Secret("same-text"))
    assert one != other
    assert "same-text" not in one
    assert vault.decrypt(one) == vault.decrypt(other) == Secret("same-text")


def test_it_opens_old_tokens_and_rotates_them_to_the_newest_key(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    console = settings.VPNCONSOLE
    settings.VPNCONSOLE = console.model_copy(update={"secrets_keys": (old,)})
    token = vault.encrypt(Secret("a-pre-shared-key"))
    settings.VPNCONSOLE = console.model_copy(update={"secrets_keys": (new, old)})
    rotated = vault.rotate(token)
    settings.VPNCONSOLE = console.model_copy(update={"secrets_keys": (new,)})
    assert vault.decrypt(rotated) == Secret("a-pre-shared-key")
    with pytest.raises(vault.VaultError):
        vault.decrypt(token)
    with pytest.raises(vault.VaultError):
        vault.rotate(token)


@pytest.mark.django_db
def test_a_column_holds_a_token_and_the_model_a_secret() -> None:
    tunnel = make.a_tunnel()
    with connection.cursor() as cursor:
        cursor.execute("SELECT psk FROM tunnels_tunnel")
        [(stored,)] = cursor.fetchall()
    assert make.CANARY_PSK not in stored
    assert vault.decrypt(stored).reveal() == make.CANARY_PSK
    assert Tunnel.objects.get(pk=tunnel.pk).psk == Secret(make.CANARY_PSK)


@pytest.mark.django_db
def test_a_serialized_tunnel_holds_a_token() -> None:
    from django.core import serializers

    text = serializers.serialize("json", [make.a_tunnel()])
    assert make.CANARY_PSK not in text
    assert '"psk": "gAAAA' in text
