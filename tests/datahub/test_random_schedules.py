"""Random schedules of changes of a table and writes of rows, beside a model in Python of what must come of them."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from datahub.access import EVERYTHING
from datahub.dynamic import Definition, find_table
from datahub.errors import Duplicates, UniqueConflict
from datahub.models import Column
from datahub.services import columns, rows, tables
from datahub.services.column_checks import NewColumn
from datahub.services.columns import ColumnChange
from datahub.services.inspection import inspect
from datahub.services.purging import purge_column
from events.models import Event
from fastgen_backend.origin import COMMAND_LINE

VALUES: dict[str, list[Any]] = {"text": ["1", "2", "03", "x", None], "integer": [1, 2, 3, None]}
TYPES = st.sampled_from(sorted(VALUES))
PLACES = st.integers(1, 5)


@dataclass
class Expected:
    """A column as it must be: its values by row, null where there is none."""

    key: str
    type: str
    unique: bool = False
    values: dict[UUID, Any] = field(default_factory=dict)

    @property
    def present(self) -> list[Any]:
        return [value for value in self.values.values() if value is not None]

    @property
    def has_repeated(self) -> bool:
        return len(set(self.present)) < len(self.present)

    def converted(self, type: str) -> dict[UUID, Any]:
        return {id: _converted(value, type) for id, value in self.values.items()}


def _converted(value: Any, type: str) -> Any:
    if value is None or type == "text":
        return value if value is None else str(value)
    return int(value) if str(value).isdecimal() else None


class Schedule(RuleBasedStateMachine):
    """One table under changes; `shown` and `hidden` are its columns, by their ids, in their order."""

    @initialize()
    def begin(self) -> None:
        self.uid = str(tables.create_table(name="Schedule", origin=COMMAND_LINE).uid)
        self.updates = self.keys_made = 0
        self.rows: list[UUID] = []
        self.shown: dict[str, Expected] = {}
        self.hidden: dict[str, Expected] = {}

    @rule(type=TYPES, unique=st.booleans())
    def add(self, type: str, unique: bool) -> None:
        new = NewColumn(name="Column", key=self._free_key(), type=type, unique=unique)
        made = columns.add_column(table=find_table(self.uid), new=new, origin=COMMAND_LINE)
        self.shown[str(made.uid)] = Expected(made.key, type, unique, dict.fromkeys(self.rows))
        self.updates += 1

    @precondition(lambda self: self.shown)
    @rule(data=st.data())
    def hide(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(list(self.shown)))
        columns.hide_column(table=find_table(self.uid), id_or_key=id, origin=COMMAND_LINE)
        self.hidden[id] = self.shown.pop(id)
        self.updates += 1

    @precondition(lambda self: self.hidden)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(list(self.hidden)))
        restored = columns.restore_column(table=find_table(self.uid), id_or_key=id, origin=COMMAND_LINE)
        column = self.hidden.pop(id)
        is_taken = column.key in {each.key for each in self.shown.values()}
        assert (restored.key != column.key) is is_taken
        column.key = restored.key
        self.shown[id] = column
        self.updates += 1

    @precondition(lambda self: self.hidden)
    @rule(data=st.data())
    def purge(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(list(self.hidden)))
        purge_column(table=find_table(self.uid), id_or_key=id)
        del self.hidden[id]

    @precondition(lambda self: self.shown)
    @rule(data=st.data(), place=PLACES)
    def move(self, data: st.DataObject, place: int) -> None:
        id = data.draw(st.sampled_from(list(self.shown)))
        order = [each for each in self.shown if each != id]
        order.insert(place - 1, id)
        self._change(id, {"position": place}, is_change=order != list(self.shown))
        self.shown = {each: self.shown[each] for each in order}

    @precondition(lambda self: self.shown)
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(list(self.shown)))
        key = self._free_key()
        self._change(id, {"key": key}, is_change=True)
        self.shown[id].key = key

    @precondition(lambda self: self.shown)
    @rule(data=st.data(), unique=st.booleans())
    def make_unique(self, data: st.DataObject, unique: bool) -> None:
        id = data.draw(st.sampled_from(list(self.shown)))
        column = self.shown[id]
        if unique and column.has_repeated:
            with pytest.raises(Duplicates):
                self._change(id, {"unique": True}, is_change=False)
        else:
            self._change(id, {"unique": unique}, is_change=unique != column.unique)
            column.unique = unique

    @precondition(lambda self: self.shown)
    @rule(data=st.data(), type=TYPES, is_dry_run=st.booleans())
    def change_type(self, data: st.DataObject, type: str, is_dry_run: bool) -> None:
        id = data.draw(st.sampled_from(list(self.shown)))
        before = self.shown[id]
        after = Expected(before.key, type, before.unique, before.converted(type))
        if before.unique and after.has_repeated:
            with pytest.raises(Duplicates):
                self._change(id, {"type": type}, is_change=False, is_dry_run=is_dry_run)
            return
        is_change = type != before.type and not is_dry_run
        self._change(id, {"type": type}, is_change=is_change, is_dry_run=is_dry_run)
        if is_change:
            self.shown[id] = after
            original = Column.objects.hidden().get(original_of__uid=id, number=self._newest_original(id))
            self.hidden[str(original.uid)] = Expected(before.key, before.type, False, before.values)

    @rule(data=st.data())
    def create_row(self, data: st.DataObject) -> None:
        values = {id: data.draw(st.sampled_from(VALUES[each.type])) for id, each in self.shown.items()}
        item = {self.shown[id].key: value for id, value in values.items()}
        table = find_table(self.uid)
        if any(each.unique and values[id] in each.present for id, each in self.shown.items()):
            with pytest.raises(UniqueConflict):
                rows.create_rows(table=table, items=[item], caller=EVERYTHING, origin=COMMAND_LINE)
            return
        [row] = rows.create_rows(table=table, items=[item], caller=EVERYTHING, origin=COMMAND_LINE).rows
        self.rows.append(row["id"])
        for id, column in (self.shown | self.hidden).items():
            column.values[row["id"]] = values.get(id)

    @precondition(lambda self: self.rows and self.shown)
    @rule(data=st.data())
    def update_row(self, data: st.DataObject) -> None:
        row, id = data.draw(st.sampled_from(self.rows)), data.draw(st.sampled_from(list(self.shown)))
        column = self.shown[id]
        value = data.draw(st.sampled_from(VALUES[column.type]))
        changes = [(row, {column.key: value})]
        is_taken = column.unique and value in column.present and column.values[row] != value
        if is_taken:
            with pytest.raises(UniqueConflict):
                rows.update_rows(table=find_table(self.uid), changes=changes, caller=EVERYTHING, origin=COMMAND_LINE)
            return
        rows.update_rows(table=find_table(self.uid), changes=changes, caller=EVERYTHING, origin=COMMAND_LINE)
        column.values[row] = value

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def delete_row(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(self.rows))
        rows.delete_row(table=find_table(self.uid), id=row, caller=EVERYTHING, origin=COMMAND_LINE)
        self.rows.remove(row)
        for column in (self.shown | self.hidden).values():
            del column.values[row]

    @invariant()
    def columns_are_as_expected(self) -> None:
        found = Column.objects.filter(table__uid=self.uid)
        shown = [(str(each.uid), each.key, each.type, each.unique) for each in found.visible()]
        assert shown == [(id, each.key, each.type, each.unique) for id, each in self.shown.items()]
        assert {str(each.uid) for each in found.hidden()} == self.hidden.keys()

    @invariant()
    def values_have_survived(self) -> None:
        table = find_table(self.uid)
        for column in Column.objects.filter(table=table):
            found = dict(Definition(table, [column]).rows().values_list("pk", column.db_column))
            assert found == (self.shown | self.hidden)[str(column.uid)].values

    @invariant()
    def versions_are_events(self) -> None:
        told = Event.objects.filter(subject=self.uid, type="api.dataTable_updated").count()
        assert find_table(self.uid).version == 1 + self.updates == 1 + told

    def teardown(self) -> None:
        assert inspect().flaws == []

    def _change(self, id: str, changes: dict[str, Any], *, is_change: bool, is_dry_run: bool = False) -> None:
        change = ColumnChange(changes, nulls_unconvertible=True, is_dry_run=is_dry_run)
        columns.change_column(table=find_table(self.uid), id_or_key=id, change=change, origin=COMMAND_LINE)
        self.updates += is_change

    def _free_key(self) -> str:
        self.keys_made += 1
        return f"key_{self.keys_made}"

    def _newest_original(self, id: str) -> int:
        return max(Column.objects.filter(original_of__uid=id).values_list("number", flat=True))


@pytest.mark.django_db
def test_values_survive_and_versions_are_events_whatever_the_schedule():
    run_state_machine_as_test(
        Schedule,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            phases=[Phase.generate],  # to shrink a schedule takes minutes; what fails is told as it was found
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
