"""Pictures drawn beside a stream: the newest point, in a thread, and live on the page."""

from __future__ import annotations

import io
import json
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from neurodecode.cli import main
from neurodecode.data import Generated
from neurodecode.streaming import Drawing, FileSource, LivePage, StreamDecoder, play

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")


class Grey:
    """Draws a picture as bright as the first number of the point; waits until it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.let.set()
        self.points: list[float] = []

    def generate(self, embeddings, *, seed=0, n_samples=1):
        self.let.wait(10)
        value = embeddings.array()[0].ravel()[0]
        self.points.append(float(value))
        if value == -999:
            raise RuntimeError("no such grey")
        picture = np.full((1, 1, 4, 4, 3), np.clip(value, 0, 255), dtype=np.uint8)
        return Generated(picture, embeddings.stimulus, "image", "Grey")


def test_only_the_newest_point_is_drawn():
    generator = Grey()
    generator.let.clear()
    with Drawing(generator, "toy") as drawing:
        drawing.offer(np.array([1.0]), 0.1)
        time.sleep(0.05)
        began = time.perf_counter()
        for number in range(2, 100):
            drawing.offer(np.array([float(number)]), number / 10)
        assert time.perf_counter() - began < 1.0, "offering waits for drawing"
        generator.let.set()
        last = drawing.wait(2)
    assert generator.points == [1.0, 99.0] and last.time_s == 9.9
    assert np.asarray(Image.open(io.BytesIO(last.png)))[0, 0].tolist() == [99, 99, 99]


def test_a_generator_that_fails_stops_drawing_and_says_so(caplog):
    with Drawing(Grey(), "toy") as drawing:
        drawing.offer(np.array([-999.0]), 0.1)
        with pytest.raises(TimeoutError, match="Picture 1 was not drawn: RuntimeError: no such gr"):
            drawing.wait(1)
    assert "Drawing stopped; decoding goes on." in caplog.text


@pytest.fixture
def page(kit):
    with (
        Drawing(Grey(), "toy") as drawing,
        LivePage(kit.candidates, title="Toy", evidence="Toy.", drawing=drawing) as one,
    ):
        yield one


def get(page, path):
    connection = HTTPConnection(urlsplit(page.url).netloc, timeout=5)
    connection.request("GET", f"{path}?token={page.token}")
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def test_page_serves_the_last_picture_by_its_number(page):
    assert json.loads(get(page, "/state")[1])["drawn"] is None
    assert get(page, "/drawn/1")[0] == 404
    page.drawing.offer(np.array([7.0]), 1.25)
    page.drawing.wait(1)
    state = json.loads(get(page, "/state")[1])
    assert (state["drawn"], state["drawn_time_s"]) == (1, 1.25)
    status, content = get(page, "/drawn/1")
    assert status == 200 and content.startswith(b"\x89PNG")
    assert get(page, "/drawn/2")[0] == 404


def test_playing_has_its_windows_drawn(page, kit, signal):
    import mne

    info = mne.create_info([f"M{i}" for i in range(6)], 600.0, "mag")
    source = FileSource(mne.io.RawArray(signal, info, verbose="error"))
    decoder = StreamDecoder(kit.encoder, kit.cleaning, kit.layout, 600.0)
    points = {round(one.time_s, 6): one.point[0] for one, _ in play(source, decoder, page)}
    last = page.drawing.wait(1)
    assert round(last.time_s, 6) in points


def test_the_small_generator_needs_its_own_space(kit, tmp_path, capsys):
    import mne

    info = mne.create_info([f"M{i}" for i in range(6)], 600.0, "mag")
    path = tmp_path / "some_raw.fif"
    mne.io.RawArray(np.zeros((6, 600)), info, verbose="error").save(path, verbose="error")
    folder = kit.save(tmp_path / "kit")
    assert main(["stream", str(path), "--model", str(folder), "--fast", "--draw"]) == 1
    assert "this decoder gives points of 'toy'. Leave --draw out." in capsys.readouterr().err


def test_page_updates_in_a_browser(page, kit):
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("needs Chromium and its driver (apt install chromium-driver)")
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for one in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(one)
    browser = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        browser.get(page.url)
        wait = WebDriverWait(browser, 20)
        for number, place in ((1, 3), (2, 5)):
            page.drawing.offer(np.array([50.0 * number]), float(number))
            page.drawing.wait(number)
            nearest = kit.candidates.nearest(kit.candidates.points.array()[place])
            page.show(nearest, time_s=float(number), latency_ms=4.0)
            wait.until(lambda one, n=number: one.find_element(By.ID, "count").text == str(n))
            wait.until(
                lambda one, n=number, p=place: one.execute_script(
                    "const it = document.getElementById('drawing'), at = (e) => new URL(e.src);"
                    "const first = document.querySelector('#now li img');"
                    "return first !== null && it.complete && it.naturalWidth > 0 &&"
                    "  at(it).pathname === arguments[0] && at(first).pathname === arguments[1]",
                    f"/drawn/{n}",
                    f"/picture/{p}",
                )
            )
        wait.until(lambda one: "up to 2.00 s" in one.find_element(By.ID, "drawn-of").text)
    finally:
        browser.quit()
