from __future__ import annotations

import copy
import logging
import pickle
import string
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_tunnel_spec
from tunnels.domain.findings import RuleError
from tunnels.domain.secret import Secret, check_psk, generate_psk

KEY = "Canary-key-81723"


def test_it_never_shows_itself(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(KEY)
    spec = a_tunnel_spec(psk=secret)
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("made %s and %r in %s", secret, secret, [secret])
    shown = [
        repr(secret), str(secret), f"{secret}", f"{secret!r}", format(secret), str([secret]),
        repr([secret]), repr({"psk": secret}), repr(spec), str(spec), caplog.text,
    ]  # fmt: skip
    assert [text for text in shown if KEY in text] == []
    assert (repr(secret), str(secret)) == ("Secret(••••)", "••••")


def test_it_does_not_show_itself_in_an_exception() -> None:
    try:
        raise ValueError(Secret(KEY))
    except ValueError as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    assert KEY not in "".join(lines)


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_cannot_be_copied_out(leak: object) -> None:
    assert callable(leak)
    with pytest.raises(TypeError, match="a Secret is not pickled") as caught:
        leak(Secret(KEY))
    assert KEY not in str(caught.value)


def test_it_keeps_no_dictionary_and_no_format() -> None:
    assert not hasattr(Secret(KEY), "__dict__")
    with pytest.raises(TypeError):
        format(Secret(KEY), ">40")


def test_it_compares_by_what_it_hides() -> None:
    assert Secret(KEY) == Secret(KEY)
    assert hash(Secret(KEY)) == hash(Secret(KEY))
    assert Secret(KEY) != Secret("another-key")
    assert Secret(KEY) != KEY
    assert Secret(KEY).reveal() == KEY
    assert (len(Secret(KEY)), bool(Secret(KEY)), bool(Secret(""))) == (16, True, False)


@given(st.text("".join(map(chr, range(0x21, 0x7F))), min_size=8, max_size=128))
def test_it_takes_every_visible_ascii_key(text: str) -> None:
    assert check_psk(text).reveal() == text


@pytest.mark.parametrize("length", [0, 7, 129])
def test_it_refuses_a_key_of_wrong_length(length: int) -> None:
    with pytest.raises(RuleError) as caught:
        check_psk("k" * length)
    [finding] = caught.value.findings
    assert (finding.rule, finding.field) == ("psk-length", "psk")
    assert finding.message == "The pre-shared key must have 8 to 128 characters."


@pytest.mark.parametrize("char", [" ", "\t", "\n", "\0", "\x7f", "é", "ß", "界", "\u00a0"])
def test_it_refuses_a_key_of_other_characters_without_telling_it(char: str) -> None:
    with pytest.raises(RuleError) as caught:
        check_psk(f"secretkey{char}")
    [finding] = caught.value.findings
    assert (finding.rule, finding.field) == ("psk-characters", "psk")
    assert "secretkey" not in str(caught.value)


def test_it_generates_long_keys_that_every_device_can_hold() -> None:
    keys = {generate_psk().reveal() for _ in range(200)}
    assert len(keys) == 200
    assert {len(key) for key in keys} == {32}
    # 6,400 draws leave out one of 62 characters with a probability below 10^-43.
    assert set("".join(keys)) == set(string.ascii_letters + string.digits)
    assert check_psk(next(iter(keys)))
