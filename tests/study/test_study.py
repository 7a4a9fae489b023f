from __future__ import annotations

import pytest

from neurodecode.encoders import Ridge
from neurodecode.study import (
    KnownNew,
    NewSubject,
    Pooled,
    Source,
    Study,
    Within,
    better,
    check_study,
)
from tests.study import toy


def test_cells_are_seed_by_protocol_by_unit_by_contender():
    names = [cell.name for cell in toy.study().cells()]
    assert len(names) == len(set(names)) == 2 * (3 + 1 + 3) * 2
    assert names[0] == "seed-0__within_subject__ridge__anna"


def test_key_changes_with_data_configuration_and_seed_and_not_otherwise():
    keys = {cell.name: cell.key for cell in toy.study().cells()}
    assert keys == {cell.name: cell.key for cell in toy.study().cells()}
    other = {cell.name: cell.key for cell in toy.study(noise=0.6).cells()}
    assert not set(keys.values()) & set(other.values())
    assert len(set(keys.values())) > len(keys) / 4  # contenders, protocols and seeds differ


def test_alone_contenders_have_no_part_where_nothing_of_a_person_is_known():
    from neurodecode.study import Contender

    contenders = {"pooled": Ridge(), "own": Contender(Ridge(), alone=True)}
    study = Study("s", "?", toy.source(), contenders, [NewSubject((0, 5))])
    kinds = {(cell.unit.protocol, cell.contender) for cell in study.cells()}
    assert ("new_subject_0", "own") not in kinds
    assert ("new_subject_5", "own") in kinds


@pytest.mark.parametrize("what", ["contenders", "protocols", "seeds"])
def test_nothing_to_do_is_refused(what):
    given = {"contenders": {"r": Ridge()}, "protocols": [Pooled()], "seeds": (0,)} | {what: ()}
    with pytest.raises(ValueError, match=f"The study 's' has no {what}; give one or more."):
        Study("s", "?", toy.source(), **given)


def test_modality_that_a_contender_cannot_take_is_told_before_work():
    class OnlyMeg(Ridge):
        modalities = ("meg",)

    study = Study("s", "?", toy.source(), {"deep": OnlyMeg()}, [Pooled()])
    with pytest.raises(ValueError) as error:
        check_study(study)
    assert str(error.value) == (
        "The contender 'deep' (OnlyMeg) takes meg, but 'toy' is fmri. Leave it out, or take "
        "another source."
    )


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (better("x", "ridge", "two_way", "pooled"), "names the contender 'x'; the study has ridge"),
        (better("ridge", "ridge", "two_way", "x"), "names the protocol 'x'; the study has pooled"),
    ],
)
def test_claims_about_what_is_not_there_are_refused(claim, said):
    study = Study("s", "?", toy.source(), {"ridge": Ridge()}, [Pooled()], claims=[claim])
    with pytest.raises(ValueError, match=said):
        check_study(study)


def test_new_subject_needs_others():
    with pytest.raises(ValueError, match="A new subject needs others to learn from; 'anna' can't"):
        NewSubject().units(["anna"])


def test_source_that_reads_others_than_it_names_is_refused(tmp_path):
    source = Source("toy", toy.read, ["anna", "dora"], "fmri")
    with pytest.raises(ValueError, match="names the people anna, dora but read anna, ben, cleo"):
        source.material(0, tmp_path)


def test_known_new_keeps_people_and_stimuli_apart_as_named(tmp_path):
    material = toy.source().material(0, tmp_path)
    protocol = KnownNew(["anna"])
    for unit in protocol.units(toy.SUBJECTS):
        case = protocol.case(material, unit, 0)
        [split] = case.splits
        [tested] = case.tested
        test = set(split.part(tested, "test").stimulus.tolist())
        seen = {one for person in case.known for one in split.seen(person).stimulus.tolist()}
        own = [person for person in case.known if person.subject == "anna"]
        assert bool(own) == unit.protocol.startswith("known_subject")
        assert bool(test <= seen) == unit.protocol.endswith("known_stimulus")
        assert not (test & seen) or unit.protocol.endswith("known_stimulus")
        for person in own:  # never the person's own trials of a tested stimulus
            assert not test & set(split.seen(person).stimulus.tolist())


def test_a_known_subject_learns_the_same_whatever_is_tested(tmp_path):
    material, protocol = toy.source().material(0, tmp_path), KnownNew(["anna"])
    seen = []
    for unit in protocol.units(toy.SUBJECTS)[:2]:  # known subject: known and new stimulus
        case = protocol.case(material, unit, 0)
        [split] = case.splits
        [own] = [person for person in case.known if person.subject == "anna"]
        seen.append(sorted(set(split.seen(own).stimulus.tolist())))
    assert seen[0] == seen[1]


def test_within_learns_from_the_person_alone(tmp_path):
    material = toy.source().material(0, tmp_path)
    case = Within().case(material, Within().units(toy.SUBJECTS)[1], 0)
    assert [person.subject for person in case.known] == ["ben"]
