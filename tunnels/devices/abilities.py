"""What a device can express, as tables; what it cannot is refused before anything is written.

The tables are the device's dictionary too: they map our catalogue's ids to the words of the device's grammar, so
that a value is offered exactly when there is a word for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from tunnels.devices.viewpoint import customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.crypto import Transform
from tunnels.domain.findings import Finding
from tunnels.domain.proposals import (
    IKE_LIFETIME_SECONDS,
    IPSEC_LIFETIME_KB,
    IPSEC_LIFETIME_SECONDS,
    IkeVersion,
    Mode,
)
from tunnels.domain.spec import TunnelSpec

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
# What a name may be in every grammar (RFC 1123 §2.1); the domain's rules let nothing else through either.
DOMAIN_NAME: Final = re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", re.ASCII)

# The first of these that the device has is what we advise: as strong or stronger where there is a choice.
_NEAREST: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "aes-256-gcm": ("aes-256", "aes-128-gcm"),
        "aes-128-gcm": ("aes-256-gcm", "aes-128", "aes-256"),
        "chacha20-poly1305": ("aes-256-gcm", "aes-256"),
        "aes-256": ("aes-256-gcm", "aes-192"),
        "aes-192": ("aes-256",),
        "aes-128": ("aes-256",),
        "3des": ("aes-128", "aes-256"),
        "des": ("3des", "aes-128"),
        "md5": ("sha1", "sha2-256"),
        "sha1": ("sha2-256",),
        "sha2-256": ("sha2-384", "sha2-512", "sha1"),
        "sha2-384": ("sha2-512", "sha2-256", "sha1"),
        "sha2-512": ("sha2-384", "sha2-256", "sha1"),
        "dh1": ("dh2", "dh5", "dh14"),
        "dh2": ("dh5", "dh14"),
        "dh5": ("dh14",),
        "dh14": ("dh15", "dh16", "dh19", "dh5"),
        "dh15": ("dh16", "dh19", "dh14"),
        "dh16": ("dh20", "dh15", "dh19", "dh14"),
        "dh17": ("dh18", "dh16", "dh20", "dh14"),
        "dh18": ("dh17", "dh16", "dh21", "dh14"),
        "dh19": ("dh20", "dh15", "dh14"),
        "dh20": ("dh21", "dh16", "dh19", "dh14"),
        "dh21": ("dh20", "dh18", "dh16", "dh14"),
        "dh24": ("dh14",),
        "dh31": ("dh19", "dh15", "dh14"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase with one IKE version: our ids → the device's words, and the limits of its lifetime in seconds.

    `dh` are the groups of IKE, or the PFS groups of ESP. `prf` is for IKE beside an AEAD.
    """

    encryption: Mapping[str, str]
    integrity: Mapping[str, str]
    dh: Mapping[str, str]
    prf: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    lifetime_seconds: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PskGrammar:
    """Which keys the device's grammar carries unchanged: `refused` characters, `prefixes` that it decodes
    (in either case), and the shortest and longest key. `why` ends the sentence "… cannot be written: …".
    """

    refused: str = ""
    prefixes: tuple[str, ...] = ()
    lengths: tuple[int, int] = (1, 128)
    why: str = "the device would read it as something else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """All that one version of a device can do.

    `lifetime_kb` is None when there is no lifetime by volume; it is then left out, with a warning.
    `sa_for_each_pair` is false for a device that puts all ranges into one SA. `domain_names` says whether each
    (device, VPN gateway) may be identified by a name; `main_mode_names` whether IKEv1 main mode may use one:
    there the key is found before the name is known (RFC 2409 §5.4). `mixed_families` is IPv6 ranges in an
    IPv4 tunnel or the other way round. `identity` is what a name must look like.
    """

    ike: Mapping[IkeVersion, Phase]
    esp: Mapping[IkeVersion, Phase]
    lifetime_kb: tuple[int, int] | None
    psk: PskGrammar
    aggressive: bool = True
    sa_for_each_pair: bool = True
    most_pairs: int | None = None
    domain_names: tuple[bool, bool] = (True, True)
    main_mode_names: bool = False
    ipv6: bool = True
    mixed_families: bool = True
    identity: re.Pattern[str] = DOMAIN_NAME


def ike_phases(phase: Phase) -> Mapping[IkeVersion, Phase]:
    """IKE's own phase with each version: with IKEv1 without the ciphers that only IKEv2 has there."""
    return _phases(phase, crypto.IKEV1_IKE_AEAD_REFUSED)


