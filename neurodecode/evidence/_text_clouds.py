"""Are the sentences written, taken together, like those read? A distance between two sets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neurodecode.evidence._text_case import Case, TextDecoder
from neurodecode.evidence._text_measures import Answers, Vectors
from neurodecode.metrics.text import frechet_distance


def frechet_distances(
    decoder: TextDecoder, answers: Answers, others: Mapping[str, Answers], case: Case
) -> dict[str, float]:
    """Frechet distance of sentences from the texts read, of the decoder and of what has no brain.

    Both are embedded by the decoder's own space of texts. It says whether a decoder repeats itself,
    never whether it is right: permuted answers have the same distance. With fewer sentences than
    dimensions it is too large for everybody; compare within a study only.

    Parameters
    ----------
    decoder : TextDecoder
    answers : Answers
    others : mapping of str to Answers
        Those who say nothing are left out.
    case : Case

    Returns
    -------
    dict of str to float
        ``'model'`` and the names of ``others``; lower is nearer.
    """
    said = {"model": answers, **others}
    truth = case.texts.vectors[case.column]
    return {
        name: frechet_distance(truth, _embedded(decoder, one))
        for name, one in said.items()
        if any(one.sentences) and len(one) > 1
    }


def _embedded(decoder: TextDecoder, answers: Answers) -> Vectors:
    sentences, place = np.unique(np.asarray(answers.sentences, dtype=np.str_), return_inverse=True)
    return np.asarray(decoder.embed(sentences.tolist()))[place]
