"""Ids and how they are named in messages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neurodecode.data import as_ids, find_rows, listing


def test_ids_become_read_only_text():
    ids = as_ids("stimulus", [3, "a"])
    assert ids.tolist() == ["3", "a"]
    with pytest.raises(ValueError, match="read-only"):
        ids[0] = "b"


def test_a_wrong_number_of_ids_is_refused():
    with pytest.raises(ValueError) as error:
        as_ids("run", [1, 2], 3)
    assert str(error.value) == (
        "run names 2 rows but the values have 3. Give one run id for each row."
    )


@pytest.mark.parametrize("absent", [None, float("nan"), "nan", "", "  ", pd.NA])
def test_an_id_that_is_missing_is_refused(absent):
    with pytest.raises(ValueError) as error:
        as_ids("stimulus", ["a", absent, absent])
    assert str(error.value) == (
        f"2 of 3 stimulus ids are missing (first: row 1, {str(absent)!r}). Give every row an id, "
        f"or leave those rows out."
    )


def test_labels_may_be_blank_but_not_missing():
    assert as_ids("sentiment", ["", "good"], blank=True).tolist() == ["", "good"]
    with pytest.raises(ValueError, match=r"1 of 2 sentiment ids are missing \(first: row 0"):
        as_ids("sentiment", [float("nan"), "good"], blank=True)


def test_missing_ids_are_counted_once_each():
    with pytest.raises(ValueError) as error:
        find_rows(np.array(["a", "b"]), ["a", "x", "x", "y"], what="embeddings")
    assert str(error.value) == (
        "2 of 3 stimulus ids are not among the 2 embeddings ('x', 'y'). "
        "Drop them with .select(), or add them."
    )


def test_ambiguous_ids_are_refused():
    with pytest.raises(ValueError, match=r"1 ids stand in several rows \('a'\). Average the"):
        find_rows(np.array(["a", "b", "a"]), ["b"], what="embeddings")


def test_rows_of_none():
    assert find_rows(np.array(["a"]), [], what="embeddings").tolist() == []
    assert find_rows(np.array([], dtype=str), [], what="embeddings").tolist() == []


def test_long_listings_are_cut():
    assert listing("abcdefg", 3) == "'a', 'b', 'c' and 4 more"
    assert listing([]) == ""
