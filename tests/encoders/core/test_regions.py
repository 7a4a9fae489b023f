"""Groups of units that mean the same in all people."""

import numpy as np
import pytest

from neurodecode.data import Responses
from neurodecode.encoders.core.regions import (
    Regions,
    part_means,
    region_columns,
    unit_columns,
)


def person(name="anna", n=60, labels=True, seed=0, **changes):
    rng = np.random.default_rng(seed)
    facts = {"positions": rng.uniform(-50, 50, size=(n, 3))}
    if labels:
        facts["units"] = rng.choice(["V1", "V2", "LO"], size=n)
    return Responses(rng.normal(size=(5, n)), range(5), name, "fmri", **(facts | changes))


def test_labels_are_split_at_the_midline():
    one = person()
    regions = Regions.learn([one, person("ben", 44, seed=1)])
    assert regions.names == ("LO", "V1", "V2")
    assert len(regions) == 6
    group = regions.group_of(one)
    for i, (label, place) in enumerate(zip(one.units, one.positions, strict=True)):
        assert group[i] == 2 * regions.names.index(label) + (place[0] > 0)


def test_labels_without_positions_are_whole():
    one = person(positions=None)
    assert len(Regions.learn([one])) == 3


def test_places_are_nearest_centres():
    one = person(labels=False)
    regions = Regions.learn([one], n_places=4)
    distance = np.linalg.norm(one.positions[:, None] - regions.centres, axis=2)
    assert regions.group_of(one).tolist() == distance.argmin(1).tolist()


def test_columns_of_all_regions_are_all_columns():
    one = person()
    columns = region_columns(Regions.learn([one]), one)
    assert sorted(np.concatenate(columns).tolist()) == list(range(60))
    assert all((np.diff(each) > 0).all() for each in columns)


def test_a_label_that_nobody_had_belongs_nowhere():
    one = person()
    regions = Regions.learn([one])
    odd = person("ben", units=np.repeat("FFA", 60))
    assert (regions.group_of(odd) == -1).all()
    assert all(len(each) == 0 for each in region_columns(regions, odd))


def test_series_have_all_samples_of_a_unit():
    one = Responses(np.zeros((2, 3, 4)), ["a", "b"], "anna", "fmri", dims=("trial", "tr", "parcel"))
    columns = unit_columns(one)
    assert columns.shape == (4, 3)
    flat = np.arange(12).reshape(3, 4)
    assert columns[1].tolist() == flat[:, 1].tolist()


def test_means_of_regions_and_their_quarters():
    one = person()
    regions = Regions.learn([one])
    weights = part_means(regions, one).reshape(60, 6, 13)
    group = regions.group_of(one)
    for region in range(6):
        inside = group == region
        np.testing.assert_allclose(weights[inside, region, 0], 1 / inside.sum(), rtol=1e-6)
        assert (weights[~inside, region] == 0).all()
        low = weights[:, region, 1] > 0  # the first quarter along x
        rest = inside & ~low
        assert one.positions[low, 0].max() < one.positions[rest, 0].min()
        assert abs(int(low.sum()) - inside.sum() / 4) <= 1
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-5)


def test_neither_labels_nor_positions_is_refused():
    bare = person(labels=False, positions=None)
    with pytest.raises(ValueError, match="anna") as error:
        Regions.learn([bare])
    assert str(error.value) == (
        "Responses of subject 'anna' have neither region labels in units nor positions, so nobody "
        "knows which units of people belong together. Give one of them, or use CalibratedRidge."
    )
    with pytest.raises(ValueError, match="region labels") as error:
        Regions.learn([person()]).group_of(person(labels=False))
    assert str(error.value) == (
        "Responses of subject 'anna' have no region labels in units, by which groups were made. "
        "Give the labels that the other people have."
    )
