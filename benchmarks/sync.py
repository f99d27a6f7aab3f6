"""An agent's sync when nothing has changed, through the real view: what the console spends on a quiet gateway."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TextIO

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks import dataset
from benchmarks.timing import interleaved
from tunnels.contract import AgentFacts, SyncAnswer, SyncRequest
from tunnels.lab import GATEWAY
from tunnels.models import GatewayType, VpnGateway
from tunnels.services import gateways, networks
from tunnels.services.access import SystemActor
from tunnels.services.enrolment import enrol, start_enrolment

ACTOR = SystemActor(name="benchmark")


def make_gateway() -> tuple[VpnGateway, str]:
    """In an empty database a gateway with an agent, and the agent's token."""
    dataset.clear()
    region = networks.create_region(actor=ACTOR, code="bench", name="Bench")
    vpc = networks.create_vpc(actor=ACTOR, name="inside", region=region, cidrs=["10.0.0.0/16"])
    gateway = gateways.create_vpn_gateway(
        actor=ACTOR, name="gateway", region=region, type_=GatewayType.VPC, vpc=vpc, ccn=None,
        public_ip=GATEWAY.addresses[0],
    )  # fmt: skip
    _, token = enrol(token=start_enrolment(actor=ACTOR, vpn_gateway=gateway))
    return gateway, token


def measure_sync(*, tunnels: int, rounds: int, out: TextIO) -> str:
    """Print queries and times of an unchanged sync, beside its two statements by hand; returns a sentence."""
    gateway, token = make_gateway()
    dataset.crowd(gateway, tunnels)
    gateway.refresh_from_db()
    client, address = Client(), reverse("agents:sync")
    facts = AgentFacts(
        agent_version="1", charon_version="5.9.8", plugins=("vici",) * 30, boot_id="benchmark",
        clock=datetime.now(UTC),
    )  # fmt: skip

    def post(request: SyncRequest) -> SyncAnswer:
        response = client.post(
            address, request.model_dump_json(), content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        if response.status_code != 200:
            raise RuntimeError(f"the sync answered {response.status_code}")
        return SyncAnswer.model_validate_json(response.content)

    first = post(SyncRequest(facts=facts))
    if first.tunnels is None or len(first.tunnels) != tunnels:
        raise RuntimeError("the first sync did not get the tunnels")
    body = SyncRequest(facts=facts, revision=first.revision)
    post(body.model_copy(update={"complete": True}))

    def unchanged() -> None:
        facts_now = facts.model_copy(update={"clock": datetime.now(UTC)})
        if post(body.model_copy(update={"facts": facts_now})).tunnels is not None:
            raise RuntimeError("an unchanged sync got tunnels")

    def statements() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT * FROM tunnels_gatewayagent a JOIN tunnels_vpngateway g ON g.id = a.vpn_gateway_id"
                " LEFT JOIN tunnels_vpc v ON v.id = g.vpc_id WHERE g.id = %s",
                [gateway.pk],
            )
            cursor.fetchall()
            cursor.execute(
                "UPDATE tunnels_vpngateway SET last_seen = now() WHERE id = %s", [gateway.pk]
            )

    unchanged()
    with CaptureQueriesContext(connection) as captured:
        unchanged()
    asked = [
        query["sql"] for query in captured if query["sql"] not in {"BEGIN", "COMMIT", "ROLLBACK"}
    ]
    times, floor = interleaved(rounds, unchanged, statements)
    label = f"unchanged sync ({tunnels:,} tunnels)"
    out.write(f"{label:<50}{times}  {floor.p50:8.2f}  {len(asked)} queries\n")
    return f"an unchanged sync takes {times.p50:.1f} ms and {len(asked)} queries"
