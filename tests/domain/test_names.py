from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnels.domain.findings import RuleError
from tunnels.domain.names import TAG_SPECIALS, check_tags, clean_name, format_tags, has_invisible


def rule_of(caught: pytest.ExceptionInfo[RuleError]) -> str:
    [finding] = caught.value.findings
    return finding.rule


@pytest.mark.parametrize(
    "name",
    [
        "idc-shanghai",
        "上海机房",
        "Büro Köln",
        "مكتب الرياض",
        "मुंबई",
        "офис 2",
        "🏢 office",
        "a",
        "x" * 60,
    ],
)
def test_it_takes_a_name_of_any_script(name: str) -> None:
    assert clean_name(name) == name


def test_it_trims_and_composes_a_name() -> None:
    assert clean_name("  Cafe\u0301\t") == "Café"


def test_it_measures_a_name_as_it_is_stored() -> None:
    assert clean_name("e\u0301" * 60) == "é" * 60


@pytest.mark.parametrize("name", ["", "   ", "\n\t"])
def test_it_refuses_an_empty_name(name: str) -> None:
    with pytest.raises(RuleError) as caught:
        clean_name(name)
    assert rule_of(caught) == "name-empty"


def test_it_refuses_a_long_name() -> None:
    with pytest.raises(RuleError) as caught:
        clean_name("x" * 61)
    assert str(caught.value) == "The name has 61 characters; at most 60 are allowed."


@pytest.mark.parametrize(
    "char",
    ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\u200b", "\u202e", "\u2028", "\ud800", "\ue000"],
)
def test_it_refuses_what_cannot_be_seen(char: str) -> None:
    with pytest.raises(RuleError) as caught:
        clean_name(f"left{char}right")
    assert rule_of(caught) == "name-control-character"


@given(st.text())
def test_it_stores_only_short_visible_names(text: str) -> None:
    try:
        name = clean_name(text)
    except RuleError:
        return
    assert 1 <= len(name) <= 60
    assert not has_invisible(name)
    assert name.splitlines() == [name]
    assert clean_name(name) == name


def test_it_takes_tags_of_every_script_and_all_specials() -> None:
    tags = [
        ("env", "prod"),
        ("Env", "prod"),
        (f"k{TAG_SPECIALS}k", "v"),
        ("वातावरण", "हिन्दी"),
        ("环境", "生产"),
    ]
    assert check_tags([*tags, ("k" * 127, "v" * 255)]) == []


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("", "v"), "A tag needs a key."),
        (("env", ""), "Give the tag “env” a value."),
        (("k" * 128, "v"), "A tag key has at most 127 characters and a value 255."),
        (("env", "v" * 256), "A tag key has at most 127 characters and a value 255."),
        (("qcs:env", "v"), "Keys beginning with “qcs:” are reserved; choose another."),
        (("projects", "v"), "Keys beginning with “project” are reserved; choose another."),
        (("first", "again"), "The tag “first” is there twice; a key has one value."),
        ((" env", "v"), "“ env” begins or ends with a space; remove it."),
        (("env", "v "), "“v ” begins or ends with a space; remove it."),
        (
            ("env", "a#b"),
            "A tag may not contain “#”; letters, digits, spaces and +-=._:/@()[],;>< are allowed.",
        ),
        (
            ("env", "a\nb"),
            "A tag may not contain the character U+000A; letters, digits, spaces and +-=._:/@()[],;>< are allowed.",
        ),
    ],
)
def test_it_says_what_is_wrong_with_a_tag(pair: tuple[str, str], message: str) -> None:
    [finding] = check_tags([("first", "tag"), pair])
    assert (finding.rule, finding.field, finding.row) == ("tag-invalid", "tags", 1)
    assert finding.message == message


def test_it_counts_tags() -> None:
    fifty = [(f"key-{number}", "v") for number in range(50)]
    assert check_tags(fifty) == []
    [finding] = check_tags([*fifty, ("one-more", "v")])
    assert (finding.rule, finding.row) == ("tags-too-many", None)
    assert finding.message == "51 tags are too many; at most 50 are allowed."


@given(st.text(min_size=1, max_size=127), st.text(min_size=1, max_size=255))
def test_it_lets_only_one_visible_line_into_a_tag(key: str, value: str) -> None:
    if check_tags([(key, value)]) == []:
        for part in (key, value):
            assert part.splitlines() == [part]
            assert not any(unicodedata.category(char).startswith("C") for char in part)
            assert not set(part) & set("\"'\\#{}$`")


def test_it_writes_tags_sorted() -> None:
    assert format_tags({"team": "net", "env": "prod"}) == "env=prod, team=net"
    assert format_tags({}) == ""
