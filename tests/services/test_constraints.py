from __future__ import annotations

import pytest
from django.db import connection, transaction

from tests import factories as make
from tunnels.domain.findings import RuleError
from tunnels.models import CustomerGateway, Region, Tunnel
from tunnels.services.constraints import constraint_sentences

pytestmark = pytest.mark.django_db


def test_it_has_a_sentence_for_a_column_that_is_unique_alone() -> None:
    make.a_region()
    customer = make.a_customer_gateway()

    def another_region() -> None:
        with constraint_sentences(), transaction.atomic():
            Region.objects.create(code="eu-central", name="again")

    def another_customer() -> None:
        with constraint_sentences(), transaction.atomic():
            CustomerGateway.objects.create(name="again", public_ip=customer.public_ip)

    with pytest.raises(RuleError, match="This code is taken"):
        another_region()
    with pytest.raises(RuleError, match="This public ip is taken"):
        another_customer()


def test_it_says_that_something_chosen_is_gone() -> None:
    tunnel = make.a_tunnel()

    def refer_to_nothing() -> None:
        with constraint_sentences(), transaction.atomic():
            Tunnel.objects.filter(pk=tunnel.pk).update(customer_gateway=987_654)
            connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(RuleError, match="deleted meanwhile; reload the page"):
        refer_to_nothing()
