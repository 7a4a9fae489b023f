"""Central lines, changed one by one: does a test fail? Run by hand, not by default.

    python -m tests.mutations [--jobs 2] [--only nulls]

Each line of `CHANGES` is a file, the words that stand in it once, what is put there, and the tests
that must see it. Copies of the checkout are changed, never the checkout itself. What survives is
printed, and the exit code is their number. ``tests/test_mutations.py`` keeps the list in step with
the code. Cost: about 25 minutes of one core for all.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIMIT_S = 400


@dataclass(frozen=True)
class Change:
    """One change of one line, and the tests that must fail."""

    name: str
    file: str
    before: str
    after: str
    tests: str

    def text(self, root: Path) -> str:
        """The changed file.

        Raises
        ------
        ValueError
            If the words do not stand in it exactly once.
        """
        whole = (root / self.file).read_text(encoding="utf-8")
        if whole.count(self.before) != 1:
            raise ValueError(
                f"{self.name}: '{self.before}' stands {whole.count(self.before)} times in "
                f"{self.file}; it must stand once. Bring tests/mutations.py up to date."
            )
        return whole.replace(self.before, self.after)


_NULLS, _INTERVALS = "neurodecode/statistics/_nulls.py", "neurodecode/statistics/_intervals.py"
_VARIANCE, _ITEMS = "neurodecode/statistics/_variance.py", "neurodecode/evidence/_items.py"
_RANK, _PAIRS = "neurodecode/metrics/retrieval.py", "neurodecode/metrics/identification.py"
_FOLDS, _BLIND = "neurodecode/pipeline/_folds.py", "neurodecode/pipeline/_blind.py"
_SUSPECT, _JUDGE = "neurodecode/pipeline/_suspicions.py", "neurodecode/pipeline/_judging.py"
_VERDICT, _LOOKS = "neurodecode/evidence/_verdict.py", "neurodecode/evidence/_looks.py"
_CONTROLS, _CHECKPOINT = "neurodecode/evidence/_controls.py", "neurodecode/training/_checkpoint.py"
_LEAKS, _LEARNED = "neurodecode/pipeline/_leaks.py", "neurodecode/data/_learned.py"
_CLASS, _TRIALS = "neurodecode/pipeline/_class_scoring.py", "neurodecode/pipeline/_class_trials.py"
_NARROW, _CEILING = "neurodecode/store/_narrow.py", "preprocessing/fmri/ceiling.py"
_RUN, _SPLIT = "encoders/core/run.py", "neurodecode/data/_split.py"
_STUDY = "neurodecode/study"

_T_NULLS = "tests/statistics/test_nulls.py"
_T_INTERVALS = "tests/statistics/test_intervals.py tests/statistics/test_variance.py"
_T_CHEATS = "tests/pipeline/test_cheats.py"
_T_VERDICT = "tests/evidence/test_verdict.py"
_T_CLASSIFY = "tests/pipeline/test_classify.py tests/pipeline/test_class_ids.py"
_T_DECODE = "tests/pipeline/test_decode.py"

CHANGES = tuple(
    Change(*one)
    for one in (
        # nulls and p-values
        ("p without the observed", _NULLS, "float((1 + as_good.sum()) / (1 + len(", "float((0 + as_good.sum()) / (1 + len(", _T_NULLS),
        ("p the wrong way", _NULLS, "as_good = self.values >= observed - slack", "as_good = self.values <= observed - slack", _T_NULLS),
        ("p of lower scores", _NULLS, "as_good = self.values <= observed + slack", "as_good = self.values >= observed + slack", _T_NULLS),
        ("no slack for rounding", _NULLS, "slack = 1e-12 + 1e-10 * abs(observed)", "slack = -1e-9 * abs(observed)", _T_NULLS),
        ("p of not-a-number", _NULLS, "if not np.isfinite(observed):", "if False:", _T_NULLS),
        ("null not finite", _NULLS, "        if bad:\n", "        if False:\n", _T_NULLS),
        ("groups ignored", _NULLS, "return [np.flatnonzero(labels == one) for one in np.unique(labels)]", "return [np.arange(n_items)]", _T_NULLS),
        ("observed order among all", _NULLS, "if not np.array_equal(order, same):", "if True:", _T_NULLS),
        ("shift by nothing", _NULLS, "np.roll(members[row], min_shift + extra)", "np.roll(members[row], extra)", _T_NULLS),
        ("not widened", _NULLS, "values=mean + np.sqrt(inflation) * (self.values - mean)", "values=self.values", _T_NULLS),
        # intervals
        ("normal for t", _INTERVALS, "half = quantile * variance.standard_error", "half = 1.0 * variance.standard_error", _T_INTERVALS),
        ("people drawn though few", _INTERVALS, "return within if self.few_people else crossed(", "return within if not self.few_people else crossed(", _T_INTERVALS),
        ("shares by t", _INTERVALS, "    if share:\n        worth", "    if False:\n        worth", _T_INTERVALS),
        ("equal differences widen", _INTERVALS, "return Interval(mean, mean, level,", "return Interval(mean - 1.0, mean + 1.0, level,", _T_INTERVALS),
        ("not finite in intervals", _INTERVALS, "if not np.isfinite(values).all():", "if False:", _T_INTERVALS),
        ("scope says all", _INTERVALS, "return f\"other stimuli of the same kind in {who}; nothing follows for other people\"", "return \"everybody\"", _T_INTERVALS + " tests/evidence"),
        ("clusters by n", _VARIANCE, "n_clusters / (n_clusters - 1) / len(values) ** 2", "n_clusters / (n_clusters - 1) / n_clusters / len(values)", _T_INTERVALS),
        ("strata means stay", _VARIANCE, "apart = values - (sums(values, stratum) / np.bincount(stratum))[stratum]\n    total =", "apart = values - values.mean()\n    total =", _T_INTERVALS),
        ("people without their own", _VARIANCE, "total = of_people + of_stimuli", "total = of_stimuli", _T_INTERVALS),
        ("folds add nothing", "neurodecode/statistics/_folds.py", "return 1.0 + linear_share(values)\n", "return 1.0\n", "tests/statistics"),
        # items
        ("runs ignored in nulls", _ITEMS, "for one in (\"subject\", \"run\") if getattr(self, one) is not None)\n        if self.n_folds", "for one in (\"subject\",) if getattr(self, one) is not None)\n        if self.n_folds", "tests/evidence/test_items.py tests/pipeline/test_nulls.py"),
        ("films permuted", _ITEMS, "        if self.time is not None:\n            return self._shifted(", "        if False:\n            return self._shifted(", "tests/evidence/test_items.py"),
        ("p where nothing moves", _ITEMS, "if self.movable == 0:", "if False:", "tests/evidence/test_items.py"),
        ("films by items", _ITEMS, "return Sampling(self.subject, cluster, self.time, self.run)", "return Sampling(self.subject, cluster, None, self.run)", "tests/evidence/test_items.py"),
        # metrics
        ("ties win", _RANK, "return np.asarray((strict + loose) / 2.0)", "return np.asarray(strict / 1.0)", "tests/metrics/test_retrieval.py"),
        ("own repeats compete", _RANK, "distractor = ~same_rows(x, others)", "distractor = np.ones((len(x), len(others)), bool)", "tests/metrics/test_retrieval.py"),
        ("top-k one too many", _RANK, "candidates=candidates) <= k - 1)", "candidates=candidates) <= k)", "tests/metrics/test_retrieval.py"),
        ("draws with ties", _RANK, "- TIE).sum(axis=1) == 1", "- TIE).sum(axis=1) >= 1", "tests/metrics/test_retrieval.py"),
        ("two-way ties win", _PAIRS, "won = (matrix < own[:, None] - TIE) & distractor", "won = (matrix <= own[:, None] + TIE) & distractor", "tests/metrics/test_identification.py"),
        ("two-way counts itself", _PAIRS, "return np.asarray(below / (similarity.shape[1] - 1))", "return np.asarray(below / similarity.shape[1])", "tests/metrics/test_identification.py"),
        ("mean kept", _PAIRS, "return np.asarray(rows - check_finite(mean[None]", "return np.asarray(rows - 0 * check_finite(mean[None]", "tests/metrics/test_identification.py"),
        # folds and leaks
        ("fit sees test ids", _FOLDS, "one.fit(given, goal.for_fit(ids), split.blind())", "one.fit(given, goal.for_fit(ids), split)", _T_DECODE),
        ("fit sees test trials", _FOLDS, "parts = [transformed(split.seen(person), learned) for person in people]", "parts = [transformed(person, learned) for person in people]", _T_DECODE + ""),
        ("folds share a folder", _FOLDS, "one.folder = str(Path(one.folder) / f\"fold-{number:02d}\")", "one.folder = str(one.folder)", "tests/pipeline tests/encoders/test_resume.py"),
        ("tested twice", _FOLDS, "if (times > 1).any():", "if False:", "tests/pipeline/test_decode.py"),
        ("run dropped in means", _FOLDS, "    if run is None or single:\n        return run", "    if run is None or not single:\n        return None if not single else run", "tests/pipeline/test_nulls.py"),
        ("not finite predictions", _FOLDS, "if not finite.all():", "if False:", "tests/pipeline/test_decode.py"),
        ("learned trials tested", _LEAKS, "                if n_seen:", "                if False:", "tests/pipeline/test_leaks.py"),
        ("validation not learned", _LEARNED, "known = split.mask(one, \"train\") | split.mask(one, \"validation\")", "known = split.mask(one, \"train\")", "tests/data/test_learned.py tests/pipeline/test_leaks.py tests/encoders/test_contract.py"),
        ("adapting forgets", _LEARNED, "np.union1d(self.keys, other.keys)", "self.keys", "tests/data/test_learned.py tests/encoders/test_contract.py"),
        ("other data go on", _CHECKPOINT, "    if other:\n", "    if False:\n", "tests/training/test_loop.py tests/encoders/test_resume.py"),
        ("data not in the run", _RUN, "**{f\"data of subject '{one.subject}'\": _data_hash(one) for one in seen},", "", "tests/encoders/test_resume.py tests/encoders/core"),
        ("split not in the run", _RUN, "\"split\": _hash(self.split.by, *parts),", "\"split\": \"\",", "tests/encoders/test_resume.py tests/encoders/core"),
        ("ids in two parts", _SPLIT, "            if shared:\n", "            if False:\n", "tests/data/test_split.py"),
        ("blind keeps test ids", _SPLIT, "return replace(self, test=np.array([], dtype=np.str_))", "return self", "tests/data/test_split.py"),
        # looks
        ("looks stand still", _LOOKS, "self._mirrored(key)) + 1", "self._mirrored(key)) or 1", "tests/evidence/test_looks.py"),
        ("mirror forgotten", _LOOKS, "return 0 if file is None else int(_read(file).get(key, 0))", "return 0", "tests/evidence/test_looks.py"),
        ("once counts each time", _LOOKS, "if self.once is not None and self.once in self._marks(key, ledger):", "if False:", "tests/study/test_conduct.py neurodecode/evidence/_looks.py"),
        ("other ranks count", _LOOKS, "if not is_first_process():", "if False:", "tests/evidence/test_looks.py"),
        # verdicts and suspicions
        ("shown without controls", _VERDICT, "above = comparison is not None and comparison.over_control.low > 0", "above = True", _T_VERDICT),
        ("shown by mean", _VERDICT, "comparison.over_control.low > 0\n    passed", "comparison.gain > 0\n    passed", _T_VERDICT),
        ("best control alone", _VERDICT, "low = min(one.low for one in ends.values())", "low = ends[best].low", _T_VERDICT),
        ("lower is better ignored", _VERDICT, "    sign = 1.0 if higher_is_better else -1.0\n    name, gain, over", "    sign = 1.0\n    name, gain, over", _T_VERDICT),
        ("suspicions ignored", _VERDICT, "word: Word = \"suspect\" if counted else", "word: Word = \"suspect\" if False else", _T_VERDICT),
        ("ids are told", _BLIND, "        stimulus=_numbers(\"trial\", len(trials)),\n        run=", "        stimulus=trials.stimulus,\n        run=", _T_CHEATS),
        ("table is told", _BLIND, "metadata={name: one for name, one in trials.metadata.items() if name in reads}", "metadata=dict(trials.metadata)", _T_CHEATS),
        ("names not checked", _SUSPECT, "        told = self._named()\n", "        told = self._named() and []\n", _T_CHEATS),
        ("order not checked", _SUSPECT, "return told or [*self._ordered()]", "return told", _T_CHEATS),
        ("deaf not seen", _SUSPECT, "_equal(said, noise.embeddings[head], rows) for head", "False for head", _T_CHEATS),
        ("run confound not seen", _JUDGE, "    if RUN_MEAN in known:\n", "    if False:\n", "tests/pipeline"),
        ("ceiling not seen", _VERDICT, "        if ends.low > 0:\n            found.append(", "        if False:\n            found.append(", _T_VERDICT),
        # controls
        ("shuffled keeps its own", _CONTROLS, "order[chain] = np.roll(chain, int(count.max()))", "order[chain] = chain", "tests/evidence/test_controls.py"),
        ("mean without counts", _CONTROLS, "weight = np.ones(len(train)) if counts is None else", "weight = np.ones(len(train)) if True else", "tests/evidence/test_controls.py"),
        ("noise of unit spread", _CONTROLS, "dtype=np.float32) * spread + mean", "dtype=np.float32) + mean", "tests/evidence/test_controls.py"),
        ("n_drawn takes the first", "neurodecode/pipeline/_decode.py", "return np.sort(rng.choice(n_items, protocol.n_drawn, replace=False)).astype(np.intp)", "return np.arange(protocol.n_drawn)", _T_DECODE),
        # classification
        ("blocks as trials", _CLASS, "null = of_blocks.null(lambda order: score(label[order][block]), seed=seed)", "null = test.items.null(lambda order: score(test.true[order]), seed=seed)", _T_CLASSIFY),
        ("classes over runs", _CLASS, "    if of_blocks.movable == 0:\n", "    if True:\n", _T_CLASSIFY),
        ("class named to encoders", _TRIALS, "names = [f\"{person.subject}/{row:05d}\" for row in range(len(person))]", "names = [f\"{one}/{row:05d}\" for row, one in enumerate(person.stimulus)]", _T_CLASSIFY),
        ("column of classes stays", _TRIALS, "for name, column in person.metadata.items() if name != by}", "for name, column in person.metadata.items()}", _T_CLASSIFY),
        # preprocessing, store
        ("ridge trains on validation", "encoders/ridge/estimator.py", "train = lazy_part(responses, split)", "train = split.seen(responses)", "tests/encoders/ridge"),
        ("ceiling of one repeat", _CEILING, "return np.asarray(100.0 * power / (power + np.mean(1.0 / n)))", "return np.asarray(100.0 * power / (power + 1.0))", "tests/preprocessing/fmri/test_ceiling.py"),
        ("noise over n", _CEILING, "(n - 1).sum()", "n.sum()", "tests/preprocessing/fmri/test_ceiling.py"),
        ("slices before", "preprocessing/fmri/glm.py", "times = run.times + slice_time_ref * run.tr_s", "times = run.times - slice_time_ref * run.tr_s", "tests/preprocessing/fmri/test_glm.py"),
        ("other layout goes on", "neurodecode/datasets/nsd/_prepared.py", "\"options\": options,", "\"options\": {},", "tests/datasets/nsd/test__prepared.py"),
        ("integers wrap", _NARROW, "        if len(lost):\n", "        if False:\n", "tests/store"),
        ("small values vanish", _NARROW, "    if kind.itemsize > 2:\n", "    if True:\n", "tests/store"),
        # files
        ("objects in fields", "neurodecode/files/pickles/_arrays.py", "if not isinstance(kind, np.dtype) or kind.hasobject:", "if False:", "tests/files/pickles"),
        ("objects over bytes", "neurodecode/files/pickles/_arrays.py", "if dtype.kind != \"O\" or type(content) is not list:", "if False:", "tests/files/pickles"),
        ("any name", "neurodecode/files/pickles/_machine.py", "            raise RefusalError(f\"a call of {called.module}.{called.name}\")", "            pass", "tests/files/pickles"),
        # studies
        ("other code goes on", f"{_STUDY}/_folder.py", "if kept.get(\"key\") != cell.key:", "if False:", "tests/study/test_conduct.py"),
        ("failed is done", f"{_STUDY}/_conduct.py", "            folder.fail(cell, error)\n            return False", "            return False", "tests/study/test_conduct.py"),
        ("claims by mean", f"{_STUDY}/_decide.py", "\"holds\" if interval.low > -margin", "\"holds\" if interval.high > -margin", "tests/study"),
        ("margin turned round", f"{_STUDY}/_decide.py", "interval.low > -margin", "interval.low > margin", "tests/study"),
        ("own trials of a known stimulus", f"{_STUDY}/_protocols.py", "part[np.isin(person.stimulus, held_out)] = \"unused\"", "pass", "tests/study/test_study.py"),
    )
)  # fmt: skip


def survivors(changes: Sequence[Change], jobs: int) -> list[Change]:
    """Changes that no test saw."""
    free: list[Path] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        free += [_copy(Path(folder) / str(number)) for number in range(jobs)]

        def survives(change: Change) -> bool:
            root = free.pop()
            try:
                return _survives(change, root)
            finally:
                free.append(root)

        alive = []
        for change, lives in zip(changes, pool.map(survives, changes), strict=True):
            sys.stdout.write(f"{'SURVIVES' if lives else 'falls   '} {change.name}\n")
            sys.stdout.flush()
            if lives:
                alive.append(change)
    return alive


def _copy(target: Path) -> Path:
    """The tracked files of this checkout, with its links."""
    told = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True
    )
    for name in told.stdout.decode().split("\0"):
        source = ROOT / name
        if not name or not (source.is_file() or source.is_symlink()):
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target / name, follow_symlinks=False)
    return target


def _survives(change: Change, root: Path) -> bool:
    file = root / change.file
    before = file.read_text(encoding="utf-8")
    file.write_text(change.text(root), encoding="utf-8")
    known = [one for one in change.tests.split() if (root / one).exists()]
    words = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:benchmark", *known]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            cwd=root, capture_output=True, timeout=LIMIT_S, check=False,
            env=os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        return done.returncode == 0
    except subprocess.TimeoutExpired:  # hanging is seen too
        return False
    finally:
        file.write_text(before, encoding="utf-8")


def main() -> int:
    """Try all changes, or those of a name; the number of survivors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the name or file")
    given = parser.parse_args()
    chosen = [one for one in CHANGES if given.only in one.name or given.only in one.file]
    alive = survivors(chosen, given.jobs)
    sys.stdout.write(f"{len(chosen) - len(alive)} of {len(chosen)} changes fall\n")
    return len(alive)


if __name__ == "__main__":
    sys.exit(main())
