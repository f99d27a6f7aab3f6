from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import factories as make
from tunnels.domain.status import Word
from tunnels.models import Mapping, Tunnel, TunnelState, VpnGateway
from tunnels.models.listing import Criteria, Sort, list_page, list_rows
from tunnels.models.searching import searched_network

pytestmark = pytest.mark.django_db


def names(**criteria: Any) -> list[str]:
    """The names that the list shows for these criteria, in alphabetical order."""
    return [row.name for row in list_page(Criteria(**criteria), sort=Sort.NAME).rows]


def silence(gateway: VpnGateway, seconds: int = 61) -> None:
    """Let the gateway have reported that long ago for the last time."""
    VpnGateway.objects.filter(pk=gateway.pk).update(
        last_seen=timezone.now() - timedelta(seconds=seconds)
    )


@pytest.fixture
def pair() -> tuple[Tunnel, Tunnel]:
    """Two tunnels that have nothing in common: berlin over IPv4, tokyo over IPv6 and a CCN."""
    berlin = make.a_tunnel(
        "10.0.0.0/24 192.168.0.0/24 192.168.1.0/24",
        name="Berlin office",
        vpn_gateway=make.a_vpn_gateway(name="frankfurt-1"),
        customer_gateway=make.a_customer_gateway("berlin-edge"),
        tags={"env": "prod", "team": "net"},
    )
    tokyo = make.a_tunnel(
        "2001:db8:a::/64 2001:db8:b::/64",
        name="tokyo-plant",
        vpn_gateway=make.a_vpn_gateway(ccn=make.a_ccn("backbone"), name="singapore-1"),
        customer_gateway=make.a_customer_gateway("tokyo-edge"),
        tags={"env": "test", "a=b": "c=d"},
    )
    return berlin, tokyo


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("office", ["Berlin office"]),
        ("LIN OFF", ["Berlin office"]),
        ("be", ["Berlin office"]),
        ("B", ["Berlin office"]),
        ("ff", []),
        ("frankfurt", ["Berlin office"]),
        ("tokyo-edge", ["tokyo-plant"]),
        ("si", ["tokyo-plant"]),
        # All trigrams are there, the text is not.
        ("officeoffice", []),
        ("100%", []),
        ("_", []),
    ],
)
def test_it_finds_names(pair: object, text: str, found: list[str]) -> None:
    assert names(text=text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.168.1.7", ["Berlin office"]),
        ("192.168.1.7/32", ["Berlin office"]),
        ("192.168.0.0/16", ["Berlin office"]),
        ("192.168.", ["Berlin office"]),
        ("192.168.1", ["Berlin office"]),
        ("192.168.2", []),
        ("10.0.0.9", ["Berlin office"]),
        ("10.0.0.9/8", ["Berlin office"]),
        ("192.168.2.7", []),
        ("2001:db8:b::1", ["tokyo-plant"]),
        ("2001:db8::/32", ["tokyo-plant"]),
        ("0.0.0.0/0", ["Berlin office", "tokyo-plant"]),
    ],
)
def test_it_says_which_tunnel_carries_an_address(pair: object, text: str, found: list[str]) -> None:
    # Both tunnels have gateways with IPv4 addresses, so 0.0.0.0/0 finds both.
    assert names(text=text) == found


def test_it_finds_public_addresses_and_ids(pair: tuple[Tunnel, Tunnel]) -> None:
    berlin, tokyo = pair
    assert names(text=str(berlin.vpn_gateway.public_ip)) == ["Berlin office"]
    assert names(text=f"{tokyo.customer_gateway.public_ip}/32") == ["tokyo-plant"]
    assert names(text=berlin.public_id) == ["Berlin office"]
    assert names(text=tokyo.public_id[:9].upper()) == ["tokyo-plant"]
    assert names(text=berlin.vpn_gateway.public_id) == ["Berlin office"]
    assert names(text=tokyo.customer_gateway.public_id) == ["tokyo-plant"]
    assert names(text="vpnx-") == ["Berlin office", "tokyo-plant"]


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10", None),
        ("10.1", "10.1.0.0/16"),
        ("10.1.2.", "10.1.2.0/24"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.1.2.3/24", "10.1.2.0/24"),
        ("300.1", None),
        ("fe80::1%eth0", None),
        ("::/0", "::/0"),
        ("berlin", None),
    ],
)
def test_it_reads_addresses_as_people_type_them(text: str, network: str | None) -> None:
    found = searched_network(text)
    assert (None if found is None else str(found)) == network


def test_it_filters(pair: tuple[Tunnel, Tunnel]) -> None:
    berlin, tokyo = pair
    vpc, ccn = berlin.vpn_gateway.network, tokyo.vpn_gateway.network
    other = make.a_tunnel(
        name="zurich",
        vpn_gateway=make.a_vpn_gateway(vpc=make.a_vpc(region=make.a_region("us", "Ohio"))),
    )
    assert names(region="us") == [other.name]
    assert names(network=vpc.public_id) == ["Berlin office"]
    assert names(network=ccn.public_id) == names(network="backb") == ["tokyo-plant"]
    assert names(vpn_gateway=berlin.vpn_gateway.public_id) == ["Berlin office"]
    assert names(vpn_gateway="SINGA") == ["tokyo-plant"]
    assert names(customer_gateway="tokyo") == ["tokyo-plant"]
    assert names(customer_gateway="tokyo", region="us") == []


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("env", ["Berlin office", "tokyo-plant"]),
        ("env=prod", ["Berlin office"]),
        ("env=", []),
        ("ENV", []),
        ("a=b=c=d", ["tokyo-plant"]),
        ("owner", []),
    ],
)
def test_it_filters_by_tag(pair: object, tag: str, found: list[str]) -> None:
    assert names(tag=tag) == found


