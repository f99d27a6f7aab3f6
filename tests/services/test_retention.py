from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from tests import factories as make
from tunnels.models import Chore, Event, LogLine, Sample, VpnGateway
from tunnels.services import retention
from tunnels.services.retention import prune, prune_when_due
from vpnconsole.upkeep import once

pytestmark = pytest.mark.django_db


def lines(gateway: VpnGateway, *cursors: int, epoch: int = 1, days: float = 0) -> None:
    then = timezone.now() - timedelta(days=days)
    LogLine.objects.bulk_create(
        LogLine(
            vpn_gateway=gateway,
            epoch=epoch,
            cursor=cursor,
            at=then,
            stored_at=then,
            group="ike",
            level=1,
            severity="info",
            text=f"{epoch}/{cursor}",
        )
        for cursor in cursors
    )


def kept() -> list[str]:
    return list(LogLine.objects.order_by("epoch", "cursor").values_list("text", flat=True))


@pytest.fixture
def limits(settings: Settings) -> None:
    values = {"log_days": 30, "log_lines_per_gateway": 3, "sample_days": 7}
    settings.VPNCONSOLE = settings.VPNCONSOLE.model_copy(update=values)


@pytest.mark.usefixtures("limits")
def test_it_throws_away_what_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    tunnel = make.a_tunnel()
    lines(tunnel.vpn_gateway, *range(1, 6), days=31)
    lines(tunnel.vpn_gateway, 6, 7, days=29)
    for days in (1, 6, 8, 9, 10):
        Sample.objects.create(
            tunnel=tunnel,
            at=timezone.now() - timedelta(days=days),
            bytes_in=0,
            bytes_out=0,
            packets_in=0,
            packets_out=0,
            mappings_up=1,
        )
    events = Event.objects.count()
    done = prune()
    assert (done.lines, done.samples) == (5, 3)
    assert kept() == ["1/6", "1/7"]
    assert Sample.objects.count() == 2
    assert Event.objects.count() == events > 0


@pytest.mark.usefixtures("limits")
def test_it_keeps_the_newest_lines_of_each_gateway() -> None:
    one, other = make.a_vpn_gateway(), make.a_vpn_gateway(vpc=make.a_vpc(), name="other")
    lines(one, *range(1, 6))
    lines(one, 1, 2, epoch=2)
    lines(other, 8, 9, 10, epoch=3)
    assert prune().lines == 4
    assert kept() == ["1/5", "2/1", "2/2", "3/8", "3/9", "3/10"]


def test_one_process_does_it_once_an_hour(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    assert prune_when_due() is not None
    with django_assert_num_queries(2):
        assert prune_when_due() is None
    Chore.objects.update(begun_at=timezone.now() - timedelta(minutes=61))
    assert prune_when_due() is not None


@pytest.mark.usefixtures("limits")
def test_the_command_and_the_running_console_do_the_same() -> None:
    gateway = make.a_vpn_gateway()
    lines(gateway, *range(1, 6))
    out = StringIO()
    call_command("prune", stdout=out)
    assert out.getvalue() == "Thrown away: 2 log lines, 0 samples.\n"
    lines(gateway, 6)
    once()
    assert kept() == ["1/4", "1/5", "1/6"]
