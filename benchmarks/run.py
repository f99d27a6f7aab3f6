"""The console's pages and checks, each beside what its parts cost by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from time import perf_counter
from typing import Final, TextIO

import django

django.setup()

# What imports models has to wait for the line above.
from django.contrib.auth.models import User  # noqa: E402
from django.db import IntegrityError, connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import NoReverseMatch, reverse  # noqa: E402

from benchmarks import bare, dataset  # noqa: E402
from benchmarks.timing import Step, Times, interleaved  # noqa: E402
from tunnels.domain.spd import Rule  # noqa: E402
from tunnels.models import Tunnel  # noqa: E402
from tunnels.models.listing import Criteria, list_page, list_rows  # noqa: E402
from tunnels.services.policy import check_policy  # noqa: E402
from tunnels.web.listing import rows as listed  # noqa: E402

Value = int | str

# The rows of a page with everything that they show, by hand.
ROWS: Final = """
    SELECT t.public_id, t.name, t.intent, t.tags, t.created_at, t.reset_count, s.word, s.mappings_up, s.mappings_total,
           s.health, s.failure, s.resets_done, g.public_id, g.name, g.last_seen, r.name, v.public_id, v.name,
           c.public_id, c.name, c.public_ip
    FROM tunnels_tunnel t
    JOIN tunnels_tunnelstate s ON s.tunnel_id = t.id
    JOIN tunnels_vpngateway g ON g.id = t.vpn_gateway_id
    JOIN tunnels_region r ON r.id = g.region_id
    LEFT JOIN tunnels_vpc v ON v.id = g.vpc_id
    JOIN tunnels_customergateway c ON c.id = t.customer_gateway_id
"""
NEWEST: Final = "ORDER BY t.created_at DESC, t.id DESC LIMIT 51"
CARRIES: Final = """
    WHERE t.id IN (SELECT tunnel_id FROM tunnels_mapping WHERE local_cidr && %s
                   UNION SELECT tunnel_id FROM tunnels_mapping WHERE remote_cidr && %s)
"""
OVERLAPS: Final = """
    SELECT 1 FROM tunnels_mapping
    WHERE int8range(vpn_gateway_id, vpn_gateway_id, '[]') && int8range(%s, %s, '[]')
      AND local_cidr && %s AND remote_cidr && %s
"""
INSERT: Final = (
    "INSERT INTO {} (vpn_gateway_id, tunnel_id, local_cidr, remote_cidr) VALUES (%s, %s, %s, %s)"
)


def measure_pages(*, tunnels: int, rounds: int, out: TextIO) -> str:
    """Build, measure and print the list, its searches and a tunnel's page; returns a sentence."""
    started = perf_counter()
    data = dataset.build(tunnels)
    out.write(
        f"{data.tunnels:,} tunnels, {data.mappings:,} mappings, {data.gateways:,} gateways, "
        f"built in {perf_counter() - started:.0f} s. Milliseconds in one process, {rounds} rounds A B A B.\n\n"
    )
    out.write(
        f"{'page':<34}{'p50':>8} {'p95':>8}  {'bare SQL':>8}  {'bare view':>9}  {'× bare view':>11}\n"
    )
    ratio = _pages(rounds, out)
    return f"the list takes {ratio:.1f} × a bare view of its rows"


