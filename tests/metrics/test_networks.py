from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import correlation

from neurodecode.errors import CorruptFileError, MissingWeightsError
from neurodecode.metrics._weights import load_extractor, recipes, weight_file
from neurodecode.metrics.identification import two_way
from neurodecode.metrics.images import Resize, as_unit
from neurodecode.metrics.networks import Network, feature_score, load_networks, network_score


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3), dtype=np.uint8)


def test_any_feature_extractor_will_do(pictures):
    rows = Network("row means", lambda one: as_unit(one).mean(axis=2))
    noisy = pictures[::-1]
    truth, recon = rows.extract(pictures), rows.extract(noisy)
    np.testing.assert_allclose(network_score(pictures, noisy, rows), two_way(truth, recon))


def test_distance_equals_scipy():
    truth, recon = np.random.default_rng(1).random((2, 6, 33))
    want = [correlation(a, b) for a, b in zip(truth, recon, strict=True)]
    np.testing.assert_allclose(feature_score(truth, recon, "distance"), want)


def test_direction_and_chance_are_told():
    assert Network("a", np.asarray).higher_is_better
    distance = Network("b", np.asarray, "distance")
    assert not distance.higher_is_better
    assert distance.chance is None


def test_absent_weights_are_named_and_nothing_stops(tmp_path):
    found, missing = load_networks(tmp_path)
    assert found == {}
    assert list(missing) == ["Alex(2)", "Alex(5)", "Incep", "CLIP", "Eff", "SwAV"]
    for name, recipe in recipes("mindeye").items():
        assert recipe.file in missing[name]
        assert str(tmp_path) in missing[name]
        assert "To get them, " in missing[name]


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(
        MissingWeightsError, match=r"Eff needs the weights efficientnet_b1-c27df63c"
    ):
        weight_file(recipes("mindeye")["Eff"], tmp_path)


def test_the_folder_can_be_named_by_the_environment(tmp_path, monkeypatch):
    recipe = recipes("mindeye")["Eff"]
    (tmp_path / recipe.file).touch()
    monkeypatch.setenv("NEURODECODE_WEIGHTS", str(tmp_path))
    assert weight_file(recipe) == tmp_path / recipe.file


def test_both_published_pre_processings():
    mindeye, diffuser = recipes("mindeye"), recipes("brain_diffuser")
    assert [one.resize.size for one in mindeye.values()] == [256, 256, 342, 224, 255, 224]
    assert {one.resize for one in diffuser.values()} == {Resize((224, 224), "pillow", "bicubic")}
    with pytest.raises(ValueError, match="preprocessing must be 'mindeye' or 'brain_diffuser'"):
        recipes("mine")


def test_unknown_networks_are_refused(tmp_path):
    with pytest.raises(ValueError, match="There is no published network 'VGG'"):
        load_networks(tmp_path, names=("VGG",))


def saved(name, folder, seed=0):
    """The architecture with random weights, in the file that the published ones have."""
    from torchvision import models

    recipe = recipes("mindeye")[name]
    torch.manual_seed(seed)
    extra = {"init_weights": False} if name == "Incep" else {}
    model = models.get_model(recipe.architecture, weights=None, **extra).eval()
    prefix = "module." if name == "SwAV" else ""
    state = {prefix + key: value for key, value in model.state_dict().items()}
    if name == "SwAV":
        state = {key: value for key, value in state.items() if ".fc." not in key}
        state["module.projection_head.0.weight"] = torch.zeros(2, 2)
    torch.save(state, folder / recipe.file)
    return model, recipe


def normalised(recipe, pictures):
    tensor = torch.from_numpy(recipe.resize(pictures)).permute(0, 3, 1, 2)
    mean, std = (torch.tensor(one)[:, None, None] for one in recipe.normalise)
    return (tensor - mean) / std


def test_efficientnet_gives_its_pooled_features(tmp_path, pictures):
    model, recipe = saved("Eff", tmp_path)
    found, missing = load_networks(tmp_path, names=("Eff", "CLIP"))
    assert list(found) == ["Eff"]
    assert list(missing) == ["CLIP"]
    assert found["Eff"].details == (
        "efficientnet_b1 (efficientnet_b1-c27df63c.pth), avgpool, torch bilinear to 255 px"
    )
    with torch.inference_mode():
        want = model.avgpool(model.features(normalised(recipe, pictures))).flatten(1).numpy()
    np.testing.assert_allclose(found["Eff"].extract(pictures), want, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network_score(pictures, pictures, found["Eff"]), 0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layers", "n_dims"),
    [("Alex(2)", 5, 192 * 31 * 31), ("Alex(5)", 12, 256 * 15 * 15)],
)
def test_alexnet_gives_its_layers(name, layers, n_dims, tmp_path, pictures):
    model, recipe = saved(name, tmp_path)
    with torch.inference_mode():
        want = model.features[:layers](normalised(recipe, pictures)).flatten(1).numpy()
    got = load_extractor(recipe, tmp_path)(pictures)
    assert got.shape == (3, n_dims)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Incep", "SwAV"])
def test_the_other_torchvision_networks_load(name, tmp_path, pictures):
    _, recipe = saved(name, tmp_path)
    assert load_extractor(recipe, tmp_path)(pictures).shape == (3, 2048)


@pytest.mark.slow
def test_clip_loads_into_open_clip(tmp_path, pictures):
    import open_clip
    from safetensors.torch import save_file

    recipe = recipes("mindeye")["CLIP"]
    model = open_clip.create_model(recipe.architecture, pretrained=None, load_weights=False).eval()
    save_file(model.state_dict(), tmp_path / recipe.file)
    with torch.inference_mode():
        want = model.encode_image(normalised(recipe, pictures)).numpy()
    np.testing.assert_allclose(
        load_extractor(recipe, tmp_path)(pictures), want, rtol=1e-3, atol=1e-4
    )


def test_a_cut_off_file_is_refused(tmp_path):
    recipe = recipes("mindeye")["Eff"]
    (tmp_path / recipe.file).write_bytes(b"not weights")
    with pytest.raises(CorruptFileError, match=r"can't be read as a file of weights"):
        load_extractor(recipe, tmp_path)


def test_weights_of_another_network_are_refused(tmp_path):
    recipe = recipes("mindeye")["Eff"]
    torch.save({"something.weight": torch.zeros(1)}, tmp_path / recipe.file)
    with pytest.raises(CorruptFileError, match="does not hold the weights of efficientnet_b1"):
        load_extractor(recipe, tmp_path)
