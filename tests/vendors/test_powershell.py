from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vendors.powershell import Assignment, BadScriptError, Call, Variable, statements_of

visible = st.text("".join(map(chr, range(0x20, 0x7F))))


def test_it_reads_assignments_and_commands() -> None:
    script = """# a comment
$a = 'it''s $b `n "x"'
$b = @{
    Number = 12
    List = @('x', 'y')
    One = @('x')
    Yes = $true
    Other = $a
}
$c = @(
    Get-It -Range 'a', 'b' -Of 1, 2 -Kind Plain -Quick
)
Add-It @b
Add-It
"""
    assert statements_of(script) == [
        Assignment("a", 'it\'s $b `n "x"'),
        Assignment(
            "b",
            {"Number": 12, "List": ["x", "y"], "One": ["x"], "Yes": True, "Other": Variable("a")},
        ),
        Assignment(
            "c",
            [Call("Get-It", {"Range": ["a", "b"], "Of": [1, 2], "Kind": "Plain", "Quick": True})],
        ),
        Call("Add-It", {}, "b"),
        Call("Add-It", {}),
    ]


@given(visible)
def test_a_doubled_quote_is_all_that_a_text_needs(text: str) -> None:
    quoted = text.replace("'", "''")
    assert statements_of(f"$a = '{quoted}'\nAdd-It -Name '{quoted}'\n") == [
        Assignment("a", text),
        Call("Add-It", {"Name": text}),
    ]


@pytest.mark.parametrize(
    "script",
    [
        "$a = 'x",
        "$a = 'x'y'",
        "$a = @{ B = 1",
        "$a = @('x', )",
        "$a = @{ B 1 }",
        "}",
        "",
        "# nothing",
    ],
)
def test_it_refuses_what_is_no_powershell(script: str) -> None:
    with pytest.raises(BadScriptError, match="no PowerShell"):
        statements_of(script)


@pytest.mark.parametrize(
    "script",
    [
        "$a = \"x $(Get-It)\"",
        "$a = 'x' + 'y'",
        "$a = $b.Name",
        "$env:a = 'x'",
        "$a += 'x'",
        "$a",
        "'x'",
        "Get-It | Add-It",
        "Get-It; Add-It -Name (Get-It)",
        "Add-It 'x'",
        "Add-It -Name 'x' 'y'",
        "Add-It -Name 'x' -Name 'y'",
        "Add-It @a @b",
        "Add-It > file",
        "& 'Add-It'",
        ". ./script.ps1",
        "if ($true) { Add-It }",
        "function a { Add-It }",
        "$a = @{ B = 1; B = 2 }",
        "$a = { Add-It }",
        "$a = 1.5",
        "$a = 1kb",
        "Add-It -Name x-$b",
    ],
)  # fmt: skip
def test_it_refuses_more_than_literals(script: str) -> None:
    with pytest.raises(BadScriptError):
        statements_of(script)
