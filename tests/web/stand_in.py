"""A device that nobody makes, so that these tests depend on no vendor's tables."""

from __future__ import annotations

import re
from dataclasses import replace

from tunnels.devices.abilities import ANYTHING, Abilities, PskGrammar
from tunnels.devices.base import Order, Part, Platform
from tunnels.devices.questions import Question, number
from tunnels.domain.proposals import IkeVersion

_WEAK = frozenset({"des", "3des", "md5", "dh1", "dh2", "dh31"})


def _abilities() -> Abilities:
    """IKEv2 only, without weak algorithms and DH31, at most two pairs, and no key with a question mark."""
    ike, esp = ANYTHING.ike[IkeVersion.V2], ANYTHING.esp[IkeVersion.V2]

    def strong(words: dict[str, str]) -> dict[str, str]:
        return {key: word for key, word in words.items() if key not in _WEAK}

    return replace(
        ANYTHING,
        ike={
            IkeVersion.V2: replace(
                ike,
                encryption=strong(dict(ike.encryption)),
                integrity=strong(dict(ike.integrity)),
                dh=strong(dict(ike.dh)),
                lifetime_seconds=(120, 86_400),
            )
        },
        esp={IkeVersion.V2: replace(esp, dh=strong(dict(esp.dh)))},
        lifetime_kb=None,
        most_pairs=2,
        psk=PskGrammar(refused="?", why="it asks for help"),
    )


def _write(order: Order) -> str:
    asked = " ".join(f"{name}={answer}" for name, answer in order.answers.items())
    return f"! Acme {order.version} {order.spec.id}\nkey {order.spec.psk.reveal()}\nuse {asked}\n"


def _page(_order: Order) -> str:
    return "<!DOCTYPE html>\n<script>alert(1)</script>\n"


ACME = Platform(
    id="acme-router",
    vendor="Acme",
    name="Router",
    abilities={"2": _abilities(), "1": replace(_abilities(), most_pairs=None)},
    parts=(
        Part(filename="{tunnel_id}-acme.cfg", write=_write),
        Part(filename="{tunnel_id}-acme.html", write=_page, media_type="text/html; charset=utf-8"),
    ),
    questions=(
        Question(
            id="outside",
            label="Outside interface",
            usual="wan0",
            grammar=re.compile("[a-z]+[0-9]+", re.ASCII),
            help="The one with the public address.",
            example="wan1",
        ),
        number("sequence", "Sequence number", 10, (1, 65_535)),
        Question(
            id="probe",
            label="Loopback",
            usual="lo0",
            grammar=re.compile("lo[0-9]", re.ASCII),
            asked=lambda spec: spec.health is not None,
        ),
    ),
)
