from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from neurodecode.errors import CorruptFileError, UnsafeFileError
from neurodecode.generators import UnClip
from neurodecode.generators._admitted import read_index
from neurodecode.generators._diffusers import load_parts
from tests.tiny_models import kandinsky_folder, transformer_folder, unclip_folder


@pytest.mark.parametrize("write", [unclip_folder, kandinsky_folder, transformer_folder])
def test_pipelines_of_diffusers_own_classes_pass(tmp_path: Path, write) -> None:
    assert "_class_name" in read_index(write(tmp_path / "pipe"))


def _hostile(folder: Path, changes: dict[str, object], trace: Path) -> Path:
    """A pipeline whose folder brings a module that leaves a trace when it is imported."""
    unclip_folder(folder)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | changes))
    code = f"from pathlib import Path\nPath({str(trace)!r}).mkdir()\nclass Evil: pass\n"
    for place in (folder, folder / "unet", folder / "vae", folder / "scheduler"):
        (place / "evil.py").write_text(code)
    return folder


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"unet": ["evil", "Evil"]}, "evil.Evil as 'unet'"),
        ({"vae": ["evil", "Evil"]}, "evil.Evil as 'vae'"),
        ({"scheduler": ["os", "system"]}, "os.system as 'scheduler'"),
        ({"unet": ["diffusers", "DiffusionPipeline"]}, "diffusers.DiffusionPipeline as 'unet'"),
        ({"extra": ["evil", "Evil"]}, "evil.Evil as 'extra'"),
        ({"_class_name": ["evil", "Evil"]}, "evil.Evil as '_class_name'"),
        ({"_class_name": "Evil"}, "Evil as '_class_name'"),
        ({}, None),
    ],
)
def test_code_in_a_pipeline_folder_is_never_run(tmp_path: Path, changes, named) -> None:
    trace = tmp_path / "trace"
    folder = _hostile(tmp_path / "pipe", changes, trace)
    with pytest.raises(UnsafeFileError) as caught:
        read_index(folder)
    if named is None:
        assert "holds Python code" in str(caught.value)
    else:
        assert str(caught.value) == (
            f"{folder / 'model_index.json'} names {named}, which is none of the classes that "
            f"pipelines are read with. Nothing was run. Use a pipeline of diffusers' own classes."
        )
    for load in (UnClip(folder)._read, lambda: load_parts(folder, torch.device("cpu"))):
        with pytest.raises(UnsafeFileError, match=r"pipe"):
            load()
    assert not trace.exists()


@pytest.mark.parametrize("content", ["[1]", "{", "[" * 10_000])
def test_an_index_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "model_index.json").write_text(content)
    with pytest.raises(CorruptFileError, match=r"model_index\.json"):
        read_index(tmp_path)
