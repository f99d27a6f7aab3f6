"""Reads the sheet, the page and the JSON back as a person, a browser and a program would."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from tests.devices.understood import BadFileError, Understood

SILENT: frozenset[str] = frozenset()

SECTIONS = [
    "IPsec settings for your device", "Your device", "VPN gateway", "Pre-shared key", "IKE (phase 1)",
    "IPsec (phase 2)", "Mappings", "Health check", "Do not forget",
]  # fmt: skip
ENCRYPTION = {
    "AES-256-GCM": "aes-256-gcm", "AES-128-GCM": "aes-128-gcm", "ChaCha20-Poly1305": "chacha20-poly1305",
    "AES-256": "aes-256", "AES-192": "aes-192", "AES-128": "aes-128", "3DES": "3des", "DES": "des",
}  # fmt: skip
INTEGRITY = {
    "SHA2-256": "sha2-256", "SHA2-384": "sha2-384", "SHA2-512": "sha2-512", "SHA1": "sha1", "MD5": "md5",
}  # fmt: skip
STARTS = {
    "the VPN gateway, at once; your device may too": False,
    "your device; the VPN gateway only waits": True,
    "whichever side has traffic first": False,
}
NO_INTEGRITY = "none (part of the encryption)"
JSON_KEYS = {
    "": (
        "format written console_version tunnel device gateway pre_shared_key key_left_out "
        "ike ipsec mappings health_check"
    ),
    "ike": "version mode authentication encryption integrity prf dh_group lifetime_seconds gateway_starts dpd",
    "ipsec": "protocol mode encryption integrity pfs_group lifetime_seconds lifetime_kilobytes",
}

# Controls, formats, halves of characters, and what a viewer may take for the end of a line.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}

Rows = dict[str, str]


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """The only file, by the platform's format."""
    [text] = files.values()
    match platform_id:
        case "generic-json":
            return _json(text)
        case "generic-page":
            return _sections(_page(text))
        case _:
            return _sections(_text(text))


def _text(text: str) -> dict[str, list[str]]:
    lines = text.split("\n")
    if lines.pop() != "" or any(
        unicodedata.category(char) in UNSEEN for line in lines for char in line
    ):
        raise BadFileError("a line that does not end, or that hides something")
    rules = [at for at, line in enumerate(lines) if re.fullmatch("={3,}|-{3,}", line) and at]
    # A heading is exactly as long as its rule, and one of those that we know; all else is content.
    rules = [
        at for at in rules if lines[at - 1] in SECTIONS and len(lines[at]) == len(lines[at - 1])
    ]
    if [lines[at - 1] for at in rules] != SECTIONS:
        raise BadFileError("other sections")
    ends = [*(at - 1 for at in rules[1:]), len(lines)]
    return {
        lines[at - 1]: [line for line in lines[at + 1 : end] if line]
        for at, end in zip(rules, ends, strict=True)
    }


ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "table", "thead", "tbody", "tr", "th", "td",
    "section", "p", "code", "ul", "li",
}  # fmt: skip


class _Reader(HTMLParser):
    """Sections by their heading; rows of a table are cells joined as the text sheet would."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections: dict[str, list[str]] = {}
        self._open: list[str] = []
        self._cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element that we write; every other is one too many."""
        if tag not in ELEMENTS or {name for name, _ in attrs} - {
            "lang", "charset", "http-equiv", "content", "name", "scope", "id"
        }:  # fmt: skip
            raise BadFileError(f"an element that is not ours: {tag}")
        if tag != "meta":
            self._open.append(tag)
        if tag == "tr":
            self._cells = []
        if tag in {"td", "th"}:
            self._cells.append("")

    def handle_endtag(self, tag: str) -> None:
        """Close the element that is open."""
        if not self._open or self._open.pop() != tag:
            raise BadFileError(f"closed before it was opened: {tag}")
        if tag == "tr":
            wide = len(self._cells) > 2
            row = "   ".join(self._cells) if wide else f"{self._cells[0]:<22}{self._cells[1]}"
            self._content().append(row)

    def handle_data(self, data: str) -> None:
        """Text of a cell, a heading or the key."""
        inside = self._open[-1] if self._open else ""
        if inside in {"h1", "h2"}:
            self.sections[data] = []
        elif inside in {"td", "th"}:
            self._cells[-1] += data
        elif inside == "code":
            self._content().append(data)

    def handle_comment(self, data: str) -> None:
        """No comment is ours."""
        raise BadFileError("a comment")

    def _content(self) -> list[str]:
        return list(self.sections.values())[-1]


def _page(text: str) -> dict[str, list[str]]:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if list(reader.sections) != SECTIONS:
        raise BadFileError("other sections")
    return reader.sections


