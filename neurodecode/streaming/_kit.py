"""A folder with all that a stream needs: the encoder, its cleaning, sensors and candidates."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.data import Embeddings, Responses, Stimuli
from neurodecode.errors import CorruptFileError
from neurodecode.files import read_json, read_npz
from neurodecode.store import atomic_path, write_json
from neurodecode.streaming._cleaning import CausalCleaning
from neurodecode.streaming._page import Candidates

CONFIG, ARRAYS, ENCODER = "stream.json", "stream.npz", "encoder"


@dataclass(frozen=True, eq=False)
class StreamKit:
    """What decodes a stream.

    Parameters
    ----------
    encoder : fitted encoder
    cleaning : CausalCleaning
        As for the trials that the encoder was trained on.
    layout : Responses
        At least one of those trials: subject, sensors, samples a window.
    candidates : Candidates
    head : str, optional
    evidence : str
        How well this decoder does on data it was not trained on; stands on the page.

    Examples
    --------
    >>> StreamKit.__name__
    'StreamKit'
    """

    encoder: Any
    cleaning: CausalCleaning
    layout: Responses
    candidates: Candidates
    head: str | None = None
    evidence: str = "How well this decoder does was not measured."

    def save(self, folder: str | Path) -> Path:
        """Write the folder; pictures of the candidates included."""
        target, trial = Path(folder), self.layout.take(np.array([0]))
        self.encoder.save(target / ENCODER)
        arrays: dict[str, Any] = {
            "points": self.candidates.points.array(),
            "stimulus": self.candidates.points.stimulus,
        }
        if trial.positions is not None:
            arrays["positions"] = trial.positions
        if self.candidates.stimuli is not None:
            picked = self.candidates.stimuli.select(self.candidates.points.stimulus)
            arrays["pictures"] = picked.stack()
        with atomic_path(target / ARRAYS) as part, part.open("wb") as stream:
            np.savez_compressed(stream, **arrays)
        config = {
            "class": type(self.encoder).__name__,
            "cleaning": asdict(self.cleaning),
            "subject": trial.subject,
            "modality": trial.modality,
            "sfreq": trial.sfreq,
            "shape": list(trial.values.shape[1:]),
            "units": None if trial.units is None else trial.units.tolist(),
            "space": self.candidates.points.space,
            "head": self.head,
            "evidence": self.evidence,
        }
        write_json(target / CONFIG, config)
        return target

    @classmethod
    def load(cls, folder: str | Path) -> StreamKit:
        """Read what `save` wrote.

        Raises
        ------
        CorruptFileError
            If a file is missing, damaged or not of this kind.
        """
        source = Path(folder)
        try:
            config = read_json(source / CONFIG)
            arrays = read_npz(source / ARRAYS)
            return cls(
                _encoder(config["class"], source / ENCODER),
                _cleaning(config["cleaning"]),
                _layout(config, arrays),
                _candidates(config, arrays),
                config["head"],
                config["evidence"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptFileError(
                f"{source} does not hold a decoder of streams: {error}. It needs {CONFIG}, "
                f"{ARRAYS} and the folder {ENCODER}, as StreamKit.save writes them."
            ) from error


def _encoder(name: str, folder: Path) -> Any:
    from neurodecode import encoders

    kinds = {one: getattr(encoders, one) for one in ("Ridge", "SensorConv")}
    if name not in kinds:
        raise ValueError(f"encoder '{name}' can't be streamed; known are {', '.join(kinds)}")
    return kinds[name].load(folder)


def _cleaning(content: dict[str, Any]) -> CausalCleaning:
    plain: dict[str, Any] = {
        key: tuple(one) if isinstance(one, list) else one for key, one in content.items()
    }
    return CausalCleaning(**plain)


def _layout(config: dict[str, Any], arrays: dict[str, Any]) -> Responses:
    return Responses(
        np.zeros((1, *config["shape"]), dtype=np.float32),
        np.array(["window"]),
        config["subject"],
        config["modality"],
        dims=("trial", "channel", "time"),
        sfreq=config["sfreq"],
        positions=arrays.get("positions"),
        units=None if config["units"] is None else np.array(config["units"]),
    )


def _candidates(config: dict[str, Any], arrays: dict[str, Any]) -> Candidates:
    points = Embeddings(arrays["points"], arrays["stimulus"], config["space"])
    pictures = arrays.get("pictures")
    stimuli = None if pictures is None else Stimuli.from_arrays(points.stimulus, pictures)
    return Candidates(points, stimuli)
