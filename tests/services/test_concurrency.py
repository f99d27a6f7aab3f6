"""Many connections at once: the invariant holds, and whoever loses gets a sentence and no error page."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event, Lock
from time import sleep

import pytest
from django.db import connection, connections, transaction

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.models import CustomerGateway, Mapping, SpdRule, Tunnel, VpnGateway
from tunnels.models.spd import OVERLAP_MESSAGE
from tunnels.services import networks
from tunnels.services.access import sync_roles
from tunnels.services.constraints import BUSY, constraint_sentences

pytestmark = pytest.mark.django_db(transaction=True)
CONNECTIONS = 32
ROUNDS = 50
# Nothing takes that long; it makes a thread that died early a failure instead of a test that hangs.
PATIENCE = 120
# Each overlaps every other: they enclose each other or are equal, on both sides.
OVERLAPPING = tuple(
    (f"10.0.0.0/{16 + number % 9}", f"192.168.0.0/{16 + number // 9 % 9}")
    for number in range(CONNECTIONS)
)


def all_at_once(work: Callable[[int], None], pool: ThreadPoolExecutor) -> list[str]:
    """Run `work(number)` on every connection from one starting line; the sentences of those refused."""
    line = Barrier(CONNECTIONS, timeout=PATIENCE)

    def run(number: int) -> str:
        connections["default"].ensure_connection()
        line.wait()
        try:
            work(number)
        except RuleError as error:
            return str(error)
        return ""

    return [sentence for sentence in pool.map(run, range(CONNECTIONS)) if sentence]


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    """Threads that keep their connections between rounds."""
    return ThreadPoolExecutor(max_workers=CONNECTIONS)


def close(pool: ThreadPoolExecutor) -> None:
    """Close the connection of every thread, so that the test database can go."""
    line = Barrier(CONNECTIONS, timeout=PATIENCE)

    def hang_up(_: int) -> None:
        line.wait()
        connections.close_all()

    list(pool.map(hang_up, range(CONNECTIONS)))
    pool.shutdown()


def test_it_lets_exactly_one_of_many_tunnels_through(pool: ThreadPoolExecutor) -> None:
    sync_roles()
    gateway = make.a_vpn_gateway()
    customers = [make.a_customer_gateway(f"customer-{n}") for n in range(CONNECTIONS)]

    def create(number: int) -> None:
        make.a_tunnel(
            " ".join(OVERLAPPING[number]),
            name=f"t{number}",
            vpn_gateway=gateway,
            customer_gateway=customers[number],
        )

    try:
        for _ in range(ROUNDS):
            refused = all_at_once(create, pool)
            winner = Tunnel.objects.get()
            [mapping] = Mapping.objects.all()
            assert len(refused) == CONNECTIONS - 1
            for sentence in refused:
                assert sentence.endswith(
                    f"overlaps {mapping} of tunnel {winner.name} ({winner.public_id}), rule 1."
                )
            winner.delete()
    finally:
        close(pool)


def test_it_lets_exactly_one_of_many_rows_through_past_the_service(
    pool: ThreadPoolExecutor,
) -> None:
    sync_roles()
    gateway = make.a_vpn_gateway()
    tunnels = [
        make.a_tunnel(f"10.0.{n}.0/24 172.16.{n}.0/24", name=f"t{n}", vpn_gateway=gateway)
        for n in range(2)
    ]
    rules = [SpdRule.objects.get(tunnel=tunnel) for tunnel in tunnels]
    Mapping.objects.all().delete()

    # All try at once; then, as the sentence says, again. If all did that at once too, they might get into
    # each other's way for ever, so they go one after the other, and wait a moment for the first attempts to end.
    again = Lock()

    def insert(number: int) -> None:
        if not busy(number):
            return
        with again:
            while busy(number):
                sleep(0.05)

    def busy(number: int) -> bool:
        try:
            insert_once(number)
        except RuleError as error:
            if str(error) != BUSY:
                raise
            return True
        return False

    def insert_once(number: int) -> None:
        local, remote = OVERLAPPING[number]
        with constraint_sentences(), transaction.atomic():
            Mapping.objects.create(
                vpn_gateway=gateway,
                tunnel=tunnels[number % 2],
                rule=rules[number % 2],
                local_cidr=local,
                remote_cidr=remote,
            )

    try:
        for _ in range(ROUNDS):
            refused = all_at_once(insert, pool)
            assert Mapping.objects.count() == 1
            assert refused == [OVERLAP_MESSAGE] * (CONNECTIONS - 1)
            Mapping.objects.all().delete()
    finally:
        close(pool)


def test_it_never_leaves_a_tunnel_outside_a_vpc_that_shrinks(pool: ThreadPoolExecutor) -> None:
    """Whoever stores a tunnel waits for a change of the VPC's blocks, and then sees the new ones."""
    vpc = make.a_vpc("10.0.0.0/16")
    gateway = make.a_vpn_gateway(vpc=vpc)
    started = Event()

    def create() -> str:
        connections["default"].ensure_connection()
        started.set()
        try:
            make.a_tunnel("10.0.200.0/24 192.168.0.0/24", vpn_gateway=gateway)
        except RuleError as error:
            return str(error)
        finally:
            connections.close_all()
        return ""

    with transaction.atomic():
        networks.update_vpc(
            actor=make.SYSTEM, vpc=vpc, name=vpc.name, region=vpc.region, cidrs=["10.0.0.0/24"]
        )
        waiting = pool.submit(create)
        assert started.wait(PATIENCE)
        until_it_waits_for_a_lock(waiting)
    assert waiting.result() == (
        "10.0.200.0/24 is outside the VPC (10.0.0.0/24); choose a range inside it."
    )
    assert not Tunnel.objects.exists()
    pool.shutdown()


def test_it_gives_an_address_to_one_of_many(pool: ThreadPoolExecutor) -> None:
    from tunnels.services.gateways import create_customer_gateway, create_vpn_gateway

    vpc = make.a_vpc()

    def create(number: int) -> None:
        if number % 2:
            create_customer_gateway(actor=make.SYSTEM, name="c", public_ip="198.51.100.1")
        else:
            create_vpn_gateway(
                actor=make.SYSTEM,
                name="g",
                region=vpc.region,
                type_="VPC",
                vpc=vpc,
                ccn=None,
                public_ip="198.51.100.1",
            )

    try:
        refused = all_at_once(create, pool)
    finally:
        close(pool)
    assert len(refused) == CONNECTIONS - 1
    assert {sentence.partition(" belongs to the ")[0] for sentence in refused} == {"198.51.100.1"}
    assert CustomerGateway.objects.count() + VpnGateway.objects.count() == 1


def until_it_waits_for_a_lock(work: Future[str]) -> None:
    """Return when another connection to this database is held back by ours, or the work ended without waiting."""
    with connection.cursor() as cursor:
        while not work.done():
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
