from __future__ import annotations

from importlib import import_module

import pytest

from neurodecode.datasets import CATALOGUE


@pytest.mark.parametrize("dataset", CATALOGUE, ids=lambda dataset: dataset.name)
def test_every_data_set_names_a_reader_that_exists_and_says_everything(dataset):
    module, function = dataset.reader.rsplit(".", 1)
    assert callable(getattr(import_module(module), function))
    for part in ("title", "licence", "size", "layout", "obtain"):
        assert getattr(dataset, part).strip()


def test_names_are_unique():
    names = [dataset.name for dataset in CATALOGUE]
    assert len(names) == len(set(names))
