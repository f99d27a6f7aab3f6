"""IKEv1 of an IOS device towards one peer: ISAKMP policies, profiles, keyrings.

Source: Cisco IOS Security Command Reference, IOS 15M and IOS-XE 17: crypto isakmp policy (defaults des, sha, group 1,
rsa-sig, 86400 s), crypto isakmp profile, crypto isakmp peer, crypto keyring.
"""

from __future__ import annotations

from tunnels.compare.ios import words
from tunnels.compare.ios.blocks import Block, Config, Line
from tunnels.compare.ios.phase1 import (
    LIFETIME,
    Phase1,
    dead_peer_detection,
    number,
    rank,
    reach,
    remote_identities,
)
from tunnels.compare.reading import Ident, Key, Naming, Offered, Said, Trouble, not_followed
from tunnels.domain.proposals import Mode


def ikev1(config: Config, profile: Block | None, peers: tuple[str, ...]) -> Phase1:
    """IKEv1: the global policies, and a profile when the crypto map names one."""
    offers, authentication = _policies(config)
    aggressive = _aggressive_peer(config, peers)
    return Phase1(
        authentication=authentication,
        offers=offers,
        seconds=Said(LIFETIME),
        local_id=_own_identity(config, profile, aggressive),
        remote_ids=remote_identities(profile, ikev2=False),
        dpd=dead_peer_detection(
            profile.line("keepalive") if profile else None,
            config.all("crypto", "isakmp", "keepalive"),
        ),
        keys=_keys(config, profile, aggressive, peers),
        modes=_modes(config),
        begins_mode=_begins(profile, aggressive),
        troubles=() if config.all("crypto", "isakmp", "policy") else (_no_policy(),),
    )


def _policies(config: Config) -> tuple[tuple[Offered, ...], Said[str]]:
    """The policies with pre-shared keys in their order, and `psk` when there is one."""
    blocks = sorted(config.all("crypto", "isakmp", "policy"), key=_priority)
    authentication: Said[str] = Said("rsa-sig")
    offers = []
    for block in blocks:
        method = block.line("authentication")
        if method and method.after("authentication") == "pre-share":
            if authentication.value != "psk":
                authentication = Said("psk", method.number)
            offers.append(_policy(block))
    if not offers and blocks:
        method = blocks[0].line("authentication")
        if method:
            authentication = Said(method.after("authentication"), method.number)
    return tuple(offers), authentication if blocks else Said("psk")


def _policy(block: Block) -> Offered:
    cipher = block.line("encr") or block.line("encryption")
    hash_, group = block.line("hash"), block.line("group")
    integrity = Said(
        words.hashes(hash_.words[1:2]) if hash_ else ("sha1",), hash_.number if hash_ else None
    )
    return Offered(
        encryption=Said(
            (words.cipher(cipher.words[1:]),) if cipher else ("des",),
            cipher.number if cipher else None,
        ),
        integrity=integrity,
        prf=integrity,
        group=Said(
            words.groups(group.words[1:2]) if group else ("dh1",), group.number if group else None
        ),
        seconds=number(block.line("lifetime"), "lifetime") or Said(LIFETIME),
    )


def _no_policy() -> Trouble:
    return not_followed(
        "IKE proposal",
        1,
        "There is no crypto isakmp policy in this text. What IOS offers then depends on its release.",
    )


def _modes(config: Config) -> Said[frozenset[Mode]]:
    """Both are answered, unless aggressive mode is disabled."""
    for block in config.all("crypto", "isakmp", "aggressive-mode"):
        if block.head.words[-1] == "disable":
            return Said(frozenset({Mode.MAIN}), block.head.number)
    return Said(frozenset(Mode))


def _begins(profile: Block | None, aggressive: Block | None) -> Mode:
    initiate = profile.line("initiate", "mode", "aggressive") if profile else None
    return Mode.AGGRESSIVE if initiate or aggressive else Mode.MAIN


def _aggressive_peer(config: Config, peers: tuple[str, ...]) -> Block | None:
    """`crypto isakmp peer` with which the device begins in aggressive mode."""
    for block in config.all("crypto", "isakmp", "peer"):
        if block.head.words[-1] in peers and block.line("set", "aggressive-mode"):
            return block
    return None


def _own_identity(
    config: Config, profile: Block | None, aggressive: Block | None
) -> Said[Ident] | None:
    said = profile.line("self-identity") if profile else None
    if said:
        if said.after("self-identity") in {"address", ""}:
            return None
        if said.words[1:] == ("fqdn",):
            return _host_name(config, said.number)
        return Said(words.identity(said.words[1:]), said.number)
    endpoint = aggressive.line("set", "aggressive-mode", "client-endpoint") if aggressive else None
    if endpoint:
        return Said(words.identity(endpoint.words[3:]), endpoint.number)
    for block in config.all("crypto", "isakmp", "identity"):
        kind = block.head.words[-1]
        if kind == "hostname":
            return _host_name(config, block.head.number)
        if kind != "address":
            return Said(Ident(Naming.OTHER, kind), block.head.number)
    return None


def _host_name(config: Config, line: int) -> Said[Ident]:
    """The device's own name: hostname and domain name, where both are told."""
    host = next(iter(config.all("hostname")), None)
    domains = [*config.all("ip", "domain-name"), *config.all("ip", "domain")]
    domain = next((block.head.words[-1] for block in domains), "")
    if host is None:
        return Said(Ident(Naming.OTHER, "its host name"), line)
    name = f"{host.head.words[-1]}.{domain}" if domain else host.head.words[-1]
    return Said(Ident(Naming.NAME, name), line)


def _keys(
    config: Config, profile: Block | None, aggressive: Block | None, peers: tuple[str, ...]
) -> tuple[Key, ...]:
    """The key of the profile's keyrings, else a global one, else that of any keyring."""
    if aggressive:
        said = aggressive.line("set", "aggressive-mode", "password")
        key = words.key(said.words[3:], said.number) if said else None
        if key:
            return (key,)
    line = profile.line("keyring") if profile else None
    named = set(line.words[1:]) if line else set()
    rings = config.all("crypto", "keyring")
    chosen = [ring for ring in rings if ring.head.after("crypto", "keyring") in named]
    global_ = [block.head for block in config.all("crypto", "isakmp", "key")]
    for lines in (
        [entry for ring in chosen for entry in ring.lines("pre-shared-key")],
        global_,
        [entry for ring in rings for entry in ring.lines("pre-shared-key")],
    ):
        best = max(((_line_reach(entry, peers), entry) for entry in lines), key=rank, default=None)
        if best and best[0] >= 0:
            key = _key(best[1])
            return (key,) if key else ()
    return ()


def _key(line: Line) -> Key | None:
    """`crypto isakmp key [6] TEXT address A`, or `pre-shared-key address A key [6] TEXT`."""
    rest = line.words[line.words.index("key") + 1 :] if "key" in line.words else ()
    length = 2 if rest[:1] in (("0",), ("6",), ("7",)) and len(rest) > 1 else 1
    return words.key(rest[:length], line.number)


def _line_reach(line: Line, peers: tuple[str, ...]) -> int:
    """How narrowly the line's address or host name fits a peer; -1: not at all."""
    for behind, word in enumerate(line.words[:-1], start=1):
        if word == "hostname" and line.words[behind] in peers:
            return 128
        if word == "address":
            return reach(line.words[behind : behind + 2], peers)
    return -1


def _priority(block: Block) -> int:
    text = block.head.after("crypto", "isakmp", "policy")
    return int(text[:9]) if text.isdecimal() else 0
