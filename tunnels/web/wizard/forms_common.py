"""What the four step forms share: rows, operations that change a form without checking it, and pick lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from django import forms
from django.utils.datastructures import MultiValueDict

from tunnels.domain.crypto import Strength, Transform

if TYPE_CHECKING:
    from tunnels.web.wizard.device import Notes

Data = MultiValueDict[str, str]
E = TypeVar("E", bound=StrEnum)

REFRESH = "refresh"
# A change of such a field changes what else is to be filled in: the page asks for the step again.
REFRESHES = {"data-refresh": True}


@dataclass(kw_only=True)
class Cell:
    """One input of a row, with what was typed and what is wrong with it."""

    name: str
    id: str
    value: str
    errors: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Row:
    """One row of inputs; `index` counts from 0, as the rules do, `number` from 1, as people do."""

    index: int
    cells: dict[str, Cell]

    @property
    def number(self) -> int:
        return self.index + 1

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(cell.value for cell in self.cells.values())

    @property
    def blank(self) -> bool:
        return not any(value.strip() for value in self.values)


class StepForm(forms.BaseForm):
    """A step: fields, perhaps rows of repeated inputs, and operations.

    An operation is a submit button that changes the form without checking it, such as "add a rule".
    `refreshed` answers it with a form that shows what was typed and no mistakes.
    """

    use_required_attribute = False
    # Made by the metaclass of the form that this is mixed into.
    base_fields: ClassVar[dict[str, forms.Field]]

    # The name of the rows and their columns; the inputs repeat as `PREFIX-COLUMN`.
    rows: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    operations: ClassVar[tuple[str, ...]] = (REFRESH,)
    # Never stored with the draft, never shown again.
    secrets: ClassVar[tuple[str, ...]] = ()

    # What there is to say about the device at the other end, once it is known (wizard.device).
    device: Notes | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row_lists = {name: self._make_rows(name) for name in self.rows}
        self._row_error = False

    def is_valid(self) -> bool:
        """Whether fields and rows are in order."""
        return super().is_valid() and not self._row_error

    @property
    def has_errors(self) -> bool:
        """Whether mistakes are to be shown; never on a form that was only refreshed."""
        return self.is_bound and not self.is_valid()

    def shown(self, name: str) -> str:
        """What the field shows now, as text: typed, stored or default. "True" or "False" for a switch."""
        field = self.fields[name]
        # A bound field remembers its first answer, and `initial` may still change.
        value = self[name].value() if self.is_bound else self.get_initial_for_field(field, name)
        return "" if value is None else str(value)

    def add_row_error(self, field: str, row: int, message: str) -> bool:
        """Place a message at a column's cell, or at the first cell when `field` names the rows."""
        for name, columns in self.rows.items():
            lines = self.row_lists[name]
            if field in (name, *columns) and row < len(lines):
                cell = lines[row].cells[field if field in columns else columns[0]]
                if message not in cell.errors:
                    cell.errors.append(message)
                self._row_error = True
                return True
        return False

    @classmethod
    def declared(cls, prefix: str) -> set[str]:
        """The names of all inputs of this step, as they are posted."""
        columns = [column for row in cls.rows.values() for column in row]
        return {f"{prefix}-{name}" for name in (*cls.base_fields, *columns)}

    @classmethod
    def asked(cls, data: Mapping[str, object]) -> str:
        """The operation whose button was pressed, "" when it was Next, Finish or Save."""
        return next((name for name in cls.operations if name in data), "")

    @classmethod
    def operate(cls, data: Data, prefix: str) -> tuple[Data, str]:
        """The posted data after the operation, and the id of the element that gets the focus ("" = it stays)."""
        changed: Data = MultiValueDict({key: list(values) for key, values in data.lists()})
        for name, columns in cls.rows.items():
            single = name.removesuffix("s")
            lists = [changed.setlistdefault(f"{prefix}-{column}") for column in columns]
            if f"add_{single}" in data:
                for values in lists:
                    values.append("")
                return changed, f"id_{prefix}-{columns[0]}-{len(lists[0]) - 1}"
            gone = data.get(f"remove_{single}") or ""
            if gone.isdecimal():
                for values in lists:
                    del values[int(gone) : int(gone) + 1]
                return changed, f"add-{single}"
        return changed, data.get(REFRESH) or ""

    @classmethod
    def typed(cls, data: Data, prefix: str) -> dict[str, Any]:
        """Posted or stored data as `initial`: what was typed, unchecked."""
        values: dict[str, Any] = {
            name: made.widget.value_from_datadict(data, MultiValueDict(), f"{prefix}-{name}")
            for name, made in cls.base_fields.items()
            if name not in cls.secrets
        }
        return values | {name: cls._lines(data, prefix, name) for name in cls.rows}

    @classmethod
    def refreshed(cls, data: Data, *, prefix: str, **kwargs: Any) -> tuple[Any, str]:
        """The form after the operation asked for in `data`, without mistakes, and the id to focus."""
        changed, focus = cls.operate(data, prefix)
        return cls(initial=cls.typed(changed, prefix), prefix=prefix, **kwargs), focus

    @classmethod
    def _lines(cls, data: Data, prefix: str, name: str) -> list[tuple[str, ...]]:
        lists = [data.getlist(f"{prefix}-{column}") for column in cls.rows[name]]
        return list(zip(*lists, strict=False))

    def _make_rows(self, name: str) -> list[Row]:
        prefix = str(self.prefix)
        columns = self.rows[name]
        lines: Sequence[Sequence[str]] = self.initial.get(name, [])
        if self.is_bound:
            lines = self._lines(cast("Data", self.data), prefix, name)
        return [
            Row(
                index=index,
                cells={
                    column: Cell(
                        name=f"{prefix}-{column}", id=f"id_{prefix}-{column}-{index}", value=value
                    )
                    for column, value in zip(columns, line, strict=True)
                },
            )
            for index, line in enumerate(lines)
        ]


class PickField(forms.ChoiceField):
    """A choice among objects that were read once; it cleans to the object."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.objects: Mapping[str, Any] = {}

    def offer(
        self, objects: Mapping[str, Any], label: Any = str, *, empty: str = "", more: Iterable[tuple[str, str]] = ()
    ) -> None:  # fmt: skip
        """Offer these objects by their keys; `more` are choices that stand for no object and clean to None."""
        self.objects = objects
        blank = [("", empty)] if empty else []
        self.choices = [*blank, *((key, label(value)) for key, value in objects.items()), *more]

    def clean(self, value: Any) -> Any:
        return self.objects.get(super().clean(value))


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far the chosen algorithm can be trusted, and why not further."""

    strength: Strength
    reason: str


def shown_choice(kind: type[E], text: str, default: E) -> E:
    """The member that a field shows; `default` while it shows none."""
    return kind(text) if text in {str(member.value) for member in kind} else default


def shown_number(text: str, default: int) -> int:
    """The number that a field shows; `default` while it shows none, or one that no limit allows."""
    return int(text) if text.isdecimal() and len(text) <= 10 else default


def strength_choices(table: Mapping[str, Transform]) -> list[tuple[str, str]]:
    """The algorithms as options whose text tells their strength: a colour alone tells nobody."""
    return [
        (key, f"{transform.label} ({transform.strength.value})") for key, transform in table.items()
    ]


def mark(table: Mapping[str, Transform], key: str) -> Mark | None:
    """The mark of the chosen algorithm; None for one that is not in the catalogue."""
    chosen = table.get(key)
    return Mark(strength=chosen.strength, reason=chosen.reason) if chosen else None
