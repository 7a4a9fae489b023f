"""Which classes a pipeline folder may name; it is data, and none of its code is ever run.

Diffusers before 0.38 ran code of a local folder whatever ``trust_remote_code`` said
(CVE-2026-44513). Here the index is read first, by our own list, whatever version is installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neurodecode.errors import CorruptFileError, UnsafeFileError
from neurodecode.files import read_json

INDEX = "model_index.json"
NETWORKS = {
    "UNet2DModel", "UNet2DConditionModel", "PixArtTransformer2DModel", "SD3Transformer2DModel",
    "Transformer2DModel", "DiTTransformer2DModel", "FluxTransformer2DModel", "PriorTransformer",
}  # fmt: skip
AUTOENCODERS = {"AutoencoderKL", "AutoencoderTiny", "AutoencoderDC", "VQModel"}
SCHEDULERS = {
    "DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "LMSDiscreteScheduler",
    "UniPCMultistepScheduler",
    "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler", "FlowMatchEulerDiscreteScheduler", "HeunDiscreteScheduler",
    "UnCLIPScheduler",
}  # fmt: skip
PIPELINES = {
    "StableUnCLIPPipeline", "StableUnCLIPImg2ImgPipeline", "KandinskyV22Pipeline",
    "StableDiffusionPipeline", "StableDiffusionXLPipeline", "StableDiffusion3Pipeline",
    "PixArtAlphaPipeline", "PixArtSigmaPipeline",
}  # fmt: skip
TRANSFORMERS = {
    "CLIPTextModel", "CLIPTextModelWithProjection", "CLIPVisionModelWithProjection",
    "CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPFeatureExtractor", "CLIPTokenizer",
    "CLIPTokenizerFast", "T5EncoderModel", "T5Tokenizer", "T5TokenizerFast",
    "PreTrainedTokenizerFast",
}  # fmt: skip
PARTS = {
    "diffusers": NETWORKS | AUTOENCODERS | SCHEDULERS,
    "transformers": TRANSFORMERS,
    "stable_diffusion": {"StableDiffusionSafetyChecker", "StableUnCLIPImageNormalizer"},
}


def read_index(folder: Path) -> dict[str, Any]:
    """The index of a pipeline folder: which class each part is of.

    Raises
    ------
    CorruptFileError
        If there is none, or it is no JSON object.
    UnsafeFileError
        If it names a class that is not on the list, or the folder holds Python code.
    """
    index = read_json(folder / INDEX, "pipeline's index")
    if not isinstance(index, dict):
        raise CorruptFileError(f"{folder / INDEX} holds {type(index).__name__}, not an object.")
    for name, value in index.items():
        if isinstance(value, list):
            check_class(folder, name, value)
    kind = index.get("_class_name")
    if kind is not None and str(kind) not in PIPELINES:
        raise _refused(folder, "_class_name", str(kind)[:80])
    code = next((one for one in sorted(folder.rglob("*.py"))), None)
    if code is not None:
        raise UnsafeFileError(
            f"{folder} holds Python code ({code.relative_to(folder)}). A pipeline is read as data; "
            f"delete that file if you trust the rest, or use another pipeline."
        )
    return index


def check_class(folder: Path, name: str, value: Any) -> tuple[str, str]:
    """Library and class of a part, if they are on the list; empty for a part that is left out.

    Raises
    ------
    UnsafeFileError
        If they are not.
    """
    if not isinstance(value, list) or len(value) != 2:
        raise _refused(folder, name, str(value)[:80])
    library, kind = value
    if library is None and kind is None:
        return "", ""
    if str(kind) not in PARTS.get(str(library), ()):
        raise _refused(folder, name, f"{library}.{kind}")
    return str(library), str(kind)


def _refused(folder: Path, name: str, kind: str) -> UnsafeFileError:
    return UnsafeFileError(
        f"{folder / INDEX} names {kind} as '{name}', which is none of the classes that pipelines "
        f"are read with. Nothing was run. Use a pipeline of diffusers' own classes."
    )
