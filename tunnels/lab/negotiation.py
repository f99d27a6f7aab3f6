"""One tunnel as console and customer describe it, and what charon must then say that was negotiated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from types import MappingProxyType

from pydantic import SecretStr

from tunnels.contract import (
    HealthDocument,
    IkeDocument,
    IpsecDocument,
    MappingDocument,
    TunnelDocument,
)
from tunnels.devices.base import File, Platform, render
from tunnels.devices.strongswan_swanctl.platform import PLATFORM as SWANCTL
from tunnels.domain import crypto
from tunnels.domain.crypto import DhGroup
from tunnels.domain.proposals import IkeSettings, IpsecSettings
from tunnels.domain.spec import TunnelSpec

# What charon calls the transforms of our catalogue in a list of SAs.
ENCRYPTION: Mapping[str, str] = MappingProxyType(
    {
        "des": "DES_CBC",
        "3des": "3DES_CBC",
        "aes-128": "AES_CBC-128",
        "aes-192": "AES_CBC-192",
        "aes-256": "AES_CBC-256",
        "aes-128-gcm": "AES_GCM_16-128",
        "aes-256-gcm": "AES_GCM_16-256",
        "chacha20-poly1305": "CHACHA20_POLY1305",
    }
)
INTEGRITY: Mapping[str, str] = MappingProxyType(
    {
        "md5": "HMAC_MD5_96",
        "sha1": "HMAC_SHA1_96",
        "sha2-256": "HMAC_SHA2_256_128",
        "sha2-384": "HMAC_SHA2_384_192",
        "sha2-512": "HMAC_SHA2_512_256",
    }
)
PRF: Mapping[str, str] = MappingProxyType(
    {
        "md5": "PRF_HMAC_MD5",
        "sha1": "PRF_HMAC_SHA1",
        "sha2-256": "PRF_HMAC_SHA2_256",
        "sha2-384": "PRF_HMAC_SHA2_384",
        "sha2-512": "PRF_HMAC_SHA2_512",
    }
)
_CURVES = {19: "ECP_256", 20: "ECP_384", 21: "ECP_521", 24: "MODP_2048_256", 31: "CURVE_25519"}


def expected_ike(ike: IkeSettings) -> str:
    """What charon must list of an IKE_SA with these settings."""
    group = group_name(crypto.DH_GROUPS[ike.dh_group])
    if crypto.is_aead(ike.encryption):
        return "/".join((ENCRYPTION[ike.encryption], PRF[ike.prf], group))
    chosen = (ENCRYPTION[ike.encryption], INTEGRITY[ike.integrity], PRF[ike.integrity], group)
    return "/".join(chosen)


def expected_esp(ipsec: IpsecSettings, *, pfs_shows: bool) -> str:
    """What charon must list of a CHILD_SA; `pfs_shows` is false for the first one of IKEv2."""
    chosen = [ENCRYPTION[ipsec.encryption]]
    if not crypto.is_aead(ipsec.encryption):
        chosen.append(INTEGRITY[ipsec.integrity])
    if ipsec.pfs and pfs_shows:
        chosen.append(group_name(crypto.DH_GROUPS[ipsec.pfs]))
    return "/".join(chosen)


def group_name(group: DhGroup) -> str:
    """charon's name of a Diffie-Hellman group."""
    return _CURVES.get(group.number) or group.keyword.upper().replace("MODP", "MODP_")


def document_of(spec: TunnelSpec) -> TunnelDocument:
    """The tunnel as the console sends it to the agent of its gateway."""
    return TunnelDocument(
        id=spec.id,
        revision=spec.revision,
        intent=spec.intent,
        local_address=spec.local.address,
        local_identity=spec.local.identity,
        remote_address=spec.remote.address,
        remote_identity=spec.remote.identity,
        psk=SecretStr(spec.psk.reveal()),
        mappings=tuple(
            MappingDocument(local=pair.local, remote=pair.remote) for pair in spec.mappings
        ),
        ike=IkeDocument.model_validate(asdict(spec.ike)),
        ipsec=IpsecDocument.model_validate(asdict(spec.ipsec)),
        health=HealthDocument.model_validate(asdict(spec.health)) if spec.health else None,
    )


def customer_files(spec: TunnelSpec, platform: Platform = SWANCTL) -> tuple[File, ...]:
    """What the customer downloads for a device of this platform."""
    return render(
        platform,
        spec,
        version=platform.versions[0],
        redacted=False,
        now=datetime.now(UTC),
        console_version="lab",
    ).files
