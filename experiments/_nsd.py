"""What the three NSD experiments learn from: people in a layout, few trials, plain ridge.

With ``--twin`` four simulated people are written in the layout, prepared into a store and read back
as real ones would be. Everything that comes of them is called simulated. `experiments._nsd_scores`
makes scores of predictions, `experiments._nsd_pictures` draws them, and `experiments._nsd_study`
runs an experiment over its seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode import store
from neurodecode.data import Embeddings, Responses, Split, Stimuli
from neurodecode.datasets import nsd
from neurodecode.encoders import Ridge
from neurodecode.evidence import noise_responses
from neurodecode.targets import OpenClip
from neurodecode.twin.layouts import nsd as layouts

Writer = Callable[[Path, layouts.NsdDesign, Sequence[Responses]], Path]
Way = Callable[[Responses], Embeddings]
"""From one person's trials to one prediction a stimulus."""
WRITERS: dict[str, Writer] = {
    "raw": lambda root, design, people: layouts.write_raw(
        root, design, people, form="hdf5", picture_size=64, voxel_mm=4.0
    ),
    "webdataset": lambda root, design, people: layouts.write_webdataset(
        root, design, people, picture_size=64, n_validation=design.n_own // 10
    ),
    "mindeye2": lambda root, design, people: layouts.write_mindeye(
        root, design, people, picture_size=64
    ),
}
TEST_SETS = {
    "old": "old: 982 pictures, 37 sessions",
    "new": "new: 1000 pictures, 40 sessions",
}


@dataclass(frozen=True, eq=False)
class Data:
    """What one seed (or the real data set) gives.

    Parameters
    ----------
    people : list of Responses
    stimuli : Stimuli
    split : Split
    targets : dict of str to Embeddings
        The first is what is decoded and compared.
    seed : int
    simulated : bool
    columns : dict
        What a leaderboard must say of the data: sessions, test set.
    """

    people: list[Responses]
    stimuli: Stimuli
    split: Split
    targets: dict[str, Embeddings]
    seed: int = 0
    simulated: bool = True
    columns: dict[str, Any] = field(default_factory=dict)

    @property
    def main(self) -> Embeddings:
        """The first target."""
        return next(iter(self.targets.values()))

    def test(self, person: Responses) -> Responses:
        """A person's test trials."""
        return self.split.part(person, "test")


def simulated(folder: Path, layout: str, design: layouts.NsdDesign, n_voxels: int) -> Data:
    """Simulated people in a layout, through the store; targets by the shipped CLIP."""
    WRITERS[layout](folder / layout, design, design.people(n_voxels))
    opened = nsd.LAYOUTS[layout](folder / layout)
    written = nsd.prepare(opened, folder / "store", dtype="float32")
    people = [store.load(path) for path in written.values()]
    stimuli = opened.stimuli()
    targets = {"clip": OpenClip().embed(stimuli)}
    if stimuli.captions:
        targets["text"] = OpenClip(layer="text").embed(nsd.captioned(stimuli))
    columns = {
        "sessions": design.n_sessions,
        "test_set": f"simulated: {design.n_shared} shared pictures, {design.n_sessions} sessions",
    }
    split = nsd.official_split(people)
    return Data(people, stimuli, split, targets, design.seed, columns=columns)


def recorded(root: Path, layout: str, out: Path, clip: Path, test_set: nsd.TestSet) -> Data:
    """Real people from a layout; ``clip`` is a local CLIP whose image tokens are the target.

    Raises
    ------
    ValueError
        If the layout does not have that test set.
    """
    opened = open_layout(root, layout, test_set)
    written = nsd.prepare(opened, out / f"store-{test_set}")
    people = [store.load(path) for path in written.values()]
    stimuli = opened.stimuli()
    seen = stimuli.select(sorted({one for person in people for one in person.stimulus.tolist()}))
    targets = {"clip": OpenClip(str(clip), layer="tokens").embed(seen)}
    if seen.captions:
        said = nsd.captioned(seen)
        targets["text"] = OpenClip(str(clip), layer="text_tokens").embed(said)
    columns = {"sessions": _sessions(people, test_set), "test_set": TEST_SETS[test_set]}
    split = nsd.official_split(people)
    return Data(people, seen, split, targets, simulated=False, columns=columns)


def open_layout(root: Path, layout: str, test_set: nsd.TestSet) -> nsd.NsdLayout:
    """A layout with one of the two test sets, which only raw NSD and MindEye2 both have."""
    if layout == "raw":
        return nsd.RawNsd(root, test_set=test_set)
    if layout == "mindeye2":
        return nsd.MindEyeArrays(root, test_set=test_set)
    if test_set != "old":
        raise ValueError(
            f"The layout '{layout}' has the old test set alone (982 pictures, 37 sessions); give "
            f"--test_set old, or take raw NSD or MindEye2's release."
        )
    return nsd.LAYOUTS[layout](root)


def few(data: Data, person: Responses, n_pictures: int) -> Responses:
    """A person with the first of their training pictures only; none is held back to validate.

    First in the order of the layout: that of time in raw NSD and MindEye2's release, none that
    means anything in ``webdataset_avg_split``.

    Raises
    ------
    ValueError
        If the person has fewer training pictures.
    """
    seen = list(dict.fromkeys(data.split.part(person, "train").stimulus.tolist()))
    if n_pictures > len(seen):
        raise ValueError(
            f"{person.subject} has {len(seen)} training pictures; {n_pictures} were asked for."
        )
    return person.select(seen[:n_pictures])


def first_session(data: Data, person: Responses) -> Responses:
    """A person's first session, less the test pictures ("one hour" of MindEye2)."""
    seen = data.split.seen(person)
    session = seen.groups("session")
    return seen.take(session == min(session.tolist(), key=int))


def n_learned(data: Data, person: Responses) -> int:
    """How many pictures of a person may be learned from."""
    return len(np.unique(data.split.seen(person).stimulus))


def ridge_of(person: Responses, target: Embeddings, split: Split) -> Ridge:
    """Plain ridge on one person's averaged training pictures."""
    seen = split.seen(person).average_repeats()
    fitted: Ridge = Ridge().fit(seen, target, split.blind())
    return fitted


def ridge_way(data: Data, learned: Responses) -> Way:
    """Plain ridge, learned from these responses and given the mean of the repeats."""
    plain = ridge_of(learned, data.main, data.split)
    return lambda trials: plain.predict(trials.average_repeats())


def first_trials(responses: Responses) -> NDArray[np.intp]:
    """The first trial of each stimulus."""
    return np.sort(np.unique(responses.stimulus, return_index=True)[1])


def on_first_trial(way: Way) -> Way:
    """The same, given the first trial of each stimulus only."""
    return lambda trials: way(trials.take(first_trials(trials)))


def on_noise(way: Way, data: Data, person: Responses) -> Way:
    """The same, given noise of the training trials' mean and spread in place of the brain."""
    seen = data.split.part(person, "train")
    return lambda trials: way(noise_responses(trials, seen, seed=data.seed))


def _sessions(people: Sequence[Responses], test_set: str) -> Any:
    counted = {
        one.subject: len(np.unique(one.session)) for one in people if one.session is not None
    }
    return counted or {"new": 40, "old": 37}[test_set]