def esp_phases(phase: Phase) -> Mapping[IkeVersion, Phase]:
    """The phase of ESP with each version of IKE: with IKEv1 without the ciphers that only IKEv2 can agree on."""
    return _phases(phase, crypto.IKEV1_ESP_REFUSED)


def _phases(phase: Phase, refused: frozenset[str]) -> Mapping[IkeVersion, Phase]:
    left = {key: word for key, word in phase.encryption.items() if key not in refused}
    return {IkeVersion.V1: replace(phase, encryption=left), IkeVersion.V2: phase}


def whole_catalogue(word: Callable[[Transform], str], lifetime_seconds: tuple[int, int]) -> Phase:
    """A phase that takes all that the console offers; `word` tells what the device calls it."""
    return Phase(
        encryption={key: word(transform) for key, transform in crypto.ENCRYPTION.items()},
        integrity={key: word(transform) for key, transform in crypto.INTEGRITY.items()},
        prf={key: word(transform) for key, transform in crypto.PRF.items()},
        dh={key: word(group) for key, group in crypto.DH_GROUPS.items()},
        lifetime_seconds=lifetime_seconds,
    )


_LABEL: Final = attrgetter("label")
# For what a person reads: every tunnel that the console itself allows, in our own words.
ANYTHING: Final = Abilities(
    ike=dict.fromkeys(IkeVersion, whole_catalogue(_LABEL, IKE_LIFETIME_SECONDS)),
    esp=dict.fromkeys(IkeVersion, whole_catalogue(_LABEL, IPSEC_LIFETIME_SECONDS)),
    lifetime_kb=IPSEC_LIFETIME_KB,
    psk=PskGrammar(),
    main_mode_names=True,
)


def lacking(abilities: Abilities, version: IkeVersion) -> Mapping[str, frozenset[str]]:
    """Which choices of the wizard the device has no word for: `ike.encryption` → ids, and so on.

    The keys are `ike.version`, `ike.mode`, and `encryption`, `integrity`, `dh_group` or `pfs`, and `prf` behind
    `ike.` or `ipsec.`. With a version that the device does not speak, only `ike.version` has values.
    """
    lacks = {
        "ike.version": frozenset(str(int(one)) for one in IkeVersion if one not in abilities.ike)
    }
    if version not in abilities.ike:
        return lacks
    ike, esp = abilities.ike[version], abilities.esp[version]
    # fmt: off
    return lacks | {
        "ike.mode": frozenset() if abilities.aggressive else frozenset({str(Mode.AGGRESSIVE)}),
        "ike.encryption": frozenset(crypto.ENCRYPTION.keys() - ike.encryption.keys()),
        "ike.integrity": frozenset(crypto.INTEGRITY.keys() - ike.integrity.keys()),
        "ike.prf": frozenset(crypto.PRF.keys() - ike.prf.keys()),
        "ike.dh_group": frozenset(crypto.DH_GROUPS.keys() - ike.dh.keys()),
        "ipsec.encryption": frozenset(crypto.ESP_ENCRYPTION.keys() - esp.encryption.keys()),
        "ipsec.integrity": frozenset(crypto.INTEGRITY.keys() - esp.integrity.keys()),
        "ipsec.pfs": frozenset(crypto.DH_GROUPS.keys() - esp.dh.keys()),
    }
    # fmt: on


def refusals(device: str, abilities: Abilities, spec: TunnelSpec) -> list[Finding]:
    """Why `device` (its name, for the sentences) cannot be this tunnel's other end; nothing when it can.

    The fields are named as in `lacking`, and `ike.lifetime_seconds`, `ipsec.lifetime_kb`, `ike.local_fqdn`,
    `spd.rules`, `basic.psk` and so on.
    """
    version = spec.ike.version
    if version not in abilities.ike:
        offered = " or ".join(f"IKEv{int(one)}" for one in sorted(abilities.ike))
        return [
            cannot(f"{device} does not speak IKEv{int(version)}; choose {offered}.", "ike.version")
        ]
    return [
        *_refused_transforms(device, abilities, spec),
        *_refused_lifetimes(device, abilities, spec),
        *_refused_identities(device, abilities, spec),
        *_refused_ranges(device, abilities, spec),
        *_refused_key(device, abilities.psk, spec.psk.reveal()),
    ]


