from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurodecode.errors import CorruptFileError
from neurodecode.gallery import (
    Figure,
    GalleryItem,
    build_gallery,
    find_gallery,
    open_gallery,
    write_gallery,
)

GREY = np.full((8, 8, 3), 128, np.uint8)


def stored(page: Path) -> dict:
    return json.loads((page.parent / "gallery.json").read_text())


def test_small_pictures_are_stored_exactly(tmp_path, items, results):
    page = write_gallery(tmp_path, items, results, title="Toy")
    entry = next(one for one in stored(page)["items"] if one["stimulus"] == "s-3")
    with Image.open(tmp_path / entry["truth"]["file"]) as image:
        np.testing.assert_array_equal(np.asarray(image), items[3].truth)
    with Image.open(tmp_path / entry["decoded"][1]["file"]) as image:
        np.testing.assert_array_equal(np.asarray(image), items[3].decoded[1])


def test_the_same_picture_is_one_file(tmp_path, items, results):
    write_gallery(tmp_path, items, results, title="Toy")
    # 12 x (truth, 2 samples, noise); the ceiling is the truth again
    assert len(list((tmp_path / "assets").iterdir())) == 48


def test_ids_never_become_file_names(tmp_path, items, results):
    write_gallery(tmp_path / "out", items, results, title="Toy")
    names = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("*.*")}
    allowed = re.compile(r"\.gallery\.lock|gallery\.json|index\.html|assets/[0-9a-f]{24}\.png")
    assert names and all(allowed.fullmatch(name) for name in names)


def test_default_order_is_by_id_with_numbers_as_numbers(tmp_path, results):
    made = [
        GalleryItem(f"s{i}", person, GREY, [GREY], scores={"x": 1 - i / 10})
        for i in (10, 9, 2)
        for person in ("b", "a")
    ]
    page = write_gallery(tmp_path, made, results, title="Toy")
    order = [(one["stimulus"], one["subject"]) for one in stored(page)["items"]]
    assert order == [(s, p) for s in ("s2", "s9", "s10") for p in ("a", "b")]
    assert sorted(one["mixed"] for one in stored(page)["items"]) == list(range(6))


def test_a_clip_is_an_animation_with_a_still(tmp_path, results):
    clip = np.random.default_rng(0).integers(0, 255, (5, 16, 16, 3), dtype=np.uint8)
    page = write_gallery(tmp_path, [GalleryItem("c", "p", clip, [clip])], results, title="T", fps=4)
    entry = stored(page)["items"][0]["truth"]
    with Image.open(tmp_path / entry["file"]) as image:
        assert (image.n_frames, image.size) == (5, (16, 16))
        image.seek(3)
        image.load()
        assert image.info["duration"] == 250
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), clip[3])
    with Image.open(tmp_path / entry["still"]) as image:
        np.testing.assert_array_equal(np.asarray(image), clip[2])


def test_large_pictures_are_made_smaller(tmp_path, results):
    large = np.zeros((1000, 500, 3), np.uint8)
    page = write_gallery(tmp_path, [GalleryItem("c", "p", large, [GREY])], results, title="T")
    with Image.open(tmp_path / stored(page)["items"][0]["truth"]["file"]) as image:
        assert (image.format, image.size) == ("WEBP", (384, 768))


def test_figures_from_matplotlib_and_from_png(tmp_path, results):
    from matplotlib.figure import Figure as Plot

    plot = Plot(figsize=(2, 1))
    plot.subplots().plot([0, 1])
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "PNG")
    figures = [Figure("Map", "of a <b>brain</b>", plot), Figure("Grey", "", buffer.getvalue())]
    page = write_gallery(tmp_path, [], results, title="T", figures=figures)
    html = page.read_text()
    assert "of a &lt;b&gt;brain&lt;/b&gt;" in html and "<b>brain" not in html
    assert len(stored(page)["figures"]) == 2 and stored(page)["figures"][1]["width"] == 8


