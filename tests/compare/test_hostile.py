"""What nobody's device printed. Each of these texts has about 1 MB; the answer is a sentence, and comes at once.

The times are not asserted: what would take long here takes minutes, not seconds, and so fails the whole run.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compare.texts import COMPATIBLE, SAMPLES, answer, refusal
from tunnels.compare.grammars import GRAMMARS
from tunnels.compare.text import LIMIT, LINES_MAX
from tunnels.domain.findings import RuleError

every_grammar = pytest.mark.parametrize("grammar", ["", *GRAMMARS])
GATEWAY = "203.0.113.10"


def fill(text: str) -> str:
    """As much of this as is read at all."""
    number = min(LIMIT // len(text.encode()), LINES_MAX // max(text.count("\n"), 1))
    return text * number


def numbered(text: str, number: int) -> str:
    """The text so many times, with # replaced by a number."""
    return "".join(text.replace("#", str(at)) for at in range(number))


SENSELESS = {
    "open blocks": fill("{"),
    "named blocks": fill("a {\n"),
    "closed blocks": fill("}"),
    "quotes": fill('"'),
    "a string without an end": 'a = "' + fill("x")[:-10],
    "a FortiOS string without an end": 'config a\nedit b\nset c "' + fill("x\n")[:-50],
    "quotes in every line": fill('set a "\n'),
    "both quotes": fill("\"' "),
    "backslashes": fill("\\"),
    "escaped quotes": 'a = "' + fill('\\"')[:-10],
    "a long line": fill("x"),
    "spaces": " " * (LIMIT - 1) + "x",
    "comments": fill("#"),
    "equals signs": fill("="),
    "dashes": "a = " + fill("-")[:-10],
    "references": fill("a : b {\n}\n"),
    "tables": fill("config a\n"),
    "sections without a name": fill("conn \n"),
    "secrets": fill(": PSK a\n"),
    "a pager": fill("--More--\b"),
    "returns": fill("a\r"),
    "emoji": fill("\U0001f600"),
}


def swanctl(children: str, around: str = "") -> str:
    """A swanctl.conf with these children."""
    return f"{around}connections {{\na {{\nremote_addrs = {GATEWAY}\nchildren {{\n{children}}}\n}}\n}}\n"


RANGES = "10.0.0.0/24," * 600
ENTRY = f"crypto map M # ipsec-isakmp\n set peer {GATEWAY}\n match address 101\n"
PHASE1 = f"edit a#\nset proposal des-md5\nset remote-gw {GATEWAY}\nnext\n"
NAMED = "set src-addr-type name\nset src-name g\nset dst-addr-type name\nset dst-name g\n"

# Real connections to the gateway, and too much of everything else.
LARGE = {
    "swanctl connections": (
        "connections {\n" + numbered(f"a# {{\nremote_addrs = {GATEWAY}\n}}\n", 4_900) + "}\n"
    ),
    "swanctl heirs": (
        "base {\n children {\n x {\n local_ts = 10.9.0.0/24\n }\n }\n}\nconnections {\n"
        + numbered(f"a# : base {{\nremote_addrs = {GATEWAY}\n}}\n", 4_900)
        + "}\n"
    ),
    "swanctl children": swanctl(numbered("c# {\nlocal_ts = 10.0.0.0/24\n}\n", 25_000)),
    "swanctl heirs of a long list": swanctl(
        numbered("c# : base {\n}\n", 30_000),
        f"base {{\nlocal_ts = {RANGES}\nesp_proposals = {'a-' * 3_000}\n}}\n",
    ),
    "ipsec.conf conns": (
        "conn base\n\tesp=" + "aes-," * 1_500 + f"\n\tleftsubnet={RANGES}\n"
        + numbered(f"conn a#\n\talso=base\n\tright={GATEWAY}\n\tauto=add\n", 4_900)
    ),
    "ipsec.conf chain": (
        "conn a0\n" + "".join(f"conn a{n}\n\talso=a{n - 1}\n" for n in range(1, 4_900))
        + f"conn z\n\talso=a4899\n\tright={GATEWAY}\n"
    ),
    "ios entries": numbered(ENTRY, 14_000) + "access-list 101 permit ip any any\n",
    "ios list": ENTRY + numbered("access-list 101 permit ip host 10.0.0.1 any\n", 20_000),
    "ios list for many": (
        numbered(ENTRY, 4_000) + numbered("access-list 101 permit ip object-group A# any\n", 15_000)
    ),
    "ios keys": ENTRY + numbered("crypto isakmp key secret# address 192.0.2.1\n", 20_000),
    "ios transforms": ENTRY + " set transform-set " + "x " * 500_000,
    "fortios entries": "config vpn ipsec phase1-interface\n" + numbered(PHASE1, 4_900),
    "fortios groups": (
        f"config vpn ipsec phase1-interface\n{PHASE1}end\nconfig vpn ipsec phase2-interface\n"
        + numbered(f"edit b#\nset phase1name a@\n{NAMED}next\n", 7_000).replace("a@", "a#")
        + "end\nconfig firewall addrgrp\nedit g\nset member " + numbered("m# ", 5_000)
        + "\nnext\nend\nconfig firewall address\n"
        + numbered("edit m#\nset subnet 10.0.0.# 255.255.255.255\nnext\n", 250) + "end\n"
    ),
}  # fmt: skip