def generic_losses(device: str, abilities: Abilities, spec: TunnelSpec) -> list[str]:
    """What every device loses that has no word for it."""
    if abilities.lifetime_kb is None:
        sentence = (
            f"{device} has no lifetime by volume: the agreed {spec.ipsec.lifetime_kb} KB are left out. The VPN "
            "gateway still renews its SAs when they have carried so much."
        )
        return [sentence]
    return []


def _refused_key(device: str, grammar: PskGrammar, key: str) -> Iterator[Finding]:
    """Why the pre-shared key cannot stand in the device's file. No sentence holds more of it than one character."""
    shortest, longest = grammar.lengths
    if not shortest <= len(key) <= longest:
        yield cannot(
            f"{device} takes keys of {shortest} to {longest} characters, and this one is "
            f"{'shorter' if len(key) < shortest else 'longer'}. Give the tunnel another key.",
            "basic.psk",
        )
    for prefix in grammar.prefixes:
        if key.lower().startswith(prefix.lower()):
            yield cannot(
                f"The pre-shared key begins with {prefix} and cannot be written for {device}: {grammar.why}. "
                "Give the tunnel another key.",
                "basic.psk",
            )
    held = next((char for char in key if char in grammar.refused or not "!" <= char <= "~"), "")
    if held:
        # One of them and the device's whole list: enough to choose another key, and little said of this one.
        shown = held if "!" <= held <= "~" else f"U+{ord(held):04X}"
        yield cannot(
            f"The pre-shared key holds {shown}, which cannot be written for {device}: {grammar.why}. "
            f"Give the tunnel another key{f', without {grammar.refused}' if grammar.refused else ''}",
            "basic.psk",
        )


def _refused_transforms(device: str, abilities: Abilities, spec: TunnelSpec) -> Iterator[Finding]:
    ike, ipsec, version = spec.ike, spec.ipsec, spec.ike.version
    one, two = abilities.ike[version], abilities.esp[version]
    if version is IkeVersion.V1 and ike.mode is Mode.AGGRESSIVE and not abilities.aggressive:
        yield cannot(f"{device} has no aggressive mode; choose main mode, or IKEv2.", "ike.mode")
    asked = [
        ("ike.encryption", "IKE encryption", crypto.ENCRYPTION, ike.encryption, one.encryption),
        ("ike.dh_group", "Diffie-Hellman group", crypto.DH_GROUPS, ike.dh_group, one.dh),
        ("ipsec.encryption", "ESP encryption", crypto.ENCRYPTION, ipsec.encryption, two.encryption),
    ]
    if crypto.is_aead(ike.encryption):
        # Without the encryption there is no place for its PRF.
        if ike.encryption in one.encryption:
            asked.append(("ike.prf", "PRF", crypto.PRF, ike.prf, one.prf))
    else:
        asked.append(
            ("ike.integrity", "IKE integrity", crypto.INTEGRITY, ike.integrity, one.integrity)
        )
    if not crypto.is_aead(ipsec.encryption):
        asked.append(
            ("ipsec.integrity", "ESP integrity", crypto.INTEGRITY, ipsec.integrity, two.integrity)
        )
    if ipsec.pfs:
        asked.append(("ipsec.pfs", "PFS group", crypto.DH_GROUPS, ipsec.pfs, two.dh))
    for name, what, catalogue, wanted, words in asked:
        if wanted not in words:
            yield _missing(
                f"{device} with IKEv{int(version)}", name, what, catalogue, wanted, words
            )


def _missing(
    device: str,
    name: str,
    what: str,
    catalogue: Mapping[str, Transform],
    wanted: str,
    words: Mapping[str, str],
) -> Finding:
    label = catalogue[wanted].label
    nearest = next((one for one in (*_NEAREST[wanted], *catalogue) if one in words), None)
    advice = (
        f"the nearest that it has is {catalogue[nearest].label}"
        if nearest
        else "choose another setting above it"
    )
    return cannot(f"{device} has no {label} as {what}; {advice}.", name)


