"""The console's side of the rig, in a process with Django: makes the data, and reads what the console knows.

It reads one JSON object a line and answers with one. A database that is away is an answer too.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any, TypeAlias

import django

from tests.chaos.world import EXTRA, TUNNELS, Wanted

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vpnconsole.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import Error, connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from tunnels.devices.base import render  # noqa: E402
from tunnels.devices.strongswan_swanctl.platform import PLATFORM as SWANCTL  # noqa: E402
from tunnels.domain.findings import RuleError  # noqa: E402
from tunnels.domain.secret import Secret  # noqa: E402
from tunnels.domain.spd import Rule  # noqa: E402
from tunnels.lab import GATEWAY  # noqa: E402
from tunnels.models import GatewayType, LogLine, Mapping, Tunnel, VpnGateway  # noqa: E402
from tunnels.services import gateways, networks  # noqa: E402
from tunnels.services.access import SystemActor  # noqa: E402
from tunnels.services.actions import is_silent, reset_tunnel  # noqa: E402
from tunnels.services.creation import Basics, create_tunnel  # noqa: E402
from tunnels.services.documents import tunnel_documents  # noqa: E402
from tunnels.services.editing import update_policy  # noqa: E402
from tunnels.services.enrolment import enrol, revoke_agent, start_enrolment  # noqa: E402
from tunnels.services.policy import HealthRequest  # noqa: E402
from tunnels.services.specs import spec_of, stored_rules  # noqa: E402

Answer: TypeAlias = dict[str, Any]

ACTOR = SystemActor(name="chaos")
LOG_ROWS = 20_000


def setup() -> Answer:
    """An empty database becomes a gateway that has an agent; the agent's token goes to whoever asked."""
    call_command("migrate", interactive=False, verbosity=0)
    region = networks.create_region(actor=ACTOR, code="lab", name="Lab")
    vpc = networks.create_vpc(actor=ACTOR, name="inside", region=region, cidrs=["10.0.0.0/16"])
    gateway = gateways.create_vpn_gateway(
        actor=ACTOR, name="gateway", region=region, type_=GatewayType.VPC, vpc=vpc, ccn=None,
        public_ip=GATEWAY.addresses[0],
    )  # fmt: skip
    return {"gateway": gateway.public_id, "token": _token(gateway)}


def make_all() -> Answer:
    """All tunnels of the world; the first one can carry the extra mapping besides (see `toggle`)."""
    return {"tunnels": [_make(wanted) for wanted in TUNNELS]}


def make(**fields: Any) -> Answer:
    """One tunnel with the fields of `Wanted`; `refused` has the rules that it breaks."""
    try:
        with transaction.atomic():
            return _make(Wanted(**fields))
    except RuleError as error:
        return {"refused": [finding.rule for finding in error.findings]}


def reset(*, tunnel: str) -> Answer:
    """Ask for a reset."""
    return {"asked": reset_tunnel(actor=ACTOR, tunnel=Tunnel.objects.get(public_id=tunnel))}


def toggle(*, tunnel: str) -> Answer:
    """Add the extra mapping to the tunnel, or take it away."""
    found = Tunnel.objects.get(public_id=tunnel)
    rules = stored_rules(found)
    extra = _rule(EXTRA)
    wanted = tuple(rule for rule in rules if rule != extra)
    update_policy(actor=ACTOR, tunnel=found, rules=wanted if extra in rules else (*wanted, extra))
    return {}


def state() -> Answer:
    """What is wanted, as a digest and in parts, and what the console shows."""
    gateway = _gateway()
    documents = tunnel_documents(gateway)
    tunnels = list(Tunnel.objects.select_related("state").order_by("pk"))
    desired = [document.model_dump_json() for document in documents]
    desired += [json.dumps([tunnel.name, tunnel.tags], sort_keys=True) for tunnel in tunnels]
    return {
        "desired": hashlib.sha256("\n".join(desired).encode()).hexdigest(),
        "revision": gateway.revision,
        "silent": is_silent(gateway),
        "seen": gateway.last_seen.timestamp() if gateway.last_seen else 0.0,
        "agent": _agent(gateway),
        "lines": LogLine.objects.count(),
        "tunnels": {tunnel.public_id: _tunnel(tunnel) for tunnel in tunnels},
    }


