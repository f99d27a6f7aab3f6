"""The search box: a name, an id, a gateway, an address or a range.

Each kind of answer is found through an index of its own, and the answers are united: one condition
over all of them could use none of the indexes.
"""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_network
from typing import Any, Final

from django.db.models import QuerySet, Value
from django.db.models.functions import Lower

from tunnels.domain.addresses import Network
from tunnels.models.fields import Trigrams
from tunnels.models.gateway import CustomerGateway, VpnGateway
from tunnels.models.spd import Mapping
from tunnels.models.tunnel import Tunnel

_ID_START: Final = re.compile(r"(vpnx|vpngw|cgw)-[a-z0-9]{0,8}")
_IPV4_START: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){1,2}\.?")


def matching(tunnels: QuerySet[Tunnel], text: str) -> QuerySet[Tunnel]:
    """The tunnels that a person means by `text`.

    For an address, a range or the beginning of an IPv4 address such as `192.168.`: those with a mapping or
    a gateway's public address that has a part in it. For an id of a tunnel or gateway: those whose id begins
    so. For anything else: those whose name or gateway's name holds it (below three characters: begins with it).
    """
    first, *others = _by_network(text) or _by_id(text) or _by_name(text)
    return tunnels.filter(pk__in=first.union(*others))


def searched_network(text: str) -> Network | None:
    """The range that a text stands for, host bits ignored; None when it is no address.

    Two or three numbers of an IPv4 address stand for all that begin so.
    """
    if _IPV4_START.fullmatch(text):
        numbers = text.rstrip(".").split(".")
        text = ".".join([*numbers, *["0"] * (4 - len(numbers))]) + f"/{8 * len(numbers)}"
    if "%" not in text:
        with suppress(ValueError):
            return ip_network(text, strict=False)
    return None


def _by_network(text: str) -> list[QuerySet[Any]]:
    network = searched_network(text)
    if network is None:
        return []
    mappings = Mapping.objects.order_by()
    return [
        mappings.filter(local_cidr__net_overlaps=network).values("tunnel"),
        mappings.filter(remote_cidr__net_overlaps=network).values("tunnel"),
        _with(vpn_gateway__public_ip__net_contained_or_equal=network),
        _with(customer_gateway__public_ip__net_contained_or_equal=network),
    ]


def _by_id(text: str) -> list[QuerySet[Any]]:
    start = text.lower()
    found = _ID_START.fullmatch(start)
    if not found:
        return []
    path = {"vpnx": "", "vpngw": "vpn_gateway__", "cgw": "customer_gateway__"}[found[1]]
    return [_with(**{f"{path}public_id__startswith": start})]


def _by_name(text: str) -> list[QuerySet[Any]]:
    return [
        _called(Tunnel.objects.all(), text).values("pk"),
        _with(vpn_gateway__in=_called(VpnGateway.objects.order_by(), text)),
        _with(customer_gateway__in=_called(CustomerGateway.objects.order_by(), text)),
    ]


def _with(**condition: object) -> QuerySet[Any]:
    return Tunnel.objects.filter(**condition).values("pk")


def _called(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    called: QuerySet[Any]
    if len(text) < 3:
        called = rows.alias(lowered=Lower("name")).filter(lowered__startswith=text.lower())
    else:
        # The index answers with what has all trigrams, in any order; the second condition looks at the name.
        called = rows.alias(trigrams=Trigrams("name")).filter(
            trigrams__contains=Trigrams(Value(text)), name__icontains=text
        )
    return called
