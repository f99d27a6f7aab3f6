from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests import factories as make
from tests import reports
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import PRESETS, IkeSettings
from tunnels.domain.rotation import RotationStage
from tunnels.domain.secret import Secret
from tunnels.models import Event, Tunnel, TunnelState
from tunnels.services import actions, editing
from tunnels.services.documents import tunnel_documents
from tunnels.services.rotation import (
    RISKS,
    cancel_rotation,
    finish_rotation,
    stage_of,
    start_rotation,
)

pytestmark = pytest.mark.django_db

NEW = Secret("a-quite-different-key")
ESTABLISHED = "IKE_SA {id}[7] established between 203.0.113.1[203.0.113.1]...198.18.0.1[198.18.0.1]"
REKEYED = ESTABLISHED.replace("established between", "rekeyed between")


@pytest.fixture
def tunnel() -> Tunnel:
    tunnel = make.a_tunnel()
    reports.report(tunnel)
    return tunnel


def fresh(tunnel: Tunnel) -> Tunnel:
    return Tunnel.objects.select_related("state", "vpn_gateway").get(pk=tunnel.pk)


def stage(tunnel: Tunnel) -> RotationStage | None:
    return stage_of(fresh(tunnel))


def prove(tunnel: Tunnel) -> None:
    """The ends authenticate each other, and some time passes."""
    past = timezone.now() - timedelta(minutes=5)
    TunnelState.objects.filter(pk=tunnel.pk).update(both_keys_at=past)
    at = timezone.now() - timedelta(minutes=1)
    reports.log(tunnel, ESTABLISHED.format(id=tunnel.public_id), at=at)


def test_it_begins_with_both_keys(tunnel: Tunnel) -> None:
    assert start_rotation(actor=make.SYSTEM, tunnel=tunnel, psk=NEW)
    stored = fresh(tunnel)
    assert stored.psk == NEW
    assert stored.previous_psk == Secret(make.CANARY_PSK)
    [document] = tunnel_documents(stored.vpn_gateway)
    assert document.psk.get_secret_value() == NEW.reveal()
    assert document.previous_psk is not None
    assert document.previous_psk.get_secret_value() == make.CANARY_PSK
    assert (stored.revision, stored.state.provisioning) == (tunnel.revision + 1, "pending")
    assert not start_rotation(actor=make.SYSTEM, tunnel=tunnel)
    assert Event.objects.filter(action="psk-rotation-started").count() == 1
    assert fresh(tunnel).psk == NEW


def test_it_makes_a_key_when_none_is_given(tunnel: Tunnel) -> None:
    start_rotation(actor=make.SYSTEM, tunnel=tunnel)
    assert len(fresh(tunnel).psk) == 32


def test_it_follows_the_device_from_the_old_key_to_the_new(tunnel: Tunnel) -> None:
    assert stage(tunnel) is None
    start_rotation(actor=make.SYSTEM, tunnel=tunnel, psk=NEW)
    assert stage(tunnel) is RotationStage.APPLYING
    reports.report(tunnel)
    assert stage(tunnel) is RotationStage.UNPROVEN
    reports.report(tunnel, signing="previous")
    assert stage(tunnel) is RotationStage.OLD
    reports.report(tunnel, up=0)
    assert stage(tunnel) is RotationStage.DOWN
    reports.report(tunnel)
    prove(tunnel)
    assert stage(tunnel) is RotationStage.SWITCHED
    assert finish_rotation(actor=make.SYSTEM, tunnel=tunnel)
    stored = fresh(tunnel)
    assert (stored.psk, stored.previous_psk, stored.rotating_since) == (NEW, None, None)
    assert not finish_rotation(actor=make.SYSTEM, tunnel=tunnel)
    event = Event.objects.get(action="psk-rotation-finished")
    assert (event.level, "before" in event.message) == ("info", False)


def test_it_takes_no_rekeying_and_no_old_connection_for_a_proof(tunnel: Tunnel) -> None:
    before = timezone.now() - timedelta(minutes=1)
    reports.log(tunnel, ESTABLISHED.format(id=tunnel.public_id), at=before)
    start_rotation(actor=make.SYSTEM, tunnel=tunnel, psk=NEW)
    reports.report(tunnel)
    past = timezone.now() - timedelta(seconds=50)
    TunnelState.objects.update(both_keys_at=past)
    assert stage(tunnel) is RotationStage.UNPROVEN
    later = timezone.now() - timedelta(seconds=20)
    reports.log(tunnel, REKEYED.format(id=tunnel.public_id), at=later)
    assert stage(tunnel) is RotationStage.UNPROVEN
    reports.log(tunnel, ESTABLISHED.format(id=tunnel.public_id), at=later)
    assert stage(tunnel) is RotationStage.SWITCHED