def test_a_damaged_png_is_refused(tmp_path, results):
    figure = Figure("Broken", "", b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(ValueError, match="Figure 'Broken' is no PNG file that can be read"):
        write_gallery(tmp_path, [], results, title="T", figures=[figure])
    assert not (tmp_path / "index.html").exists()


def test_the_page_says_what_the_results_say(tmp_path, items, results):
    html = write_gallery(tmp_path, items, results, title="Toy").read_text()
    for told in ("0.410", "0.360", "0.470", "0.048", "random by stimulus, seed 7"):
        assert told in html
    assert re.search(r"Looks at the test part</dt><dd>3<", html)
    assert "No brain was measured" in html


def test_a_real_recording_has_no_simulated_badge(tmp_path, items, results):
    html = write_gallery(tmp_path, items, results | {"simulated": False}, title="Toy").read_text()
    assert "No brain was measured" not in html


def test_scores_that_are_not_finite_are_missing(tmp_path, results):
    item = GalleryItem("a", "p", GREY, [GREY], scores={"r": float("nan"), "s": np.float32(0.5)})
    page = write_gallery(tmp_path, [item], results, title="T")
    assert stored(page)["items"][0]["scores"] == {"r": None, "s": 0.5}


def test_no_picture_without_its_evidence(tmp_path, items):
    with pytest.raises(ValueError, match="results lacks 'experiment', 'protocols'"):
        write_gallery(tmp_path, items, {}, title="T")


@pytest.mark.parametrize("wrong", [GREY.astype(float), GREY[..., 0], GREY[:0], 7])
def test_what_is_no_picture_is_refused(wrong):
    with pytest.raises(TypeError, match=r"Gallery item 'a': control 'noise' must be a string"):
        GalleryItem("a", "p", GREY, [GREY], {"noise": wrong})


@pytest.mark.parametrize("wrong", ["one sentence", []])
def test_decoded_is_a_list_of_samples(wrong):
    with pytest.raises(ValueError, match="decoded must be a list of one or more samples"):
        GalleryItem("a", "p", "text", wrong)


def test_written_again_only_its_own_files_are_replaced(tmp_path, items, results):
    write_gallery(tmp_path, items, results, title="Old")
    (tmp_path / "assets" / "notes.txt").write_text("mine")
    page = write_gallery(tmp_path, items[:1], results, title="New")
    left = {path.name for path in (tmp_path / "assets").iterdir()}
    assert "notes.txt" in left and len(left) == 5
    assert "New" in page.read_text()


def test_built_again_it_is_the_same_page(tmp_path, items, results):
    page = write_gallery(tmp_path / "gallery", items, results, title="Toy")
    before = page.read_bytes()
    page.write_text("gone")
    assert build_gallery(tmp_path) == [page]
    assert page.read_bytes() == before


def test_results_without_pictures_get_a_page_of_scores(tmp_path, results):
    (tmp_path / "results.json").write_text(json.dumps(results))
    [page] = build_gallery(tmp_path)
    assert page == tmp_path / "gallery" / "index.html"
    assert "0.410" in page.read_text() and "Scores alone" in page.read_text()


def test_several_galleries_are_found(tmp_path, items, results):
    for name in ("fmri", "meg"):
        write_gallery(tmp_path / name, items[:1], results, title=name)
    assert find_gallery(tmp_path) == [tmp_path / "fmri", tmp_path / "meg"]


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds neither a gallery \(gallery.json\) nor"):
        build_gallery(tmp_path)


def test_a_truncated_gallery_is_refused(tmp_path, items, results):
    write_gallery(tmp_path, items, results, title="T")
    file = tmp_path / "gallery.json"
    file.write_text(file.read_text()[:500])
    with pytest.raises(CorruptFileError, match=r"gallery\.json can't be read as a gallery: "):
        build_gallery(tmp_path)


def test_a_path_out_of_the_folder_is_refused(tmp_path, items, results):
    write_gallery(tmp_path, items, results, title="T")
    file = tmp_path / "gallery.json"
    content = json.loads(file.read_text())
    content["items"][0]["truth"]["file"] = "../../secret.png"
    file.write_text(json.dumps(content))
    with pytest.raises(
        CorruptFileError, match=r"names a file outside its folder of pictures: '\.\."
    ):
        build_gallery(tmp_path)


def test_a_missing_picture_is_named(tmp_path, items, results):
    page = write_gallery(tmp_path, items, results, title="T")
    name = stored(page)["items"][0]["truth"]["file"]
    (tmp_path / name).unlink()
    with pytest.raises(CorruptFileError, match=f"{Path(name).name} is missing"):
        build_gallery(tmp_path)


def test_another_version_is_refused(tmp_path):
    (tmp_path / "gallery.json").write_text('{"format": "neurodecode-gallery", "version": 99}')
    with pytest.raises(CorruptFileError, match="is no gallery of this version"):
        build_gallery(tmp_path)


def test_open_hands_the_browser_a_file_address(tmp_path, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: asked.append(address) or True)
    assert open_gallery(tmp_path / "index.html")
    assert asked == [(tmp_path / "index.html").as_uri()]


def test_altered_results_are_refused(tmp_path, items, results):
    write_gallery(tmp_path, items, results, title="T")
    file = tmp_path / "gallery.json"
    content = json.loads(file.read_text())
    del content["results"]["test_looks"]
    file.write_text(json.dumps(content))
    with pytest.raises(CorruptFileError, match=r"gallery\.json was altered: .*test_looks"):
        build_gallery(tmp_path)


def test_names_in_results_are_text_too(tmp_path, results):
    evil = "<script>alert(1)</script>"
    protocol = results["protocols"]["within"]
    named = results | {
        "experiment": evil,
        "protocols": {evil: protocol | {"controls": {evil: {"identification_top1": 0.1}}}},
        "split": evil,
        "versions": {evil: evil},
        evil: evil,
    }
    item = GalleryItem(evil, evil, evil, [evil], {evil: evil}, {evil: 0.5}, {evil: evil})
    html = write_gallery(tmp_path, [item], named, title=evil).read_text()
    assert "<script>alert" not in html
    assert html.count("</script>") == 2


AT_ONCE = """
import sys
import numpy as np
from neurodecode.gallery import GalleryItem, write_gallery
from neurodecode.evidence import Run, write_results
import tempfile
with Run() as run:
    pass
seed = int(sys.argv[2])
results = write_results(tempfile.mkdtemp(), f"run {seed}", [], run)
pictures = np.random.default_rng(seed).integers(0, 255, (60, 16, 16, 3), dtype=np.uint8)
items = (GalleryItem(f"s{i}", "p", one, [one], {}, {}) for i, one in enumerate(pictures))
write_gallery(sys.argv[1], items, results, title=f"run {seed}")
"""


def test_three_galleries_at_once_in_one_folder_are_one_whole_gallery(tmp_path):
    jobs = [
        subprocess.Popen([sys.executable, "-c", AT_ONCE, tmp_path / "gallery", str(seed)])
        for seed in range(3)
    ]
    assert [job.wait() for job in jobs] == [0, 0, 0]
    [page] = build_gallery(tmp_path)  # refuses a gallery with a picture missing
    content = json.loads((page.parent / "gallery.json").read_text())
    named = {one["truth"]["file"] for one in content["items"]}
    assert {f"assets/{one.name}" for one in (page.parent / "assets").iterdir()} == named
    assert content["title"] == content["results"]["experiment"]
    assert content["title"] in page.read_text(encoding="utf-8")


def test_an_id_of_five_thousand_digits_is_an_id(tmp_path, results):
    names = ["scene-9", "scene-10", "scene-010", f"scene-{'7' * 5000}", "scene-1b", "scene-1a"]
    items = [GalleryItem(name, "p1", "cup", ["cup"]) for name in names]
    page = write_gallery(tmp_path, items, results, title="T")
    ids = [item["stimulus"] for item in stored(page)["items"]]
    assert [len(one) for one in ids] == [8, 8, 7, 8, 9, 5006]
    assert ids[:3] == ["scene-1a", "scene-1b", "scene-9"]