def test_it_shows_nothing_stale_as_live(pair: tuple[Tunnel, Tunnel]) -> None:
    berlin, tokyo = (make.connect(tunnel) for tunnel in pair)
    assert names(status=Word.CONNECTED) == ["Berlin office", "tokyo-plant"]
    silence(berlin.vpn_gateway)
    assert {row.name: row.word for row in list_page(Criteria()).rows} == {
        "Berlin office": Word.UNKNOWN,
        "tokyo-plant": Word.CONNECTED,
    }
    assert names(status=Word.CONNECTED) == ["tokyo-plant"]
    assert names(status=Word.UNKNOWN) == ["Berlin office"]
    silence(tokyo.vpn_gateway, seconds=30)
    assert names(status=Word.CONNECTED) == ["tokyo-plant"]


@pytest.mark.parametrize("word", [word for word in Word if word is not Word.UNKNOWN])
@pytest.mark.parametrize("age", [None, 1, 3600])
def test_its_filter_and_its_rows_agree(word: Word, age: int | None) -> None:
    tunnel = make.a_tunnel()
    TunnelState.objects.filter(tunnel=tunnel).update(word=word.value)
    if age is not None:
        silence(tunnel.vpn_gateway, age)
    (row,) = list_page(Criteria()).rows
    assert [shown for shown in Word if names(status=shown)] == [row.word]


def many(count: int) -> list[Tunnel]:
    """Tunnels with three names and three states, on gateways of their own kind."""
    gateway, made = make.a_vpn_gateway(), []
    for number in range(count):
        made.append(
            make.a_tunnel(
                f"10.0.{number}.0/24 192.168.{number}.0/24",
                name=f"site-{number % 3}",
                vpn_gateway=gateway,
            )
        )
    for tunnel in made[::3]:
        make.connect(tunnel)
    # Equal keys are what paging must survive.
    Tunnel.objects.update(created_at=timezone.now())
    return made


@pytest.mark.parametrize("sort", list(Sort))
def test_it_pages_through_everything_once_in_both_directions(sort: Sort) -> None:
    many(11)
    whole = [row.number for row in list_page(Criteria(), sort=sort, size=50).rows]
    assert len(whole) == 11
    forwards, page = [], list_page(Criteria(), sort=sort, size=4)
    assert page.before is None
    while True:
        forwards.append([row.number for row in page.rows])
        if page.after is None:
            break
        page = list_page(Criteria(), sort=sort, size=4, after=page.after)
    assert [number for numbers in forwards for number in numbers] == whole
    backwards = [forwards[-1]]
    while page.before is not None:
        page = list_page(Criteria(), sort=sort, size=4, before=page.before)
        backwards.insert(0, [row.number for row in page.rows])
    assert backwards == forwards


def test_it_sorts() -> None:
    tunnels = many(3)
    by_name = [row.name for row in list_page(Criteria(), sort=Sort.NAME_DOWN).rows]
    assert by_name == ["site-2", "site-1", "site-0"]
    by_age = [row.number for row in list_page(Criteria(), sort=Sort.OLDEST).rows]
    assert by_age == [tunnel.pk for tunnel in tunnels]
    TunnelState.objects.filter(tunnel=tunnels[1]).update(word=Word.FAILED.value)
    by_need = [row.word for row in list_page(Criteria(), sort=Sort.STATUS).rows]
    assert by_need == [Word.FAILED, Word.PROVISIONING, Word.CONNECTED]


def test_it_reads_no_keys_and_asks_twice_whatever_the_number() -> None:
    many(12)
    for size in (1, 12):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = list_page(Criteria(text="site"), size=size)
        assert len(page.rows) == size
        assert len(queries) == 2
        assert not any("psk" in query["sql"] for query in queries)


def test_it_finds_rows_by_id() -> None:
    tunnel = make.a_tunnel()
    (row,) = list_rows([tunnel.public_id, "vpnx-00000000"])
    assert (row.public_id, row.gateway.name, row.up, row.total) == (
        tunnel.public_id,
        "frankfurt-1",
        0,
        1,
    )


def _plan(criteria: Criteria) -> str:
    """How PostgreSQL answers when it may use a table only through an index that fits the condition.

    Left to itself it reads small tables whole, and whether one is small depends on what ran before.
    """
    with CaptureQueriesContext(connection) as queries:
        list_page(criteria)
    with connection.cursor() as cursor:
        for way in ("seqscan", "indexscan", "indexonlyscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.fixture
def many_mappings(pair: tuple[Tunnel, Tunnel]) -> None:
    """So many that the index of one side is smaller than that of the constraint, which has it too."""
    berlin, _ = pair
    Mapping.objects.bulk_create(
        Mapping(
            vpn_gateway=berlin.vpn_gateway,
            tunnel=berlin,
            local_cidr=ip_network(f"10.1.{number // 250}.{number % 250}/32"),
            remote_cidr=ip_network(f"10.2.{number // 250}.{number % 250}/32"),
        )
        for number in range(2_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tunnels_mapping")


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        ("192.168.1.7", ["mapping_local", "mapping_remote"]),
        ("office", ["tunnel_name_trigrams", "vpn_gateway_name_trigrams", "customer_gateway_name_trigrams"]),
        ("of", ["tunnel_by_name", "customer_gateway_by_name"]),
    ],
)  # fmt: skip
def test_its_search_has_indexes(many_mappings: None, text: str, indexes: list[str]) -> None:
    plan = _plan(Criteria(text=text))
    assert [index for index in indexes if f"Scan on {index} " not in plan] == []