def log(*, after: int) -> Answer:
    """The log lines behind a cursor, in the order of their cursors."""
    rows = LogLine.objects.filter(cursor__gt=after).order_by("epoch", "cursor")[:LOG_ROWS]
    return {
        "lines": [
            [line.epoch, line.cursor, line.at.timestamp(), line.group, line.level, line.text]
            for line in rows
        ]
    }


def revoke() -> Answer:
    """Take the agent's token away."""
    return {"revoked": revoke_agent(actor=ACTOR, vpn_gateway=_gateway())}


def token() -> Answer:
    """A new token for the agent."""
    return {"token": _token(_gateway())}


COMMANDS: dict[str, Callable[..., Answer]] = {
    command.__name__: command
    for command in (setup, make_all, make, reset, toggle, state, log, revoke, token)
}


def main() -> None:
    """Answer until the other end hangs up."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = COMMANDS[request.pop("do")](**request)
        except Error as error:
            connection.close()
            answer = {"away": str(error)}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def _make(wanted: Wanted) -> Answer:
    customer = gateways.create_customer_gateway(
        actor=ACTOR, name=f"customer of {wanted.name}"[:60], public_ip=wanted.address
    )
    tunnel = create_tunnel(
        actor=ACTOR,
        basics=Basics(
            name=wanted.name,
            vpn_gateway=_gateway(),
            customer_gateway=customer,
            psk=Secret(wanted.psk),
            health=HealthRequest(interval_ms=1000, timeout_ms=500) if wanted.health else None,
            tags=wanted.tags,
        ),
        rules=[_rule(text) for text in wanted.rules],
        ike=wanted.ike(),
        ipsec=wanted.ipsec(),
    )
    spec = spec_of(tunnel)
    if wanted.extra:
        spec = replace(spec, rules=(*spec.rules, _rule(EXTRA)))
    file = render(
        SWANCTL, spec, version=SWANCTL.versions[0], redacted=False,
        now=timezone.now(), console_version=settings.CONSOLE_VERSION,
    )  # fmt: skip
    return {
        "id": tunnel.public_id,
        "name": tunnel.name,
        "filename": file.files[0].filename,
        "text": file.text,
        "probed": str(tunnel.health_remote) if tunnel.health_enabled else "",
    }


def _tunnel(tunnel: Tunnel) -> Answer:
    shown = tunnel.state
    return {
        "intent": tunnel.intent,
        "word": shown.word,
        "revision": tunnel.revision,
        "applied": shown.applied_revision,
        "resets": tunnel.reset_count,
        "resets_done": shown.resets_done,
        "up": shown.mappings_up,
        "total": shown.mappings_total,
        "failure": shown.failure,
        "mappings": list(_pairs(tunnel)),
    }


def _pairs(tunnel: Tunnel) -> Iterator[tuple[str, str]]:
    pairs = Mapping.objects.filter(tunnel=tunnel).order_by("pk")
    for local, remote in pairs.values_list("local_cidr", "remote_cidr"):
        yield str(local), str(remote)


def _agent(gateway: VpnGateway) -> Answer:
    agent = gateway.agent
    return {
        "problems": [*agent.problems, *filter(None, (agent.vici_error, agent.refused_plan))],
        "foreign": agent.foreign,
        "refused": agent.refused_at.timestamp() if agent.refused_at else 0.0,
        "revision": agent.seen_revision,
        "epoch": agent.log_epoch,
        "cursor": agent.log_cursor,
    }


def _gateway() -> VpnGateway:
    return VpnGateway.objects.select_related("vpc", "ccn", "agent").get()


def _token(gateway: VpnGateway) -> str:
    return enrol(token=start_enrolment(actor=ACTOR, vpn_gateway=gateway))[1]


def _rule(text: str) -> Rule:
    local, *remotes = map(ip_network, text.split())
    return Rule(local=local, remotes=tuple(remotes))


if __name__ == "__main__":
    main()
