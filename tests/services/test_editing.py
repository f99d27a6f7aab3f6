"""Editing: what changes, what the gateway hears of it, and that nobody overwrites anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings
from tunnels.domain.secret import Secret
from tunnels.models import Event, Mapping, SpdRule, Tunnel, TunnelState, VpnGateway
from tunnels.services import actions, editing
from tunnels.services.policy import HealthRequest

pytestmark = pytest.mark.django_db

OTHER_PSK = Secret("Another-Key_12345")
CBC = IkeSettings(encryption="aes-256", dh_group="dh14")


@pytest.fixture
def tunnel() -> Tunnel:
    return make.connect(make.a_tunnel(*make.SEED_RULES, tags={"env": "production"}))


def basics(tunnel: Tunnel, **fields: Any) -> Tunnel:
    given = {"name": tunnel.name, "tags": tunnel.tags, "health": None, **fields}
    return editing.update_basics(actor=given.pop("actor", make.SYSTEM), tunnel=tunnel, **given)


def policy(tunnel: Tunnel, *texts: str, **fields: Any) -> Tunnel:
    actor = fields.pop("actor", make.SYSTEM)
    return editing.update_policy(actor=actor, tunnel=tunnel, rules=make.rules(*texts), **fields)


def heard() -> tuple[int, int, str]:
    """What the gateway must hear of: the tunnel's revision, the gateway's, and the provisioning."""
    state = TunnelState.objects.get().provisioning
    return Tunnel.objects.get().revision, VpnGateway.objects.get().revision, state


def sentences(refused: pytest.ExceptionInfo[RuleError]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.field) for finding in refused.value.findings]


EDITS: list[Callable[..., Tunnel]] = [
    lambda tunnel, **more: basics(tunnel, psk=OTHER_PSK, **more),
    lambda tunnel, **more: policy(tunnel, "10.0.9.0/24 192.168.9.0/24", **more),
    lambda tunnel, actor=make.SYSTEM, **more: editing.update_ike(
        actor=actor, tunnel=tunnel, ike=CBC, **more
    ),
    lambda tunnel, actor=make.SYSTEM, **more: editing.update_ipsec(
        actor=actor, tunnel=tunnel, ipsec=IpsecSettings(pfs=""), **more
    ),
]
each_edit = pytest.mark.parametrize("edit", EDITS, ids=["basics", "policy", "ike", "ipsec"])


# --- Every step -----------------------------------------------------------------------------------


@each_edit
def test_it_tells_the_gateway_of_a_change_once(tunnel: Tunnel, edit: Callable[..., Tunnel]) -> None:
    assert heard() == (1, 1, "applied")
    edit(tunnel, seen_revision=1)
    assert heard() == (2, 2, "pending")
    assert TunnelState.objects.get().word == "provisioning"
    event = Event.objects.get(action="tunnel-edited")
    assert (event.target_id, event.actor_name) == (tunnel.public_id, "tests")
    assert event.after
    # The same again changes nothing, and leaves no event.
    edit(Tunnel.objects.get())
    assert heard() == (2, 2, "pending")
    assert Event.objects.filter(action="tunnel-edited").count() == 1


@each_edit
def test_it_refuses_to_overwrite_what_the_editor_has_not_seen(
    tunnel: Tunnel, edit: Callable[..., Tunnel]
) -> None:
    with pytest.raises(RuleError) as refused:
        edit(tunnel, seen_revision=0)
    assert sentences(refused) == [("tunnel-changed", "")]
    assert heard() == (1, 1, "applied")


@each_edit
def test_it_does_not_edit_what_is_being_deleted_or_gone(
    tunnel: Tunnel, edit: Callable[..., Tunnel]
) -> None:
    Tunnel.objects.update(intent="deleting")
    with pytest.raises(RuleError) as refused:
        edit(tunnel)
    assert sentences(refused) == [("tunnel-deleting", "")]
    Tunnel.objects.all().delete()
    with pytest.raises(RuleError) as refused:
        edit(tunnel)
    assert sentences(refused) == [("tunnel-gone", "")]


@each_edit
@pytest.mark.parametrize("role", ["", "viewer"])
def test_it_lets_only_those_edit_who_may(
    tunnel: Tunnel, edit: Callable[..., Tunnel], role: str
) -> None:
    with pytest.raises(PermissionDenied):
        edit(tunnel, actor=make.a_user("somebody", role))
    assert heard() == (1, 1, "applied")


@each_edit
def test_it_lets_operators_edit(tunnel: Tunnel, edit: Callable[..., Tunnel]) -> None:
    edit(tunnel, actor=make.a_user("olga", "operator"))
    assert Event.objects.get(action="tunnel-edited").actor_name == "olga"


# --- Step 1 ---------------------------------------------------------------------------------------


def test_it_does_not_bother_the_gateway_with_name_and_tags(tunnel: Tunnel) -> None:
    basics(tunnel, name="  renamed ", tags={"env": "test"})
    assert heard() == (1, 1, "applied")
    fresh = Tunnel.objects.get()
    assert (fresh.name, fresh.tags) == ("renamed", {"env": "test"})
    event = Event.objects.get(action="tunnel-edited")
    assert (event.before, event.after) == (
        {"name": "idc-shanghai", "tags": {"env": "production"}},
        {"name": "renamed", "tags": {"env": "test"}},
    )


def test_it_keeps_the_key_unless_there_is_a_new_one(tunnel: Tunnel) -> None:
    basics(tunnel, name="renamed")
    assert Tunnel.objects.get().psk.reveal() == make.CANARY_PSK
    basics(tunnel, psk=OTHER_PSK)
    assert Tunnel.objects.get().psk == OTHER_PSK


def test_it_writes_down_that_the_key_changed_and_never_the_key(tunnel: Tunnel) -> None:
    basics(tunnel, psk=OTHER_PSK)
    event = Event.objects.get(action="tunnel-edited")
    assert (event.before, event.after) == ({"psk": "changed"}, {"psk": "changed"})


def test_it_takes_the_same_key_for_no_change(tunnel: Tunnel) -> None:
    basics(tunnel, psk=Secret(make.CANARY_PSK))
    assert heard() == (1, 1, "applied")


def test_it_names_every_mistake_at_its_field(tunnel: Tunnel) -> None:
    with pytest.raises(RuleError) as refused:
        basics(tunnel, name="", psk=Secret("short"), tags={"qcs:x": "y"})
    assert [field for _, field in sentences(refused)] == ["name", "psk", "tags"]
    assert Tunnel.objects.get().name == "idc-shanghai"


def test_it_switches_the_health_check_on_and_off_with_its_mapping(tunnel: Tunnel) -> None:
    basics(tunnel, health=HealthRequest())
    fresh, state = Tunnel.objects.get(), TunnelState.objects.get()
    assert fresh.health_enabled
    assert (state.health, state.mappings_total) == ("waiting", 5)
    assert Mapping.objects.filter(rule=None).count() == 1
    basics(fresh, health=None)
    state = TunnelState.objects.get()
    assert (state.health, state.mappings_total) == ("off", 4)
    assert Mapping.objects.filter(rule=None).count() == 0


def test_it_refuses_probe_addresses_of_another_tunnel(tunnel: Tunnel) -> None:
    other = make.a_tunnel(
        "10.0.9.0/24 192.168.9.0/24",
        name="second",
        vpn_gateway=tunnel.vpn_gateway,
        health=HealthRequest(),
    )
    wanted = HealthRequest(local=other.health_local, remote=other.health_remote)
    with pytest.raises(RuleError) as refused:
        basics(tunnel, health=wanted)
    assert ("health-address-taken", "health_local") in sentences(refused)
    assert ("health-address-taken", "health_remote") in sentences(refused)


def test_it_lets_a_tunnel_keep_its_own_probe_addresses(tunnel: Tunnel) -> None:
    fresh = basics(tunnel, health=HealthRequest())
    kept = HealthRequest(local=fresh.health_local, remote=fresh.health_remote)
    revision = Tunnel.objects.get().revision
    basics(fresh, name="renamed", health=kept)
    assert Tunnel.objects.get().revision == revision


def test_it_notices_that_somebody_else_set_name_or_tags(tunnel: Tunnel) -> None:
    mark = editing.basics_mark(tunnel)
    editing.retag(actor=make.SYSTEM, tunnel=tunnel, tags={"env": "theirs"})
    with pytest.raises(RuleError) as refused:
        basics(tunnel, seen_revision=1, seen_mark=mark)
    assert sentences(refused) == [("tunnel-changed", "")]
    assert Tunnel.objects.get().tags == {"env": "theirs"}
    basics(tunnel, seen_revision=1, seen_mark=editing.basics_mark(Tunnel.objects.get()))
    assert Tunnel.objects.get().tags == {"env": "production"}


# --- Step 2 ---------------------------------------------------------------------------------------


def test_it_keeps_the_rows_of_mappings_that_stay(tunnel: Tunnel) -> None:
    before = {str(row): row.pk for row in Mapping.objects.all()}
    policy(tunnel, "10.0.1.0/24 192.168.2.0/24", "10.0.0.0/24 192.168.1.0/24 192.168.7.0/24")
    after = {str(row): row.pk for row in Mapping.objects.all()}
    stays = {"10.0.1.0/24 ↔ 192.168.2.0/24", "10.0.0.0/24 ↔ 192.168.1.0/24"}
    assert set(after) == stays | {"10.0.0.0/24 ↔ 192.168.7.0/24"}
    assert {name: after[name] for name in stays} == {name: before[name] for name in stays}
    assert [str(rule) for rule in SpdRule.objects.all()] == [
        "rule 1: 10.0.1.0/24",
        "rule 2: 10.0.0.0/24",
    ]
    assert TunnelState.objects.get().mappings_total == 3


def test_it_does_not_take_its_own_old_mappings_for_a_conflict(tunnel: Tunnel) -> None:
    policy(tunnel, "10.0.0.0/22 192.168.0.0/22")
    assert [str(row) for row in Mapping.objects.all()] == ["10.0.0.0/22 ↔ 192.168.0.0/22"]


def test_it_refuses_what_overlaps_another_tunnel_and_changes_nothing(tunnel: Tunnel) -> None:
    make.a_tunnel("10.0.9.0/24 192.168.9.0/24", name="second", vpn_gateway=tunnel.vpn_gateway)
    before = list(Mapping.objects.values())
    with pytest.raises(RuleError) as refused:
        policy(tunnel, "10.0.9.0/25 192.168.0.0/24 192.168.9.0/24")
    assert sentences(refused) == [("spd-overlap", "remotes")]
    assert "of tunnel second" in str(refused.value)
    assert list(Mapping.objects.values()) == before


def test_it_keeps_the_probes_mapping_when_rules_change() -> None:
    probed = make.a_tunnel(health=HealthRequest())
    policy(probed, "10.0.5.0/24 192.168.5.0/24")
    assert Mapping.objects.filter(rule=None).count() == 1
    assert TunnelState.objects.get().mappings_total == 2


def test_it_writes_down_the_rules_that_changed(tunnel: Tunnel) -> None:
    policy(tunnel, make.SEED_RULES[0], "10.0.1.0/24 192.168.3.0/24", make.SEED_RULES[2])
    event = Event.objects.get(action="tunnel-edited")
    assert event.before == {"rule 2": "10.0.1.0/24 ↔ 192.168.2.0/24"}
    assert event.after == {"rule 2": "10.0.1.0/24 ↔ 192.168.3.0/24"}


# --- Steps 3 and 4 --------------------------------------------------------------------------------


def test_it_writes_down_only_the_settings_that_changed(tunnel: Tunnel) -> None:
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=IkeSettings(dh_group="dh14"))
    event = Event.objects.get(action="tunnel-edited")
    assert (event.before, event.after) == ({"dh_group": "dh19"}, {"dh_group": "dh14"})


def test_it_refuses_a_version_that_the_ipsec_settings_cannot_have(tunnel: Tunnel) -> None:
    editing.update_ipsec(
        actor=make.SYSTEM, tunnel=tunnel, ipsec=IpsecSettings(encryption="chacha20-poly1305")
    )
    old = IkeSettings(version=IkeVersion.V1, encryption="aes-256")
    with pytest.raises(RuleError) as refused:
        editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=old)
    assert sentences(refused) == [("ikev1-esp", "version")]
    assert Tunnel.objects.get().ike.version == 2


def test_it_refuses_ipsec_settings_that_the_version_cannot_have(tunnel: Tunnel) -> None:
    old = IkeSettings(version=IkeVersion.V1, encryption="aes-256")
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=old)
    with pytest.raises(RuleError) as refused:
        editing.update_ipsec(
            actor=make.SYSTEM, tunnel=tunnel, ipsec=IpsecSettings(encryption="chacha20-poly1305")
        )
    assert sentences(refused) == [("ikev1-esp", "encryption")]
    assert Tunnel.objects.get().ipsec.encryption == "aes-256-gcm"


def test_it_refuses_identities_that_another_tunnel_has(tunnel: Tunnel) -> None:
    named = IkeSettings(remote_fqdn="edge.example.net")
    make.a_tunnel(
        "10.0.9.0/24 192.168.9.0/24", name="second", vpn_gateway=tunnel.vpn_gateway, ike=named
    )
    with pytest.raises(RuleError) as refused:
        editing.update_ike(
            actor=make.SYSTEM, tunnel=tunnel, ike=IkeSettings(remote_fqdn="EDGE.example.net")
        )
    assert sentences(refused) == [("identity-exists", "remote_fqdn")]


def test_it_lets_a_tunnel_keep_its_own_identities(tunnel: Tunnel) -> None:
    named = IkeSettings(remote_fqdn="edge.example.net")
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=named)
    later = IkeSettings(remote_fqdn="edge.example.net", dh_group="dh14")
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=later)
    assert Tunnel.objects.get().revision == 3


def test_it_clears_an_old_failure(tunnel: Tunnel) -> None:
    TunnelState.objects.update(provisioning="failed", failure="no proposal", word="failed")
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=CBC)
    state = TunnelState.objects.get()
    assert (state.provisioning, state.failure, state.word) == ("pending", "", "provisioning")


def test_it_edits_a_tunnel_that_is_taken_down(tunnel: Tunnel) -> None:
    actions.take_down(actor=make.SYSTEM, tunnel=tunnel)
    editing.update_ike(actor=make.SYSTEM, tunnel=tunnel, ike=CBC)
    fresh = Tunnel.objects.get()
    assert (fresh.intent, fresh.ike.dh_group) == ("down", "dh14")


# --- Tags -----------------------------------------------------------------------------------------


def test_it_replaces_the_tags_once(tunnel: Tunnel) -> None:
    assert editing.retag(actor=make.SYSTEM, tunnel=tunnel, tags={"team": "net", "env": "test"})
    assert not editing.retag(actor=make.SYSTEM, tunnel=tunnel, tags={"env": "test", "team": "net"})
    assert heard() == (1, 1, "applied")
    event = Event.objects.get(action="tunnel-retagged")
    assert event.message == "Tags of idc-shanghai set to env=test, team=net"
    assert event.before == {"tags": {"env": "production"}}


def test_it_takes_all_tags_away(tunnel: Tunnel) -> None:
    editing.retag(actor=make.SYSTEM, tunnel=tunnel, tags={})
    assert Event.objects.get(action="tunnel-retagged").message.endswith("set to none")


def test_it_checks_tags_and_who_sets_them(tunnel: Tunnel) -> None:
    with pytest.raises(RuleError) as refused:
        editing.retag(actor=make.SYSTEM, tunnel=tunnel, tags={"": "x"})
    assert [field for _, field in sentences(refused)] == ["tags"]
    with pytest.raises(PermissionDenied):
        editing.retag(actor=make.a_user("vera", "viewer"), tunnel=tunnel, tags={})
    assert Tunnel.objects.get().tags == {"env": "production"}