def test_it_does_not_finish_unproven_unless_forced(tunnel: Tunnel) -> None:
    start_rotation(actor=make.SYSTEM, tunnel=tunnel, psk=NEW)
    reports.report(tunnel, signing="previous")
    with pytest.raises(RuleError, match="still uses the old key"):
        finish_rotation(actor=make.SYSTEM, tunnel=tunnel)
    assert fresh(tunnel).previous_psk is not None
    assert finish_rotation(actor=make.SYSTEM, tunnel=tunnel, force=True)
    assert fresh(tunnel).previous_psk is None
    event = Event.objects.get(action="psk-rotation-finished")
    assert (event.level, "before the device was seen" in event.message) == ("warning", True)


def test_it_tells_what_forcing_implies_at_every_unproven_stage() -> None:
    assert set(RISKS) == set(RotationStage) - {RotationStage.SWITCHED}


def test_it_goes_back_to_the_old_key(tunnel: Tunnel) -> None:
    start_rotation(actor=make.SYSTEM, tunnel=tunnel, psk=NEW)
    assert cancel_rotation(actor=make.SYSTEM, tunnel=tunnel)
    stored = fresh(tunnel)
    assert (stored.psk, stored.previous_psk) == (Secret(make.CANARY_PSK), None)
    assert stored.revision == tunnel.revision + 2
    assert not cancel_rotation(actor=make.SYSTEM, tunnel=tunnel)
    assert Event.objects.filter(action="psk-rotation-cancelled").count() == 1


def test_a_second_rotation_begins_anew(tunnel: Tunnel) -> None:
    start_rotation(actor=make.SYSTEM, tunnel=tunnel, psk=NEW)
    reports.report(tunnel)
    prove(tunnel)
    finish_rotation(actor=make.SYSTEM, tunnel=tunnel)
    start_rotation(actor=make.SYSTEM, tunnel=tunnel)
    assert stage(tunnel) is RotationStage.APPLYING


def test_it_refuses_what_cannot_work(tunnel: Tunnel) -> None:
    with pytest.raises(RuleError, match="has already"):
        start_rotation(actor=make.SYSTEM, tunnel=tunnel, psk=Secret(make.CANARY_PSK))
    with pytest.raises(RuleError, match="8 to 128"):
        start_rotation(actor=make.SYSTEM, tunnel=tunnel, psk=Secret("short"))
    actions.take_down(actor=make.SYSTEM, tunnel=tunnel)
    with pytest.raises(RuleError, match="not meant to be up"):
        start_rotation(actor=make.SYSTEM, tunnel=tunnel)
    legacy = PRESETS["legacy"]
    old = make.a_tunnel("10.0.9.0/24 192.168.9.0/24", ike=legacy.ike, ipsec=legacy.ipsec)
    with pytest.raises(RuleError, match="Switch both ends to IKEv2"):
        start_rotation(actor=make.SYSTEM, tunnel=old)
    assert not Event.objects.filter(action="psk-rotation-started").exists()


def test_it_needs_the_permission(tunnel: Tunnel) -> None:
    viewer = make.a_user("vera", "viewer")
    for deed in (start_rotation, finish_rotation, cancel_rotation):
        with pytest.raises(PermissionDenied):
            deed(actor=viewer, tunnel=tunnel)


def test_an_edit_leaves_a_rotation_alone(tunnel: Tunnel) -> None:
    start_rotation(actor=make.SYSTEM, tunnel=tunnel, psk=NEW)
    with pytest.raises(RuleError, match="being rotated"):
        editing.update_basics(
            actor=make.SYSTEM,
            tunnel=tunnel,
            name="x",
            health=None,
            tags={},
            psk=Secret("yet-another"),
        )
    editing.update_basics(actor=make.SYSTEM, tunnel=tunnel, name="renamed", health=None, tags={})
    with pytest.raises(RuleError, match="being rotated"):
        editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=PRESETS["legacy"].ike)
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=IkeSettings(lifetime_seconds=7_200))
    stored = fresh(tunnel)
    assert (stored.name, stored.psk, stored.rotating_since is None) == ("renamed", NEW, False)


def test_the_database_keeps_a_previous_key_during_a_rotation_only(tunnel: Tunnel) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Tunnel.objects.update(previous_psk=NEW)
