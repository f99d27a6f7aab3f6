"""What a device would understand of its file, in the console's own words: the common ground of all readers.

Each platform has a reader, written from the device's grammar and not from our writer:
`tests/devices/<folder of the platform>/grammar.py` with

    SILENT: frozenset[str]         # fields of Understood about which this device's file says nothing
    def read(platform_id: str, files: Mapping[str, str]) -> Understood

`read` takes file name → text and raises BadFileError for every line that the grammar does not know. What it finds
must be what the tunnel says, field by field; a field in SILENT must be None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from types import ModuleType

from tunnels.devices.base import Platform
from tunnels.devices.viewpoint import customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.proposals import IkeVersion
from tunnels.domain.spec import TunnelSpec


class BadFileError(Exception):
    """The text is no file that the device would read, or none that we would write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A tunnel as the device reads it; local is the device. Ids are those of our catalogue; None: not said.

    `mode` is None with IKEv2; `ike_integrity` is None beside an AEAD, `ike_prf` without one; `pfs` is "" for none.
    Addresses, ranges and identities are canonical text. `pairs` are (local, remote), sorted. `dpd` is whether
    it is on, `starts` whether the device begins by itself.
    """

    version: int | None = None
    mode: str | None = None
    ike_encryption: str | None = None
    ike_integrity: str | None = None
    ike_prf: str | None = None
    ike_dh: str | None = None
    ike_seconds: int | None = None
    esp_encryption: str | None = None
    esp_integrity: str | None = None
    pfs: str | None = None
    esp_seconds: int | None = None
    esp_kb: int | None = None
    local_address: str | None = None
    remote_address: str | None = None
    local_identity: str | None = None
    remote_identity: str | None = None
    psk: str | None = None
    pairs: tuple[tuple[str, str], ...] | None = None
    dpd: bool | None = None
    starts: bool | None = None


def expected(spec: TunnelSpec, *, silent: frozenset[str]) -> Understood:
    """What a device must understand of the file for this tunnel, without what its file is silent about."""
    ike, ipsec, view = spec.ike, spec.ipsec, customer_viewpoint(spec)
    ike_aead, esp_aead = crypto.is_aead(ike.encryption), crypto.is_aead(ipsec.encryption)
    said = {
        "version": int(ike.version),
        "mode": str(ike.mode) if ike.version is IkeVersion.V1 else None,
        "ike_encryption": ike.encryption,
        "ike_integrity": None if ike_aead else ike.integrity,
        "ike_prf": ike.prf if ike_aead else None,
        "ike_dh": ike.dh_group,
        "ike_seconds": ike.lifetime_seconds,
        "esp_encryption": ipsec.encryption,
        "esp_integrity": None if esp_aead else ipsec.integrity,
        "pfs": ipsec.pfs,
        "esp_seconds": ipsec.lifetime_seconds,
        "esp_kb": ipsec.lifetime_kb,
        "local_address": str(view.device.address),
        "remote_address": str(view.gateway.address),
        "local_identity": view.device.identity.text,
        "remote_identity": view.gateway.identity.text,
        "psk": spec.psk.reveal(),
        "pairs": tuple(sorted((str(pair.local), str(pair.remote)) for pair in view.pairs)),
        "dpd": ike.dpd_enabled,
        "starts": view.starts,
    }
    assert silent <= {field.name for field in fields(Understood)}
    return Understood(**{name: value for name, value in said.items() if name not in silent})  # type: ignore[arg-type]


def reader_of(platform: Platform) -> ModuleType:
    """The grammar module of the platform; it stands under the name of the folder that writes its files."""
    folder = platform.parts[0].write.__module__.split(".")[2]
    return import_module(f"tests.devices.{folder}.grammar")


def understood(platform: Platform, files: Mapping[str, str]) -> Understood:
    """The files as the platform's reader understands them."""
    found = reader_of(platform).read(platform.id, files)
    assert isinstance(found, Understood)
    return found
