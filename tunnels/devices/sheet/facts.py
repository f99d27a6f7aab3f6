"""What a person must know of a tunnel to enter it at a device that has no file of its own here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnels.devices.base import SAFE_MSS, Order
from tunnels.devices.viewpoint import Identity, Pair, Side, customer_viewpoint, one_line
from tunnels.domain import crypto
from tunnels.domain.addresses import Address
from tunnels.domain.proposals import (
    DpdAction,
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    Mode,
    Negotiation,
)

_MODES = {Mode.MAIN: "main mode", Mode.AGGRESSIVE: "aggressive mode"}
_STARTS = {
    Negotiation.ACTIVE: "the VPN gateway, at once; your device may too",
    Negotiation.PASSIVE: "your device; the VPN gateway only waits",
    Negotiation.ON_TRAFFIC: "whichever side has traffic first",
}
_SILENCE = {
    DpdAction.CLEAR: "forget the tunnel (clear)",
    DpdAction.RESTART: "negotiate again (restart)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table; `label` is padded to a column of its own."""

    label: str
    value: str

    def __str__(self) -> str:
        return f"{self.label:<22}{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One mapping as text: a row of a table for people."""

    number: str
    local: str
    remote: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything that the text and the page say."""

    tunnel_id: str
    tunnel_name: str
    head: tuple[Row, ...]
    device: tuple[Row, ...]
    gateway: tuple[Row, ...]
    psk: str
    ike: tuple[Row, ...]
    ipsec: tuple[Row, ...]
    pairs: tuple[Line, ...]
    health: tuple[Row, ...]
    device_address: Address
    gateway_address: Address
    mss: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The mappings as lines in columns, the first of them the headings."""
        rows = [("No.", "Your range", "VPN gateway's range", "From")]
        rows += [(pair.number, pair.local, pair.remote, pair.origin) for pair in self.pairs]
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        return tuple(
            "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )


def sheet_of(order: Order) -> Sheet:
    """What the sheet says."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    health = spec.health
    return Sheet(
        tunnel_id=spec.id,
        tunnel_name=one_line(spec.name),
        head=(
            Row(label="Tunnel", value=f"{one_line(spec.name)} ({spec.id})"),
            Row(label="Written", value=f"{order.now:%Y-%m-%d %H:%M} UTC"),
            Row(label="By", value=f"VPN Console {one_line(order.console_version)}"),
            Row(label="Key", value="left out of this copy" if order.redacted else "below; keep this sheet to yourself"),
        ),
        device=tuple(_side(view.device)),
        gateway=tuple(_side(view.gateway)),
        psk=spec.psk.reveal(),
        ike=tuple(_ike(spec.ike)),
        ipsec=tuple(_ipsec(spec.ipsec)),
        pairs=tuple(_line(pair) for pair in view.pairs),
        health=(
            (
                Row(label="Asked address", value=f"{health.remote} (your device must own it and answer)"),
                Row(label="Asking address", value=f"{health.local} (VPN gateway)"),
                Row(label="Probe", value=f"ICMP echo every {health.interval_ms} ms, lost after {health.timeout_ms} ms"),
                Row(label="Unhealthy", value=f"after {health.threshold} lost probes in a row"),
            )
            if health
            else (Row(label="Health check", value="off"),)
        ),
        device_address=view.device.address,
        gateway_address=view.gateway.address,
        mss=SAFE_MSS,
    )  # fmt: skip


def _side(side: Side) -> Iterator[Row]:
    yield Row(label="Name", value=side.name)
    yield Row(label="Public address", value=str(side.address))
    yield Row(label="IKE identity", value=_identity(side.identity))


def _identity(identity: Identity) -> str:
    kind = "IP address" if identity.is_address else "domain name (FQDN)"
    return f"{one_line(identity.text)}, type {kind}"


def _ike(ike: IkeSettings) -> Iterator[Row]:
    yield Row(label="Version", value=f"IKEv{int(ike.version)}")
    if ike.version is IkeVersion.V1:
        yield Row(label="Negotiation mode", value=_MODES[ike.mode])
    yield Row(label="Authentication", value="pre-shared key")
    yield Row(label="Encryption", value=crypto.ENCRYPTION[ike.encryption].label)
    if crypto.is_aead(ike.encryption):
        yield Row(label="Integrity", value="none (part of the encryption)")
        yield Row(label="PRF", value=crypto.PRF[ike.prf].label.removeprefix("PRF "))
    else:
        yield Row(label="Integrity and PRF", value=crypto.INTEGRITY[ike.integrity].label)
    yield Row(label="Diffie-Hellman", value=crypto.DH_GROUPS[ike.dh_group].label)
    yield Row(label="Lifetime", value=f"{ike.lifetime_seconds} s")
    yield Row(label="Who starts", value=_STARTS[ike.negotiation])
    if ike.dpd_enabled:
        yield Row(label="Dead peer detection", value=f"on, {ike.dpd_timeout} s")
        yield Row(label="When silent", value=_SILENCE[ike.dpd_action])
    else:
        yield Row(label="Dead peer detection", value="off")
    yield Row(label="NAT traversal", value="automatic")


def _ipsec(ipsec: IpsecSettings) -> Iterator[Row]:
    yield Row(label="Protocol", value="ESP, tunnel mode")
    yield Row(label="Encryption", value=crypto.ENCRYPTION[ipsec.encryption].label)
    if crypto.is_aead(ipsec.encryption):
        yield Row(label="Integrity", value="none (part of the encryption)")
    else:
        yield Row(label="Integrity", value=crypto.INTEGRITY[ipsec.integrity].label)
    pfs = crypto.DH_GROUPS[ipsec.pfs].label if ipsec.pfs else "off"
    yield Row(label="PFS", value=pfs)
    yield Row(label="Lifetime", value=f"{ipsec.lifetime_seconds} s")
    megabytes = f"{ipsec.lifetime_kb / 1024:.1f} MB"
    yield Row(label="Volume", value=f"{ipsec.lifetime_kb} KB ({megabytes})")


def _line(pair: Pair) -> Line:
    return Line(
        number=str(pair.number), local=str(pair.local), remote=str(pair.remote), origin=pair.origin
    )