@every_grammar
@pytest.mark.parametrize("name", SENSELESS)
def test_it_refuses_what_makes_no_sense(name: str, grammar: str) -> None:
    text = SENSELESS[name]
    sentence = refusal(text, grammar=grammar)
    assert sentence[0].isupper()
    assert len(sentence) < 400
    assert text[:200] not in sentence


@pytest.mark.parametrize("name", LARGE)
def test_it_answers_however_much_there_is(name: str) -> None:
    text = LARGE[name]
    assert len(text) <= LIMIT
    said = answer(text, COMPATIBLE)
    assert said.breaking
    assert len(said.differences) < 60
    assert sum(len(one.where) + len(one.theirs) for one in said.differences) < 5_000


def test_it_says_that_something_was_left_out() -> None:
    said = answer(LARGE["swanctl children"], COMPATIBLE)
    [left] = [one for one in said.differences if one.theirs == "more than 1,000 entries"]
    assert "too many" in left.sentence
    product = answer(LARGE["fortios groups"], COMPATIBLE)
    assert [one for one in product.differences if one.theirs == "more than 10,000 pairs"]


@every_grammar
def test_it_refuses_more_than_a_megabyte(grammar: str) -> None:
    sentence = (
        "This is more than 1 MB. Paste only the part of the configuration that concerns the VPN."
    )
    assert refusal("x" * (LIMIT + 1), grammar=grammar) == sentence
    assert refusal("é" * (LIMIT // 2 + 1), grammar=grammar) == sentence
    assert "more than 100,000 lines" in refusal("\n" * 100_001 + "x", grammar=grammar)


@every_grammar
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\0c\n", 2),
        ("\0" * 1_000_000, 1),
        ("\x01\x02\x03" * 99, 1),
        ("\x7fELF\x02\x01\x01\0", 1),
        ("\ufffd" * 500, 1),
    ],
)
def test_it_refuses_what_is_no_text(text: str, line: int, grammar: str) -> None:
    assert refusal(text, grammar=grammar).startswith(
        f"Line {line} holds characters that no configuration has"
    )


def test_it_reads_a_text_with_some_strange_letters() -> None:
    text = SAMPLES["swanctl.conf"].text.replace(
        "# maintained by", "# betreut von Müller \ufffd 网络 "
    )
    assert answer(text, COMPATIBLE).differences == ()


def test_it_refuses_more_connections_than_anybody_has() -> None:
    count = 5_001
    texts = {
        "swanctl": "connections {\n" + numbered("a# {\n}\n", count) + "}\n",
        "ipsec-conf": numbered("conn a#\n\tright=1\n", count),
        "cisco-ios": numbered("crypto map M# 1 ipsec-isakmp\n", count),
        "fortios": "config vpn ipsec phase1\n" + numbered("edit a#\nnext\n", count),
    }
    for grammar, text in texts.items():
        assert "more than 5,000 connections" in refusal(text, grammar=grammar)


WORDS = (
    'connections secrets children { } = : , \n a # " \\ include conn config setup also= left right crypto map isakmp '
    "policy ikev2 keyring peer set transform-set match address ip access-list extended permit deny host any edit next "
    "end vpn ipsec phase1-interface proposal remote-gw 203.0.113.10 10.0.0.0/24 0.0.0.255 PSK %default 0x 0s -"
)
words = st.lists(st.sampled_from(WORDS.split(" ")), max_size=80).map(" ".join)


def outcome(text: str, grammar: str = "") -> str:
    """The headline or the refusal."""
    try:
        return answer(text, COMPATIBLE, grammar=grammar).headline
    except RuleError as error:
        return error.findings[0].message


@given(st.one_of(st.text(max_size=300), words), st.sampled_from(["", *GRAMMARS]))
def test_it_has_an_answer_for_everything(text: str, grammar: str) -> None:
    assert outcome(text, grammar).endswith(".")


@given(st.data())
def test_it_has_an_answer_for_a_file_in_which_anything_was_changed(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from([*SAMPLES.values()])).text.split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    changed = st.one_of(
        st.text(max_size=40), st.sampled_from(["", f"{lines[at]} }}", lines[at][:-1]])
    )
    lines[at] = data.draw(changed)
    assert outcome("\n".join(lines)).endswith(".")
