"""What can be wrong with a study is told before anything slow begins."""

from __future__ import annotations

from neurodecode.study._study import Study


def check_study(study: Study) -> None:
    """Refuse contenders that can't take the data, and claims about what is not there.

    Raises
    ------
    ValueError
        Naming the contender or the claim, and what there is.
    """
    modality = study.source.modality
    for name in study.contenders:
        encoder = study.contender(name).encoder
        takes = getattr(encoder, "modalities", None)
        if takes is not None and modality not in takes:
            raise ValueError(
                f"The contender '{name}' ({type(encoder).__name__}) takes {', '.join(takes)}, but "
                f"'{study.source.name}' is {modality}. Leave it out, or take another source."
            )
    protocols = list(dict.fromkeys(cell.unit.protocol for cell in study.cells()))
    for claim in study.claims:
        for what, wanted, known in (
            ("contender", claim.a, list(study.contenders)),
            ("contender", claim.b, list(study.contenders)),
            ("protocol", claim.protocol, protocols),
            ("protocol", claim.protocol_b or claim.protocol, protocols),
        ):
            if wanted not in known:
                raise ValueError(
                    f"The claim '{claim.sentence}' names the {what} '{wanted}'; the study has "
                    f"{', '.join(known)}."
                )