def measure_checks(*, rounds: int, scales: Sequence[int], out: TextIO) -> str:
    """Build, measure and print the check of one mapping among so many; returns a sentence."""
    out.write(f"\n{'one mapping, checked or inserted':<34}{'p50':>8} {'p95':>8}  {'floor':>8}\n")
    checks = []
    for mappings in scales:
        scaled = dataset.build(-(-mappings // dataset.MAPPINGS_PER_TUNNEL))
        checks.append((scaled.mappings, _policy(scaled, rounds, out)))
    flat = ", ".join(f"{checked.p50:.2f} ms at {mappings:,}" for mappings, checked in checks)
    return f"a refused check takes {flat} mappings"


def _pages(rounds: int, out: TextIO) -> float:
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    start = reverse("tunnels:list")
    middle = Tunnel.objects.get(pk=Tunnel.objects.count() // 2)
    own = str(dataset.remote_of(middle.pk, 1)[7])

    def get(address: str) -> Step:
        def step() -> None:
            response = client.get(address)
            if response.status_code != 200:
                raise RuntimeError(f"{address} answered {response.status_code}")

        return step

    def sql(query: str, *values: Value) -> Step:
        def step() -> None:
            with connection.cursor() as cursor:
                cursor.execute(query, values)
                cursor.fetchall()

        return step

    def forgetful() -> None:
        listed.forget_rows()
        client.get(start)

    pages: list[tuple[str, Step, Step, Criteria | None]] = [
        ("list", get(start), sql(ROWS + NEWEST), Criteria()),
        ("list, each row rendered anew", forgetful, sql(ROWS + NEWEST), Criteria()),
        *[
            (
                f"search by address, {what}",
                get(f"{start}?q={text}"),
                sql(ROWS + CARRIES + NEWEST, text, text),
                Criteria(text=text),
            )
            for what, text in (("one hit", own), ("many hits", "192.168.1.7"))
        ],
        (
            "search by name",
            get(f"{start}?q=harbour"),
            sql(f"{ROWS} WHERE t.name ILIKE %s {NEWEST}", "%harbour%"),
            Criteria(text="harbour"),
        ),
    ]
    try:
        detail = reverse("tunnels:detail", args=[middle.public_id])
    except NoReverseMatch:
        out.write("detail: skipped, there is no such page yet\n")
    else:
        pages.append(("detail", get(detail), sql(f"{ROWS} WHERE t.id = %s", middle.pk), None))
    ratios = {}
    for name, ours, query, criteria in pages:
        found = list_page(criteria).rows if criteria else list_rows([middle.public_id])
        bare.prepare(list(found))
        page, floor, view = interleaved(rounds, ours, query, get("/bare/"))
        ratios[name] = page.p50 / view.p50
        label = f"{name} ({len(found)})"
        out.write(f"{label:<34}{page}  {floor.p50:8.2f}  {view.p50:9.2f}  {ratios[name]:11.1f}\n")
    return ratios["list"]


def _policy(data: dataset.Dataset, rounds: int, out: TextIO) -> Times:
    """Print the checks at this size, and answer the times of the refused one."""
    tunnel = Tunnel.objects.select_related("vpn_gateway__vpc").get(pk=data.tunnels // 2)
    gateway = tunnel.vpn_gateway
    remote = dataset.remote_of(tunnel.pk, 1)
    locals_ = {"refused": dataset.local_of(tunnel.pk, 0), "accepted": IPv4Network("10.0.250.0/24")}
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE unguarded AS SELECT * FROM tunnels_mapping")
        cursor.execute("CREATE INDEX ON unguarded (tunnel_id)")
    times = {}
    for name, local in locals_.items():
        rule = Rule(local=local, remotes=(remote,))

        def check(rule: Rule = rule, name: str = name) -> None:
            findings = check_policy([rule], vpn_gateway=gateway, health=None)
            if bool(findings) is not (name == "refused"):
                raise RuntimeError(f"{rule} was to be {name}: {findings}")

        def probe(
            values: tuple[Value, ...] = (gateway.pk, gateway.pk, str(local), str(remote)),
        ) -> None:
            with connection.cursor() as cursor:
                cursor.execute(OVERLAPS, values)
                cursor.fetchall()

        values = (gateway.pk, tunnel.pk, str(local), str(remote))
        checked, asked = interleaved(rounds, check, probe)
        inserted, floor = interleaved(
            rounds, _insert("tunnels_mapping", values), _insert("unguarded", values)
        )
        size = f"{data.mappings:,}"
        out.write(f"{name + ' by the service, at ' + size:<34}{checked}  {asked.p50:8.2f}\n")
        out.write(f"{name + ' by the constraint, at ' + size:<34}{inserted}  {floor.p50:8.2f}\n")
        times[name] = checked
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE unguarded")
    return times["refused"]


def _insert(table: str, values: tuple[Value, ...]) -> Step:
    query = INSERT.format(table)

    def step() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(query, values)
                transaction.set_rollback(True)
        except IntegrityError:
            # The constraint's refusal is what is measured.
            return

    return step
