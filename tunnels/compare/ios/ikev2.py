"""IKEv2 of an IOS device towards one peer: proposals, policies, profiles, keyrings.

Source: Cisco IOS Security Command Reference, IOS 15M and IOS-XE 17: crypto ikev2 proposal (prf follows integrity),
policy, keyring and profile (lifetime 86400 s). The default proposal differs between releases and is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnels.compare.ios import words
from tunnels.compare.ios.blocks import Block, Config, Line
from tunnels.compare.ios.phase1 import (
    LIFETIME,
    Phase1,
    at,
    dead_peer_detection,
    number,
    rank,
    reach,
    remote_identities,
)
from tunnels.compare.reading import Ident, Key, Naming, Offered, Said, Trouble, not_followed
from tunnels.domain.proposals import Mode


def ikev2(config: Config, profile: Block, peers: tuple[str, ...], own: str) -> Phase1:
    """IKEv2 with the profile of the crypto map; `own` is the device's address, or ""."""
    offers, troubles = _offers(config, own, profile.head.number)
    lifetime, identity = profile.line("lifetime"), profile.line("identity", "local")
    local_id = words.identity(identity.words[2:]) if identity else Ident(Naming.OWN)
    owned = identity is None or local_id.naming is Naming.OWN
    return Phase1(
        authentication=_authentication(profile),
        offers=offers,
        seconds=number(lifetime, "lifetime") or Said(LIFETIME),
        local_id=None if owned else Said(local_id, identity.number if identity else None),
        remote_ids=remote_identities(profile, ikev2=True),
        dpd=dead_peer_detection(profile.line("dpd"), config.all("crypto", "ikev2", "dpd")),
        keys=tuple(_keys(config, profile, peers)),
        modes=Said(frozenset(Mode)),
        begins_mode=Mode.MAIN,
        troubles=troubles,
    )


def _offers(config: Config, own: str, line: int) -> tuple[tuple[Offered, ...], tuple[Trouble, ...]]:
    """The proposals of the policies that fit the device's own address."""
    policies = [block for block in config.all("crypto", "ikev2", "policy") if _is_for(block, own)]
    exact = [block for block in policies if block.line("match", "address", "local")]
    names = [
        line.words[1]
        for block in exact or policies
        for line in block.lines("proposal")
        if line.words[1:]
    ]
    blocks = [config.named("crypto", "ikev2", "proposal", name) for name in names]
    if not names or not all(blocks):
        sentence = (
            "No crypto ikev2 policy in this text leads to a proposal. What IOS offers then depends on "
            "its release."
        )
        return (), (not_followed("IKE proposal", line, sentence),)
    return tuple(_proposal(block) for block in blocks if block), ()


def _is_for(policy: Block, own: str) -> bool:
    addresses = {line.words[-1] for line in policy.lines("match", "address", "local")}
    return not addresses or not own or own in addresses


def _proposal(block: Block) -> Offered:
    cipher, integrity = block.line("encryption"), block.line("integrity")
    prf, group = block.line("prf") or integrity, block.line("group")
    return Offered(
        encryption=Said(words.ciphers(cipher.words[1:]) if cipher else (), at(cipher)),
        integrity=Said(words.hashes(integrity.words[1:]) if integrity else (), at(integrity)),
        prf=Said(words.hashes(prf.words[1:]) if prf else (), at(prf)),
        group=Said(words.groups(group.words[1:]) if group else (), at(group)),
    )


def _authentication(profile: Block) -> Said[str]:
    said: Said[str] = Said("rsa-sig")
    for side in ("local", "remote"):
        line = profile.line("authentication", side)
        said = Said(line.after("authentication", side), line.number) if line else Said("rsa-sig")
        if said.value != "pre-share":
            return said
    return Said("psk", said.line)


def _keys(config: Config, profile: Block, peers: tuple[str, ...]) -> Iterator[Key]:
    """The keys of both directions: in the profile itself, or in its keyring."""
    for side in ("local", "remote"):
        line = profile.line("authentication", side)
        if line and "key" in line.words:
            key = words.key(line.words[line.words.index("key") + 1 :], line.number)
            if key:
                yield key
    ring = profile.line("keyring", "local")
    name = ring.after("keyring", "local") if ring else ""
    block = config.named("crypto", "ikev2", "keyring", name)
    best = max(_ring_peers(block, peers), key=rank, default=None) if block else None
    for line in best[1] if best and best[0] >= 0 else ():
        rest = line.words[1:]
        key = words.key(rest[1:] if rest[:1] in (("local",), ("remote",)) else rest, line.number)
        if key:
            yield key


def _ring_peers(block: Block, peers: tuple[str, ...]) -> Iterator[tuple[int, list[Line]]]:
    """For each peer of a keyring how narrowly its address fits, and the lines with its keys."""
    fits = -1
    lines: list[Line] = []
    for line in block.body:
        if line.begins("peer"):
            yield fits, lines
            fits, lines = -1, []
        elif line.begins("address"):
            fits = max(fits, reach(line.words[1:3], peers))
        elif line.begins("hostname") and line.words[-1] in peers:
            fits = 128
        elif line.begins("pre-shared-key"):
            lines.append(line)
    yield fits, lines
