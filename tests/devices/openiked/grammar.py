"""A reader of iked.conf, written from iked.conf(5) and the rules of iked's lexer (`yylex` in parse.y).

It knows what a tunnel needs: one setting of the daemon, and one policy with one flow. No macros, no includes, no lists:
those are errors, so that nothing slips by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.devices import charon
from tests.devices.understood import BadFileError, Understood

SILENT: frozenset[str] = frozenset()

_CIPHERS = {"3des": "3des", "aes-128": "aes-128", "aes-192": "aes-192", "aes-256": "aes-256"}
_AEAD = {"aes-128-gcm": "aes-128-gcm", "aes-256-gcm": "aes-256-gcm"}
_AEAD_OF_ESP = _AEAD | {"chacha20-poly1305": "chacha20-poly1305"}
_HASHES = {
    "hmac-md5": "md5",
    "hmac-sha1": "sha1",
    "hmac-sha2-256": "sha2-256",
    "hmac-sha2-384": "sha2-384",
    "hmac-sha2-512": "sha2-512",
}
_GROUPS = {
    "modp768": "dh1",
    "modp1024": "dh2",
    "modp1536": "dh5",
    "modp2048": "dh14",
    "modp3072": "dh15",
    "modp4096": "dh16",
    "modp6144": "dh17",
    "modp8192": "dh18",
    "ecp256": "dh19",
    "ecp384": "dh20",
    "ecp521": "dh21",
    "curve25519": "dh31",
}
# The lexer's rules. A backslash joins the next line, in comments too (`lgetc`); between quotes it escapes a quote or a
# blank, and we write no line break there. Words are begun by a letter, a digit, a colon, an underscore or an asterisk.
_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t]+|\\\n|\#(?>\\.|\\\n|[^\n\\])*+)
    |(?P<newline>\n)
    |"(?P<string>(?>\\["\t ]|[^"\n])*+)"
    |(?P<slash>/)
    |(?P<word>[A-Za-z0-9:_*][A-Za-z0-9"$%&'*+,\-.:;?@\[\]^_`|~]*)
    """,
    re.ASCII | re.VERBOSE,
)
_ESCAPED = re.compile(r'\\(["\t ])', re.ASCII)
_BYTES = re.compile(r"([1-9][0-9]*)K", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is word, string, slash or newline."""

    kind: str
    text: str


class Reader:
    """The tokens of the file, taken one after the other."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens

    @property
    def left(self) -> bool:
        """Whether there are more."""
        return bool(self._tokens)

    def take(self, kind: str) -> str:
        """The text of the next token, which must be of this kind."""
        if not self._tokens or self._tokens[0].kind != kind:
            raise BadFileError(f"no {kind}, but {self._tokens[:1]}")
        return self._tokens.pop(0).text

    def keyword(self, *words: str) -> str:
        """The next token, which must be one of these words."""
        word = self.take("word")
        if word not in words:
            raise BadFileError(f"{word!r} is none of {words}")
        return word

    def after(self, word: str) -> str:
        """The word behind this keyword."""
        self.keyword(word)
        return self.take("word")

    def number(self, word: str) -> int:
        """The whole number behind this keyword."""
        return charon.number(self.after(word))

    def network(self, word: str) -> str:
        """The range behind this keyword: address, slash, length."""
        address = self.after(word)
        self.take("slash")
        return charon.network(f"{address}/{self.take('word')}")

    def skip_newlines(self) -> None:
        """Past empty lines."""
        while self._tokens and self._tokens[0].kind == "newline":
            self._tokens.pop(0)


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """What iked would understand of the file. Raises BadFileError."""
    assert platform_id == "openiked"
    if len(files) != 1:
        raise BadFileError(f"not one file: {list(files)}")
    [text] = files.values()
    reader = Reader(list(_tokens(text)))
    reader.skip_newlines()
    interval = None
    if reader.keyword("set", "ikev2") == "set":
        interval = reader.number("dpd_check_interval")
        reader.take("newline")
        reader.skip_newlines()
        reader.keyword("ikev2")
    understood = _policy(reader, dpd=interval is not None)
    reader.take("newline")
    reader.skip_newlines()
    if reader.left:
        raise BadFileError("something behind the policy")
    return understood


def _policy(reader: Reader, *, dpd: bool) -> Understood:
    if not reader.take("string"):
        raise BadFileError("a policy without a name")
    mode = reader.keyword("active", "passive")
    reader.keyword("tunnel")
    reader.keyword("esp")
    pair = (reader.network("from"), reader.network("to"))
    local, peer = charon.address(reader.after("local")), charon.address(reader.after("peer"))
    ike, esp = _ikesa(reader), _childsa(reader)
    reader.keyword("srcid")
    source = reader.take("string")
    reader.keyword("dstid")
    destination = reader.take("string")
    return Understood(
        version=2,
        **ike,
        **esp,
        ike_seconds=reader.number("ikelifetime"),
        esp_seconds=reader.number("lifetime"),
        esp_kb=_kilobytes(reader.after("bytes")),
        local_address=local,
        remote_address=peer,
        local_identity=_identity(source),
        remote_identity=_identity(destination),
        psk=_key(reader),
        pairs=(pair,),
        dpd=dpd,
        starts=mode == "active",
    )


def _ikesa(reader: Reader) -> dict[str, str | None]:
    """An AEAD has a PRF; without one, `prf` and `auth` must be the same: our catalogue has no other."""
    reader.keyword("ikesa")
    cipher, prf = reader.after("enc"), charon.word(_HASHES, reader.after("prf"))
    aead = cipher in _AEAD
    integrity = None if aead else charon.word(_HASHES, reader.after("auth"))
    if integrity and integrity != prf:
        raise BadFileError(f"the PRF {prf} beside {integrity}")
    return {
        "ike_encryption": charon.word(_AEAD if aead else _CIPHERS, cipher),
        "ike_integrity": integrity,
        "ike_prf": prf if aead else None,
        "ike_dh": charon.word(_GROUPS, reader.after("group")),
    }


def _childsa(reader: Reader) -> dict[str, str | None]:
    reader.keyword("childsa")
    cipher = reader.after("enc")
    aead = cipher in _AEAD_OF_ESP
    integrity = None if aead else charon.word(_HASHES, reader.after("auth"))
    group = charon.word(_GROUPS | {"none": ""}, reader.after("group"))
    reader.keyword("noesn")
    return {
        "esp_encryption": charon.word(_AEAD_OF_ESP if aead else _CIPHERS, cipher),
        "esp_integrity": integrity,
        "pfs": group,
    }


def _identity(text: str) -> str:
    """`get_id_type`: a slash makes a distinguished name, an @ a mail address; the rest is an address or a name."""
    if not text or "/" in text or "@" in text:
        raise BadFileError(f"no address and no domain name: {text!r}")
    return text


def _kilobytes(text: str) -> int:
    found = _BYTES.fullmatch(text)
    if not found:
        raise BadFileError(f"bytes {text}")
    return int(found[1])


def _key(reader: Reader) -> str:
    """A string, or a word in hex. iked decodes a string that begins with 0x as well, and takes any word as a key."""
    reader.keyword("psk")
    try:
        text = reader.take("string")
    except BadFileError:
        text = reader.take("word")
        if not text.startswith("0x"):
            raise
    if not text.startswith("0x"):
        return text
    try:
        return bytes.fromhex(text[2:]).decode("ascii")
    except ValueError as error:
        raise BadFileError("no key in hex") from error


def _tokens(text: str) -> Iterator[Token]:
    if not text.endswith("\n") or re.search(r"[^\n\t -~]", text):
        raise BadFileError("characters that a text file does not have, or an unfinished line")
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found or not found.lastgroup:
            raise BadFileError(f"no token: {text[at : at + 10]!r}")
        at = found.end()
        if found.lastgroup == "string":
            yield Token("string", _ESCAPED.sub(r"\1", found["string"]))
        elif found.lastgroup != "blank":
            yield Token(found.lastgroup, found[0])
