"""Fixtures of the tests of device files."""

from __future__ import annotations

from tests.vendors.fixtures import libreswan as libreswan
from tests.vendors.fixtures import openiked as openiked
