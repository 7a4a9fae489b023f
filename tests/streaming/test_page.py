"""The live page: on this machine only, text is text, pictures by number."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import numpy as np
import pytest

from neurodecode.data import Embeddings
from neurodecode.streaming import Candidates, LivePage

EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def page(kit):
    with LivePage(kit.candidates, title=EVIL, evidence="Toy.") as one:
        yield one


def get(page, path, token=None, **headers):
    connection = HTTPConnection(urlsplit(page.url).netloc, timeout=5)
    connection.request("GET", f"{path}?token={token or page.token}", headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_page_holds_no_data_and_a_policy(page):
    answer, content = get(page, "/")
    assert EVIL.encode() not in content
    policy = answer.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_state_follows_what_is_shown(page, kit):
    nearest = kit.candidates.nearest(kit.candidates.points.array()[3])
    page.show(nearest, time_s=1.5, latency_ms=4.0, truth="scene-3")
    state = json.loads(get(page, "/state")[1])
    assert (state["title"], state["count"], state["truth"]) == (EVIL, 1, "scene-3")
    assert state["nearest"][0] == {"stimulus": "scene-3", "similarity": pytest.approx(1.0),
                                   "picture": 3}  # fmt: skip
    page.finish()
    assert json.loads(get(page, "/state")[1])["finished"]


def test_pictures_by_number(page):
    answer, content = get(page, "/picture/3")
    assert answer.status == 200 and content.startswith(b"\x89PNG")
    for path in ("/picture/8", "/picture/../x", "/picture/-1", "/etc/passwd"):
        assert get(page, path)[0].status == 404


def test_candidates_without_pictures_have_none():
    known = Candidates(Embeddings(np.eye(3), ["a", "b", "c"], "toy"))
    assert known.picture(0) is None
    assert known.nearest(np.array([0.0, 1, 0]), 1)[0].picture is None
