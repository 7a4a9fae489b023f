"""The page as a reader uses it, in headless Chromium."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurodecode.gallery import Figure, GalleryItem, write_gallery

CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")

pytest.importorskip("selenium", reason="needs selenium, of the extra 'test'")
if not (CHROMIUM.exists() and DRIVER.exists()):
    pytest.skip(
        "needs Chromium and its driver (apt install chromium-driver)", allow_module_level=True
    )

from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

CONTRAST = """
const seen = [];
const skip = "svg, script, style, option, :disabled, .skip";
const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const linear = (v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const light = (c) => [.2126, .7152, .0722].reduce((sum, w, i) => sum + w * linear(c[i] / 255), 0);
const clear = (node) => (parse(getComputedStyle(node).backgroundColor)[3] ?? 1) === 0;
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  if (!own || !node.checkVisibility() || node.closest(skip)) continue;
  let under = node;
  while (clear(under)) under = under.parentElement;
  const a = light(parse(getComputedStyle(node).color));
  const b = light(parse(getComputedStyle(under).backgroundColor));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  seen.push([ratio, node.tagName, node.className, node.textContent.trim().slice(0, 30)]);
}
return seen;
"""
DECODE = """
const done = arguments[0], all = [...document.images];
all.forEach((image) => { image.loading = "eager"; });
Promise.all(all.map((image) => image.decode().then(() => 0, () => 1)))
  .then((broken) => done([all.length, broken.filter(Boolean).length]));
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, tmp_path, items, results) -> Iterator[webdriver.Chrome]:
    picture = Figure("Map", "of weights", _png())
    path = write_gallery(tmp_path / "out", items, results, title="Toy", figures=[picture])
    size(browser, 1200, 900)
    media(browser)
    browser.get(path.as_uri())
    browser.execute_script("try { localStorage.clear() } catch (error) {}")
    browser.get_log("browser")
    yield browser
    problems = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not problems


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def size(browser, width, height):
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def media(browser, **features):
    wanted = {"prefers-color-scheme": "light", "prefers-reduced-motion": "no-preference"}
    wanted |= {name.replace("_", "-"): value for name, value in features.items()}
    entries = [{"name": name, "value": value} for name, value in wanted.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": entries})


def shown(browser) -> list[str]:
    return [node.text for node in browser.find_elements(By.CSS_SELECTOR, "#grid .what")]


def text(browser, name: str) -> str:
    return browser.find_element(By.ID, name).text


def put(browser, name: str, value: str) -> None:
    field = browser.find_element(By.ID, name)
    field.clear()
    field.send_keys(value)


def choose(browser, css: str, value: str) -> None:
    Select(browser.find_element(By.CSS_SELECTOR, css)).select_by_value(value)


def focused(browser) -> str:
    return browser.execute_script("return document.activeElement.textContent")


def test_the_verdict_is_seen_without_a_click(page):
    """Near the title and in the row of the score, with how it stands to the closed form."""
    near_title = page.find_element(By.CSS_SELECTOR, ".masthead #verdicts")
    assert near_title.is_displayed()
    assert near_title.text.replace("\n", " ") == (
        "shown identification top-1 0.410; no better than plain ridge"
    )
    assert near_title.location["y"] + near_title.size["height"] < 900
    row = page.find_element(By.CSS_SELECTOR, "table.scores tbody tr")
    assert row.find_element(By.CSS_SELECTOR, ".verdict.shown").text == "shown"
    why = page.find_element(By.CSS_SELECTOR, ".why")
    assert why.is_displayed()
    assert "over the best, noise: +0.360 [0.310, 0.420]." in why.text
    assert "No better than plain ridge: +0.010 [-0.010, 0.030]." in why.text


@pytest.mark.parametrize("width", [1200, 390])
def test_a_suspect_score_says_why_beside_the_title(browser, tmp_path, items, results, width):
    evil = "reads stimulus ids: <b onclick=alert(1)>Cheat</b> changes when ids are replaced."
    score = results["protocols"]["within"]["scores"]["identification_top1"]
    score |= {"verdict": "suspect", "verdict_reasons": [evil], "suspicions": ["reads ids"]}
    path = write_gallery(tmp_path / "out", items, results, title="Toy")
    size(browser, width, 900)
    media(browser)
    browser.get(path.as_uri())
    told = browser.find_element(By.ID, "verdicts")
    assert "suspect" in told.text
    assert evil in told.text
    assert not told.find_elements(By.TAG_NAME, "b")
    wide = "return document.documentElement.scrollWidth <= window.innerWidth"
    assert browser.execute_script(wide)
    assert min(ratio for ratio, *_ in browser.execute_script(CONTRAST)) >= 4.5


def test_all_items_stand_in_order_of_their_ids(page, items):
    names = shown(page)
    assert len(names) == 12
    ordinary = [name for name in names if name.startswith("s-")]
    assert ordinary == [f"s-{i}" for i in (*range(10), 11)]
    assert text(page, "count") == "12 shown."
    assert "By stimulus id; no score had a part in this order." in text(page, "order-note")


def test_controls_and_samples_are_labelled_beside_each_item(page):
    card = page.find_elements(By.CSS_SELECTOR, "#grid .card")[0]
    labels = [node.text for node in card.find_elements(By.TAG_NAME, "figcaption")]
    assert labels == ["seen", "decoded, 1 of 2", "noise", "ceiling"]


def test_search_person_tag_and_their_clearing(page):
    put(page, "query", "number 3")
    assert shown(page) == ["s-3"]
    assert text(page, "count") == "1 of 12 shown."
    put(page, "query", "nothing has these words")
    assert not shown(page)
    page.find_element(By.ID, "clear").click()
    assert len(shown(page)) == 12
    choose(page, "#subject", "p2")
    assert shown(page) == [f"s-{i}" for i in (1, 3, 5, 7, 9, 11)]
    choose(page, "select[data-tag=kind]", "face")
    assert shown(page) == ["s-1", "s-3"]


def test_a_score_range_says_that_it_chooses_with_the_truth(page, items):
    choose(page, "#metric", "pixel_correlation")
    put(page, "low", "0.5")
    put(page, "high", "0.75")
    inside = {item.stimulus for item in items if 0.5 <= item.scores["pixel_correlation"] <= 0.75}
    assert set(shown(page)) == inside and 0 < len(inside) < 12
    assert "a choice made with the truth" in text(page, "order-note")


@pytest.mark.parametrize(("way", "sign"), [("down", -1), ("up", 1)])
def test_sorting_by_score_says_that_it_used_the_truth(page, items, way, sign):
    choose(page, "#order", f"{way}:pixel_correlation")
    expected = sorted(items, key=lambda item: sign * item.scores["pixel_correlation"])
    assert shown(page) == [item.stimulus for item in expected]
    note = page.find_element(By.ID, "order-note")
    assert "Sorted by pixel correlation" in note.text and "not typical" in note.text
    assert "warn" in note.get_attribute("class")


def test_the_random_order_is_fixed(page):
    choose(page, "#order", "mixed")
    mixed = shown(page)
    assert mixed != sorted(mixed)
    page.refresh()
    choose(page, "#order", "mixed")
    assert shown(page) == mixed


def test_arrows_enter_and_escape(page):
    first = page.find_elements(By.CSS_SELECTOR, "#grid .open")
    columns = page.execute_script(
        "const c = [...document.querySelectorAll('#grid .card')];"
        "return c.filter((n) => n.offsetTop === c[0].offsetTop).length"
    )
    assert columns > 1
    first[0].send_keys(Keys.ARROW_RIGHT)
    order = shown(page)
    assert focused(page).startswith(order[1])
    page.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert focused(page).startswith(order[1 + columns])
    page.switch_to.active_element.send_keys(Keys.ARROW_UP, Keys.HOME)
    assert focused(page).startswith(order[0])
    page.switch_to.active_element.send_keys(Keys.END)
    assert focused(page).startswith(order[-1])
    stops = page.find_elements(By.CSS_SELECTOR, "#grid .open[tabindex='0']")
    assert len(stops) == 1
    page.switch_to.active_element.send_keys(Keys.ENTER)
    dialog = page.find_element(By.ID, "details")
    assert dialog.is_displayed() and text(page, "details-title") == order[-1]
    assert "decoded, sample 2 of 2" in dialog.text and "in place of the brain" in dialog.text
    page.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    assert text(page, "details-title") == order[-2]
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not dialog.is_displayed()
    # the page hears of the closing a moment later
    WebDriverWait(page, 5).until(lambda page: focused(page).startswith(order[-2]))


def test_scores_and_marked_words_of_sentences(browser, tmp_path, results):
    item = GalleryItem(
        "a",
        "p",
        "The red boat and a dog",
        ["the boat"],
        {"noise": "and red"},
        {"rank": 40, "r": 0.5},
    )
    browser.get(write_gallery(tmp_path, [item], results, title="Words").as_uri())
    assert [node.text for node in browser.find_elements(By.TAG_NAME, "mark")] == ["boat", "red"]
    values = browser.find_elements(By.CSS_SELECTOR, "#grid .card dd")
    assert [node.text for node in values] == ["40", "0.500"]


def test_slash_goes_to_the_search(page):
    page.find_element(By.TAG_NAME, "body").send_keys("/")
    assert page.execute_script("return document.activeElement.id") == "query"


def test_markup_in_ids_and_captions_is_text(page):
    evil = next(name for name in shown(page) if not name.startswith("s-"))
    assert evil == "../<script>document.title='taken'</script><img src=x onerror=alert(1)>"
    put(page, "query", "onerror")
    assert len(shown(page)) == 1
    caption = page.find_element(By.CSS_SELECTOR, "#grid .caption").text
    assert caption.startswith("<script>document.title='taken'</script>")
    page.find_element(By.CSS_SELECTOR, "#grid .open").send_keys(Keys.ENTER)
    assert text(page, "details-title") == evil
    assert page.title == "Toy"
    page.find_element(By.ID, "close").click()


def requests(browser) -> list[str]:
    entries = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [one for one in entries if one["method"] == "Network.requestWillBeSent"]
    return [one["params"]["request"]["url"] for one in sent]


def test_nothing_is_asked_of_a_network(page, tmp_path):
    requests(page)
    page.refresh()
    page.find_element(By.CSS_SELECTOR, "#grid .open").send_keys(Keys.ENTER)
    page.find_element(By.ID, "close").click()
    asked = requests(page)
    assert sum(address.endswith(".png") for address in asked) > 12
    folder = (tmp_path / "out").as_uri()
    assert all(address.startswith((f"{folder}/", "data:,")) for address in asked)


def test_the_policy_stops_what_would_be_asked(page):
    asked: list[str] = []

    class Count(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Count)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    script = """
      const [address, done] = arguments, stopped = [];
      const note = (event) => stopped.push(event.effectiveDirective);
      document.addEventListener("securitypolicyviolation", note);
      new Image().src = address;
      const code = document.createElement("script");
      code.src = address;
      document.head.append(code);
      fetch(address).catch(() => 0).then(() => setTimeout(() => done(stopped), 200));
    """
    try:
        address = f"http://127.0.0.1:{server.server_port}/x"
        stopped = page.execute_async_script(script, address)
    finally:
        server.shutdown()
        server.server_close()
    page.get_log("browser")  # the violations just provoked
    assert {"img-src", "script-src-elem", "connect-src"} <= set(stopped)
    assert not asked


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_good(page, scheme):
    media(page, prefers_color_scheme=scheme)
    choose(page, "#order", "down:pixel_correlation")
    page.execute_script("document.querySelector('.howto').open = true")
    seen = page.execute_script(CONTRAST)
    assert len(seen) > 50
    poor = [entry for entry in seen if entry[0] < 4.5]
    assert not poor


def test_dark_and_light_by_system_and_by_button(page):
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = page.execute_script(paper)
    media(page, prefers_color_scheme="dark")
    dark = page.execute_script(paper)
    assert light != dark
    button = page.find_element(By.ID, "theme")
    button.click()
    assert button.text == "Theme: light" and page.execute_script(paper) == light
    button.click()
    media(page, prefers_color_scheme="light")
    assert button.text == "Theme: dark" and page.execute_script(paper) == dark


def test_every_picture_has_a_text(page):
    alts = [node.get_attribute("alt") for node in page.find_elements(By.TAG_NAME, "img")]
    assert len(alts) > 48 and all(alts)


@pytest.mark.parametrize("width", [340, 700, 2200])
def test_no_sideways_scrolling(page, width):
    size(page, width, 800)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_every_picture_is_found(page):
    n_pictures, n_broken = page.execute_async_script(DECODE)
    assert n_pictures > 48 and n_broken == 0


def test_clips_stand_still_where_motion_is_unwanted(browser, tmp_path, results):
    clip = np.random.default_rng(0).integers(0, 255, (4, 16, 16, 3), dtype=np.uint8)
    made = write_gallery(tmp_path, [GalleryItem("c", "p", clip, [clip])], results, title="Clips")
    media(browser)
    browser.get(made.as_uri())

    def suffix() -> str:
        image = browser.find_element(By.CSS_SELECTOR, "#grid img")
        return image.get_attribute("src").rsplit(".", 1)[1]

    assert suffix() == "webp"
    browser.find_element(By.ID, "motion").click()
    assert suffix() == "png"
    media(browser, prefers_reduced_motion="reduce")
    browser.refresh()
    assert suffix() == "png"
    browser.find_element(By.ID, "motion").click()
    assert suffix() == "webp"


def test_large_galleries_have_pages(browser, tmp_path, results):
    many = [GalleryItem(f"s{i}", "p", f"text {i}", [f"other {i}"]) for i in range(250)]
    browser.get(write_gallery(tmp_path, many, results, title="Many").as_uri())
    assert shown(browser) == [f"s{i}" for i in range(96)]
    assert text(browser, "page-number") == "Page 1 of 3"
    browser.find_element(By.CSS_SELECTOR, "#grid .open").send_keys(Keys.PAGE_DOWN)
    assert shown(browser)[0] == "s96" and focused(browser).startswith("s96")
    browser.find_element(By.ID, "next-page").click()
    assert shown(browser) == [f"s{i}" for i in range(192, 250)]
    browser.find_element(By.CSS_SELECTOR, "#grid .open").send_keys(Keys.ENTER)
    browser.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    assert text(browser, "details-title") == "s191"
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    put(browser, "query", "text 24")
    assert shown(browser) == [f"s{i}" for i in range(250) if "24" in str(i)]
    assert not browser.find_element(By.ID, "pager").is_displayed()