def _refused_lifetimes(device: str, abilities: Abilities, spec: TunnelSpec) -> Iterator[Finding]:
    ike, ipsec, version = spec.ike, spec.ipsec, spec.ike.version
    one, two = abilities.ike[version].lifetime_seconds, abilities.esp[version].lifetime_seconds
    asked = [
        ("ike.lifetime_seconds", "IKE lifetime", ike.lifetime_seconds, one, "s"),
        ("ipsec.lifetime_seconds", "IPsec lifetime", ipsec.lifetime_seconds, two, "s"),
    ]
    if abilities.lifetime_kb:
        asked.append(
            (
                "ipsec.lifetime_kb",
                "IPsec lifetime",
                spec.ipsec.lifetime_kb,
                abilities.lifetime_kb,
                "KB",
            )
        )
    for name, what, value, (low, high), unit in asked:
        if not low <= value <= high:
            nearest = low if value < low else high
            yield cannot(
                f"{device} takes {low} to {high} {unit} as {what}, and {value} {unit} are set; "
                f"the nearest is {nearest} {unit}.",
                name,
            )


def _refused_identities(device: str, abilities: Abilities, spec: TunnelSpec) -> Iterator[Finding]:
    view = customer_viewpoint(spec)
    main = spec.ike.version is IkeVersion.V1 and spec.ike.mode is Mode.MAIN
    named = (
        ("ike.remote_fqdn", "the device", view.device.identity, abilities.domain_names[0]),
        ("ike.local_fqdn", "the VPN gateway", view.gateway.identity, abilities.domain_names[1]),
    )
    for name, whose, identity, allowed in named:
        if identity.is_address:
            continue
        if not allowed:
            yield cannot(
                f"{device} cannot use a domain name as the identifier of {whose}; leave it empty, "
                "so that its IP address identifies it.",
                name,
            )
        elif main and not abilities.main_mode_names:
            yield cannot(
                f"In main mode {device} looks the key up by address, so a domain name cannot identify {whose}; "
                "choose IKEv2 or aggressive mode, or leave the identifier empty.",
                name,
            )
        elif not abilities.identity.fullmatch(identity.text):
            yield cannot(
                f"The identifier of {whose} cannot be written for {device}: use letters, digits, - and dots.",
                name,
            )


def _refused_ranges(device: str, abilities: Abilities, spec: TunnelSpec) -> Iterator[Finding]:
    view = customer_viewpoint(spec)
    outside = view.gateway.address.version
    families = {pair.local.version for pair in view.pairs}
    if not abilities.ipv6 and (outside == 6 or 6 in families):
        yield cannot(
            f"{device} is offered for IPv4 only; use the settings sheet for IPv6.", "spd.rules"
        )
    elif not abilities.mixed_families and families - {outside}:
        yield cannot(
            f"{device} carries only IPv{outside} ranges through an IPv{outside} tunnel; "
            "move the others to a tunnel of their own.",
            "spd.rules",
        )
    if not abilities.sa_for_each_pair and len(view.pairs) > 1:
        # A responder that narrows (RFC 7296 §2.9) gives it the first pair, and nobody negotiates the others.
        yield cannot(
            f"{device} sends all pairs of ranges through one SA, and the VPN gateway makes one for each pair: only one "
            f"of these {len(view.pairs)} would carry traffic. Give the tunnel one rule with one wider range on each "
            "side; a health check needs addresses inside them.",
            "spd.rules",
        )
    if abilities.most_pairs is not None and len(view.pairs) > abilities.most_pairs:
        yield cannot(
            f"{device} takes at most {abilities.most_pairs} pairs of ranges in one tunnel, and this one has "
            f"{len(view.pairs)}; split the rules into several tunnels.",
            "spd.rules",
        )


def cannot(message: str, name: str) -> Finding:
    """Why a device cannot be the other end; `name` is the field that would have to change, as in `lacking`."""
    return Finding(rule="device-cannot", message=message, field=name)