def _sections(sections: Mapping[str, list[str]]) -> Understood:
    device, gateway = _rows(sections["Your device"]), _rows(sections["VPN gateway"])
    ike, ipsec = _rows(sections["IKE (phase 1)"]), _rows(sections["IPsec (phase 2)"])
    [psk] = sections["Pre-shared key"]
    version = int(ike.pop("Version").removeprefix("IKEv"))
    dpd = ike.pop("Dead peer detection")
    aead = ike.get("Integrity") == NO_INTEGRITY
    found = Understood(
        version=version,
        mode=ike.pop("Negotiation mode").removesuffix(" mode") if version == 1 else None,
        ike_encryption=ENCRYPTION[ike.pop("Encryption")],
        ike_integrity=None if aead else INTEGRITY[ike.pop("Integrity and PRF")],
        ike_prf=INTEGRITY[ike.pop("PRF")] if aead else None,
        ike_dh=_group(ike.pop("Diffie-Hellman")),
        ike_seconds=_number(ike.pop("Lifetime"), "s"),
        esp_encryption=ENCRYPTION[ipsec.pop("Encryption")],
        esp_integrity=_integrity(ipsec.pop("Integrity")),
        pfs="" if ipsec["PFS"] == "off" else _group(ipsec["PFS"]),
        esp_seconds=_number(ipsec.pop("Lifetime"), "s"),
        esp_kb=_number(ipsec["Volume"].split(" (")[0], "KB"),
        local_address=device["Public address"],
        remote_address=gateway["Public address"],
        local_identity=_identity(device["IKE identity"]),
        remote_identity=_identity(gateway["IKE identity"]),
        psk=psk,
        pairs=tuple(sorted(_pairs(sections["Mappings"]))),
        dpd=dpd != "off",
        starts=STARTS[ike.pop("Who starts")],
    )
    left = set(ike) - {"Integrity", "When silent", "Authentication", "NAT traversal"}
    if left or set(ipsec) != {"Protocol", "PFS", "Volume"}:
        raise BadFileError(f"rows that are not ours: {left}")
    return found


def _rows(lines: list[str]) -> Rows:
    rows = {line[:22].rstrip(): line[22:] for line in lines}
    if len(rows) != len(lines):
        raise BadFileError("a row twice")
    return rows


def _identity(text: str) -> str:
    found = re.fullmatch(r"(.*), type (?:IP address|domain name \(FQDN\))", text)
    if not found:
        raise BadFileError("no identity")
    return found[1]


def _integrity(text: str) -> str | None:
    return None if text == NO_INTEGRITY else INTEGRITY[text]


def _group(text: str) -> str:
    found = re.fullmatch(r"DH([0-9]+) \([^)]+\)", text)
    if not found:
        raise BadFileError("no group")
    return f"dh{found[1]}"


def _number(text: str, unit: str) -> int:
    found = re.fullmatch(f"([0-9]+) {unit}", text)
    if not found:
        raise BadFileError(f"no number of {unit}")
    return int(found[1])


def _pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    rows = [re.split(r" {3,}", line) for line in lines]
    head = next(at for at, row in enumerate(rows) if row[0] == "No.")
    for expected, (number, local, remote, _) in enumerate(rows[head + 1 :], start=1):
        if number != str(expected):
            raise BadFileError("pairs that are not numbered")
        yield local, remote


def _json(text: str) -> Understood:
    document: dict[str, Any] = json.loads(text, object_pairs_hook=_once)
    for name, keys in JSON_KEYS.items():
        if list(document[name] if name else document) != keys.split():
            raise BadFileError(f"other names in {name or 'the document'}")
    ike, ipsec = document["ike"], document["ipsec"]
    device, gateway = document["device"], document["gateway"]
    return Understood(
        version=ike["version"],
        mode=ike["mode"],
        ike_encryption=ike["encryption"],
        ike_integrity=ike["integrity"],
        ike_prf=None if ike["integrity"] else ike["prf"],
        ike_dh=f"dh{ike['dh_group']}",
        ike_seconds=ike["lifetime_seconds"],
        esp_encryption=ipsec["encryption"],
        esp_integrity=ipsec["integrity"],
        pfs=f"dh{ipsec['pfs_group']}" if ipsec["pfs_group"] else "",
        esp_seconds=ipsec["lifetime_seconds"],
        esp_kb=ipsec["lifetime_kilobytes"],
        local_address=device["address"],
        remote_address=gateway["address"],
        local_identity=device["identity"]["value"],
        remote_identity=gateway["identity"]["value"],
        psk=document["pre_shared_key"],
        pairs=tuple(sorted((pair["device"], pair["gateway"]) for pair in document["mappings"])),
        dpd=ike["dpd"] is not None,
        starts=ike["gateway_starts"] == "passive",
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise BadFileError("a name twice")
    return names
