"""What a column is, from all its values: never something that would give one of them back otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datahub.column_types import BY_NAME
from datahub.inference import Guess, JsonGuess, TextGuess


def guessed(*batches: list[str]) -> Guess:
    guess = TextGuess()
    for batch in batches:
        guess.see(batch)
    return guess.guess()


def guessed_of_json(*cells: object) -> str:
    guess = JsonGuess()
    guess.see(cells)
    return guess.guess().type


@pytest.mark.parametrize(
    ("cells", "type"),
    [
        (["true", "false"], "boolean"),
        (["TRUE", "False", ""], "boolean"),
        (["yes", "no"], "text"),
        (["0", "1"], "integer"),
        (["0", "-5", "123456789012345"], "integer"),
        (["1", "true"], "text"),
        (["007"], "text"),
        (["-07"], "text"),
        (["00.5"], "text"),
        (["+1"], "text"),
        (["-0"], "text"),
        (["1_000"], "text"),
        ([" 1"], "text"),
        (["1e5"], "text"),
        ([".5"], "text"),
        (["5."], "text"),
        (["٣"], "text"),
        (["1234567890123456"], "text"),
        (["0.5", "-0.5", "1"], "decimal"),
        (["12345678901", "0.12345"], "text"),
        (["0.12345678901"], "text"),
        (["NaN"], "text"),
        (["2026-11-24", ""], "date"),
        (["2026-02-30"], "text"),
        (["2026-11-24T09:30:00Z", "2026-11-24 09:30:00.5+02:00"], "dateTime"),
        (["2026-11-24T09:30:00"], "text"),
        (["0001-01-01T00:00:00+14:00"], "text"),
        (["2026-11-24T09:30:00.123456789Z"], "text"),
        (["2026-11-24", "2026-11-24T09:30:00Z"], "text"),
        (["ann@example.com"], "text"),
        (["x" * 255], "text"),
        (["x" * 256], "longText"),
        (["", ""], "text"),
        ([], "text"),
    ],
)
def test_the_narrowest_type_that_holds_all_values_is_taken(cells: list[str], type: str):
    assert guessed(cells).type == type


def test_the_scale_of_a_decimal_is_the_longest_there_is():
    assert guessed(["1.5"], ["2.250", "3"]).options == {"scale": 3}


def test_a_value_of_a_later_batch_counts_as_well():
    assert guessed(["1", "2"], ["x"]).type == "text"
    assert guessed(["x"], ["y" * 300]).type == "longText"


def test_numbers_that_do_not_fit_one_column_stay_text():
    assert guessed(["123456789012"], ["0.1234"]).type == "text"


CELLS = st.one_of(
    st.from_regex(r"[+-]?[0-9]{0,4}(\.[0-9]{0,12})?", fullmatch=True),
    st.sampled_from(["true", "false", "", "2026-11-24", "2026-11-24T09:30:00Z", "007", "-0.0", "1e3"]),
    st.dates().map(str),
    st.text(max_size=5),
)


@given(st.lists(CELLS, max_size=8))
def test_the_type_holds_every_value_that_it_was_guessed_from(cells: list[str]):
    column = guessed(cells)
    type = BY_NAME[column.type](column.options)

    for cell in cells:
        if cell and "\0" not in cell:
            type.parse(cell)


@given(st.lists(st.from_regex(r"[+-]?[0-9]{0,4}(\.[0-9]{0,3})?", fullmatch=True), max_size=5))
def test_a_number_that_is_taken_for_one_is_given_back_but_for_zeros_at_its_end(cells: list[str]):
    column = guessed(cells)
    type = BY_NAME[column.type](column.options)

    for cell in filter(None, cells):
        shown = type.write(type.parse(cell))
        assert shown == cell or (column.type == "decimal" and shown.startswith(cell) and not shown.strip(cell + ".0"))


@pytest.mark.parametrize(
    ("cells", "type"),
    [
        ((True, None), "boolean"),
        ((1, 2), "integer"),
        ((1, 2.5), "decimal"),
        ((1.0,), "integer"),
        ((1e300,), "json"),
        ((12345678901234567,), "json"),
        ((1, True), "json"),
        (("1", "2"), "text"),
        (("2026-11-24",), "date"),
        (("2026-11-24", ""), "text"),
        (("true",), "text"),
        (("x" * 300,), "longText"),
        (([1],), "json"),
        (({"a": 1}, "a"), "json"),
        ((None,), "text"),
    ],
)
def test_json_tells_its_types_itself(cells: tuple[object, ...], type: str):
    assert guessed_of_json(*cells) == type
