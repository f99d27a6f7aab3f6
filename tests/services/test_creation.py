from __future__ import annotations

import pytest

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.models import Event, Mapping, Tunnel, VpnGateway

pytestmark = pytest.mark.django_db


def test_it_stores_the_reference_example_as_four_mappings() -> None:
    tunnel = make.a_tunnel(*make.SEED_RULES)
    pairs = [str(mapping) for mapping in Mapping.objects.filter(tunnel=tunnel).order_by("pk")]
    assert pairs == [
        "10.0.0.0/24 ↔ 192.168.0.0/24",
        "10.0.0.0/24 ↔ 192.168.1.0/24",
        "10.0.1.0/24 ↔ 192.168.2.0/24",
        "10.0.2.0/24 ↔ 192.168.2.0/24",
    ]
    assert tunnel.state.mappings_total == 4
    assert VpnGateway.objects.get().revision == 1
    event = Event.objects.get()
    assert (event.action, event.target_id, event.actor_name) == (
        "tunnel-created",
        tunnel.public_id,
        "tests",
    )
    assert event.after["psk"] == "changed"


def test_it_names_the_conflict() -> None:
    first = make.a_tunnel(*make.SEED_RULES)
    with pytest.raises(RuleError) as refused:
        make.a_tunnel("10.0.0.0/25 192.168.1.0/24", vpn_gateway=first.vpn_gateway, name="second")
    sentence = (
        "10.0.0.0/25 ↔ 192.168.1.0/24 overlaps 10.0.0.0/24 ↔ 192.168.1.0/24 "
        f"of tunnel idc-shanghai ({first.public_id}), rule 1."
    )
    assert [finding.message for finding in refused.value.findings] == [sentence]
    assert Tunnel.objects.count() == 1


def test_it_accepts_the_reference_addition() -> None:
    first = make.a_tunnel(*make.SEED_RULES)
    make.a_tunnel("10.0.1.0/24 192.168.1.0/24", vpn_gateway=first.vpn_gateway, name="second")
    assert Mapping.objects.count() == 5
