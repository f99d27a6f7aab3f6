"""PowerShell as tree-sitter-powershell parses it: a grammar that we did not write.

A script that the grammar cannot parse is refused, and so is all that does more than assign literals and call commands
with literals: no expansion, no pipeline, no block, no redirection.
"""

from __future__ import annotations

from dataclasses import dataclass

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_powershell.language()))
# Between a statement and its value the grammar has a node for each precedence; they hold one thing each.
_SHELLS = {
    "pipeline", "pipeline_chain", "logical_expression", "bitwise_expression", "comparison_expression",
    "additive_expression", "multiplicative_expression", "format_expression", "range_expression",
    "array_literal_expression", "unary_expression", "string_literal", "integer_literal", "left_assignment_expression",
}  # fmt: skip


class BadScriptError(Exception):
    """The text is no PowerShell, or more than a script of ours does."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`, or `@name` where a hashtable is handed on."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A command with its parameters; `splatted` is the name of the hashtable behind `@`, or ""."""

    command: str
    parameters: dict[str, Value]
    splatted: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """`$name = value`."""

    name: str
    value: Value


Value = str | int | bool | Variable | list["Value"] | dict[str, "Value"] | Call
Statement = Assignment | Call


def statements_of(text: str) -> list[Statement]:
    """The script's statements, with their values. Raises BadScriptError."""
    root = _PARSER.parse(text.encode()).root_node
    if root.has_error or not root.children:
        raise BadScriptError(f"no PowerShell: {_first_error(root)}")
    [statements] = _inside(root)
    return [_statement(node) for node in _inside(statements)]


def _first_error(node: Node) -> str:
    for child in node.children:
        if child.is_error or child.is_missing:
            return f"line {child.start_point[0] + 1}"
        if child.has_error:
            return _first_error(child)
    return f"line {node.start_point[0] + 1}"


def _inside(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _statement(node: Node) -> Statement:
    [inner] = _expect(node, "pipeline", 1)
    if inner.type == "assignment_expression":
        target, operator, value = _expect(inner, "assignment_expression", 3)
        name = _value(target)
        if _text(operator) != "=" or not isinstance(name, Variable):
            raise BadScriptError(f"no plain assignment: {_text(node)!r}")
        return Assignment(name.name, _value(value))
    found = _value(node)
    if not isinstance(found, Call):
        raise BadScriptError(f"neither an assignment nor a command: {_text(node)!r}")
    return found


def _expect(node: Node, kind: str, count: int) -> list[Node]:
    inside = _inside(node)
    if node.type != kind or len(inside) != count:
        raise BadScriptError(f"unexpected {node.type}: {_text(node)!r}")
    return inside


def _value(node: Node) -> Value:
    inside = _inside(node)
    match node.type:
        case "verbatim_string_characters":
            return _text(node)[1:-1].replace("''", "'")
        case "decimal_integer_literal" if _text(node).isdecimal():
            return int(_text(node))
        case "variable":
            return _variable(_text(node))
        case "array_literal_expression" if len(inside) > 1:
            return [_value(child) for child in inside]
        case "array_expression":
            return _array(node)
        case "hash_literal_expression":
            return _hashtable(node)
        case "command":
            return _call(node)
        case kind if kind in _SHELLS and len(inside) == 1 and len(node.children) == 1:
            return _value(inside[0])
    raise BadScriptError(f"unexpected {node.type}: {_text(node)!r}")


def _variable(text: str) -> Value:
    if text in {"$true", "$false"}:
        return text == "$true"
    if not text[1:].isalnum():
        raise BadScriptError(f"a variable of another kind: {text}")
    return Variable(text[1:])


def _array(node: Node) -> list[Value]:
    """`@( … )`: statements, each of them a value or a list of values."""
    values: list[Value] = []
    for statements in _inside(node):
        for child in _inside(statements):
            value = _value(child)
            values += value if isinstance(value, list) else [value]
    return values


def _hashtable(node: Node) -> dict[str, Value]:
    table: dict[str, Value] = {}
    for body in _inside(node):
        for entry in _inside(body):
            key, value = _expect(entry, "hash_entry", 2)
            name = _text(key)
            if name in table or not name.isalnum():
                raise BadScriptError(f"{name} twice, or no plain name")
            table[name] = _value(value)
    return table


def _call(node: Node) -> Call:
    name, *rest = _inside(node)
    if name.type != "command_name" or [one.type for one in rest] not in ([], ["command_elements"]):
        raise BadScriptError(f"no plain command: {_text(node)!r}")
    parameters: dict[str, Value] = {}
    splatted, waiting = "", ""
    for element in _inside(rest[0]) if rest else []:
        if element.type == "command_argument_sep":
            continue
        if element.type == "command_parameter":
            waiting = _flag(waiting, _text(element), parameters)
        elif waiting:
            parameters[waiting], waiting = _argument(element), ""
        elif _text(element).startswith("@") and not splatted:
            value = _argument(element)
            if not isinstance(value, Variable):
                raise BadScriptError(f"no hashtable: {_text(element)}")
            splatted = value.name
        else:
            raise BadScriptError(f"{_text(element)!r} belongs to no parameter")
    _flag(waiting, "", parameters)
    return Call(_text(name), parameters, splatted)


def _flag(waiting: str, following: str, parameters: dict[str, Value]) -> str:
    """The parameter that now waits for its value; a switch that has none stands alone."""
    if waiting:
        parameters[waiting] = True
    name = following.removeprefix("-")
    if name and (name in parameters or not name.isalnum()):
        raise BadScriptError(f"-{name} twice, or no plain name")
    return name


def _argument(node: Node) -> Value:
    """A value, or a bare word that can be nothing else."""
    if node.type == "generic_token":
        word = _text(node)
        if not word.isalnum():
            raise BadScriptError(f"no plain word: {word!r}")
        return word
    return _value(node)
