"""What was applied, in a form that can be kept: vici reads neither proposals nor secrets back.

The parts are apart because a change in each has another price: of phase 1 the whole tunnel is negotiated anew, of
a CHILD_SA only that one, of a key nothing while both ends change over.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, cast

from tunnels.agent.render import Message, connection_message
from tunnels.contract import Document, TunnelDocument
from tunnels.domain.proposals import Negotiation
from tunnels.domain.status import Intent

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


class Fingerprint(Document):
    """Digests of one tunnel's content; `children` by name, `previous` empty without a previous key."""

    ike: str
    children: dict[str, str]
    psk: str
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tunnel that shall be, with what follows from it; made once for each answer of the console."""

    document: TunnelDocument
    message: Message
    fingerprint: Fingerprint

    @property
    def id(self) -> str:
        """The tunnel's id, which is its connection's name."""
        return self.document.id

    @property
    def up(self) -> bool:
        """Whether the operator wants it loaded."""
        return self.document.intent is Intent.UP

    @property
    def active(self) -> bool:
        """Whether it is for us to begin."""
        return self.document.ike.negotiation is Negotiation.ACTIVE

    @property
    def children(self) -> frozenset[str]:
        """The names of the CHILD_SAs that shall be."""
        return frozenset(self.fingerprint.children)


def prepare(
    documents: Iterable[TunnelDocument], salt: bytes
) -> tuple[tuple[Wanted, ...], dict[str, str]]:
    """The tunnels with their messages and fingerprints, and by id why others cannot be told to charon.

    `salt` is the installation's own.
    """
    wanted, problems = [], {}
    for document in documents:
        problem = _unusable(document)
        if problem:
            problems[document.id] = problem
            continue
        try:
            wanted.append(_prepare(document, salt))
        except KeyError as unknown:
            problems[document.id] = f"This agent does not know the algorithm {unknown}; upgrade it."
    return tuple(wanted), problems


def _unusable(document: TunnelDocument) -> str:
    """Why charon would not get what is meant. The console refuses such values too; this is the last gate."""
    for identity in (document.local_identity, document.remote_identity):
        if not (_NAME.fullmatch(identity) or _is_address(identity)):
            # charon would take %any, @…, or a=b for an identity of another kind.
            return f"The identity {identity[:80]!r} is neither an address nor a domain name."
    for psk in (document.psk, document.previous_psk):
        if psk and not all("!" <= char <= "~" for char in psk.get_secret_value()):
            return "The pre-shared key has characters other than visible ASCII."
    return ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _prepare(document: TunnelDocument, salt: bytes) -> Wanted:
    message = connection_message(document)
    connection = cast("dict[str, Any]", message[document.id])
    children = cast("dict[str, Message]", connection["children"])
    phase1 = {key: value for key, value in connection.items() if key != "children"}
    previous = document.previous_psk
    fingerprint = Fingerprint(
        ike=_digest(phase1),
        children={name: _digest(child) for name, child in children.items()},
        psk=_keyed(salt, document.psk.get_secret_value()),
        previous=_keyed(salt, previous.get_secret_value()) if previous else "",
    )
    return Wanted(document=document, message=message, fingerprint=fingerprint)


def _digest(message: Message) -> str:
    canonical = json.dumps(message, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def _keyed(salt: bytes, secret: str) -> str:
    """Under the salt, so that two installations with one key do not show it, and no table of keys fits."""
    return hmac.new(salt, secret.encode(), hashlib.sha256).hexdigest()[:32]
