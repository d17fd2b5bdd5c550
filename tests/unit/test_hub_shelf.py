"""The shelf's table, walked."""

import pytest

from playground.hub.page import parse_repo
from playground.hub.shelf import Entry, read_shelf

SHELF = read_shelf()


@pytest.mark.parametrize("entry", SHELF.entries, ids=lambda entry: entry.repo)
def test_a_row(entry: Entry) -> None:
    assert parse_repo(entry.repo) == (entry.repo, "")
    assert entry.size in [size.name for size in SHELF.sizes]
    assert entry.licence == entry.licence.lower()
    assert 0 < entry.active <= entry.n_params
    assert entry.why[0].isupper()
    assert entry.why.endswith(".")
    assert len(entry.why) <= 100


def test_each_size_has_several_families_and_no_model_stands_twice() -> None:
    for size in SHELF.sizes:
        assert len({entry.family for entry in SHELF.of(size)}) >= 2, size.name
    assert len({entry.repo for entry in SHELF.entries}) == len(SHELF.entries)


def test_models_stand_by_size() -> None:
    order = [size.name for size in SHELF.sizes]
    rows = [(order.index(entry.size), entry.n_params) for entry in SHELF.entries]
    assert rows == sorted(rows)
