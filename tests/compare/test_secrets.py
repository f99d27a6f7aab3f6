"""No secret of a pasted text comes out again, whatever happens to the text."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compare.texts import COMPATIBLE, KEY, SAMPLES, answer
from tunnels.compare.grammars import GRAMMARS
from tunnels.domain.findings import RuleError
from tunnels.domain.secret import Secret

# Every secret in the samples, and the tunnel's own key.
SECRETS = (
    KEY, "R29sZGVuLUtleV83MzUxOQ", "Another-Sites-Key_1", "roadwarrior-password-1", "passphrase-of-the-file",
    "Yet-Another-Key_9", "$1$wkXq$8Vn0mUO0pVXyZC1dVYH5A1", "$1$abcd$0123456789abcdefghij.0", "r3ad0nly",
    "0822455D0A16544541", "$9$nhEmQVczB7dqsO$X.HsgL6x1il0RxkOSSvyQYwucySCt7qFm4v7pqCxkKM", "SH2Zm9vYmFyYmF6cXV4cXV1eA",
    "Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0",
)  # fmt: skip

every_sample = pytest.mark.parametrize("name", SAMPLES)


def outcome(text: str, *, grammar: str = "", with_key: bool = True) -> str:
    """All that comes out, refusals included."""
    try:
        return repr(answer(text, COMPATIBLE, grammar=grammar, with_key=with_key))
    except RuleError as error:
        return f"{error!r} {error} {error.findings!r}"


def test_there_are_secrets_to_look_for() -> None:
    everything = "".join(sample.text for sample in SAMPLES.values())
    assert [secret for secret in SECRETS if secret not in everything] == []


@every_sample
@pytest.mark.parametrize("grammar", ["", *GRAMMARS])
@pytest.mark.parametrize("with_key", [False, True])
def test_it_echoes_none_of_them(name: str, grammar: str, with_key: bool) -> None:
    said = outcome(SAMPLES[name].text, grammar=grammar, with_key=with_key)
    assert [secret for secret in SECRETS if secret in said] == []


@every_sample
def test_it_echoes_none_when_a_line_is_broken(name: str) -> None:
    """Every line in turn loses its first word, its quotes, or its line break."""
    lines = [*SAMPLES[name].text.split("\n"), ""]
    for at, line in enumerate(lines[:-1]):
        for broken, behind in (
            (line.strip().partition(" ")[2], 1),
            (line.replace('"', ""), 1),
            (line + lines[at + 1], 2),
        ):
            said = outcome("\n".join([*lines[:at], broken, *lines[at + behind :]]))
            assert [secret for secret in SECRETS if secret in said] == [], broken


SWANCTL = """\
connections {{
 site {{
  remote_addrs = 203.0.113.10, {0}
  proposals = {0}
  local {{
   id = {0}
   auth = {0}
  }}
  children {{
   site {{
    local_ts = {0}, 10.0.0.0/24[{0}]
    mode = {0}
   }}
  }}
 }}
}}
secrets {{
 ike-a {{
  secret = "{0}"
 }}
}}
"""
IPSEC_CONF = """\
conn {0}
\tright={0},203.0.113.10
\tleftid={0}
\trightid=@{0}
\tike={0}!
\ttype={0}
\tleftsubnet={0}-{0}
\tauthby={0}
\tauto=add
: PSK {0}
"""
IOS = """\
crypto map {0} 1 ipsec-isakmp
 set peer 203.0.113.10
 set peer {0}
 set transform-set {0}
 set pfs {0}
 set isakmp-profile {0}
 match address {0}
crypto ipsec transform-set {0} {0} esp-{0}
 mode {0}
ip access-list extended {0}
 permit {0} {0} {0} host {0}
crypto isakmp profile {0}
 self-identity fqdn {0}
 match identity host {0}
crypto isakmp policy 1
 encr {0}
 hash {0}
 group {0}
 authentication pre-share
crypto isakmp key {0} address 203.0.113.10
"""
FORTIOS = """\
config vpn ipsec phase1-interface
edit "{0}"
set remote-gw 203.0.113.10
set localid "{0}"
set peertype one
set peerid {0}
set authmethod {0}
set proposal {0} aes128-sha1
set dhgrp {0}
set psksecret "{0}"
next
end
config vpn ipsec phase2-interface
edit {0}
set phase1name {0}
set proposal {0}
set src-addr-type name
set src-name {0}
set dst-subnet {0} {0}
set encapsulation {0}
next
end
"""


def test_it_hides_a_secret_that_names_a_connection() -> None:
    text = SWANCTL.replace("site", "{0}").format("canary7f3a9e51")
    said = answer(text, COMPATIBLE)
    assert said.connection == "(not shown)"
    assert "canary" not in repr(said)


@pytest.mark.parametrize("text", [SWANCTL, IPSEC_CONF, IOS, FORTIOS])
@pytest.mark.parametrize(
    "secret", ["canary7f3a9e51", "Canary.Key-7F3a9e51.example", "203.0.113.9-canary"]
)
def test_it_hides_a_secret_even_where_it_is_a_name(text: str, secret: str) -> None:
    said = outcome(text.format(secret)).lower()
    assert "(not shown)" in said
    assert secret.lower() not in said
    assert "canary" not in said
    assert "7f3a9e51" not in said


@every_sample
def test_it_tells_nothing_of_the_tunnels_key_to_those_who_may_not_see_it(name: str) -> None:
    """Whatever the text has in the place of a name: whether it is our key makes no difference."""
    sample = SAMPLES[name]
    guessed = sample.text.replace("beijing", KEY).replace("CLOUD", KEY)
    first = answer(guessed, sample.spec, with_key=False)
    other = answer(guessed, replace(sample.spec, psk=Secret("Quite-Another_42")), with_key=False)
    assert first == other


def no_address(text: str) -> bool:
    """Addresses are what a comparison is about: a key that is one cannot be told from them."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return True
    return False


@given(st.text("abcXYZ019._~+=@^*:,/-%$", min_size=8, max_size=40).filter(no_address))
def test_it_never_shows_the_key_of_a_file(key: str) -> None:
    sample = (
        SAMPLES["ios-ikev2.txt"]
        .text.replace(KEY, key)
        .replace("crypto map WAN", f"crypto map {key}")
    )
    assert key not in outcome(sample)
