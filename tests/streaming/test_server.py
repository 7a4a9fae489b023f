"""Who may read the live page, and what viewers that go away or sleep cost."""

from __future__ import annotations

import json
import logging
import socket
import time
import webbrowser
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from neurodecode.cli import stream
from neurodecode.streaming import LivePage, _server

PATHS = ["/", "/state", "/picture/3", "/drawn/1", "/nothing"]


@pytest.fixture
def page(kit):
    with LivePage(kit.candidates, title="Toy", evidence="Toy.") as one:
        yield one


def status(page, path, **headers):
    connection = HTTPConnection(urlsplit(page.url).netloc, timeout=5)
    connection.request("GET", path, headers=headers)
    found = connection.getresponse().status
    connection.close()
    return found


def test_listens_on_this_machine_only(page):
    assert urlsplit(page.url).hostname == "127.0.0.1"
    own = socket.gethostbyname_ex(socket.gethostname())[2]
    for address in (one for one in own if not one.startswith("127.")):
        with pytest.raises(OSError):
            socket.create_connection((address, urlsplit(page.url).port), timeout=1)


def test_another_host_name_is_refused(page):
    path = f"/state?token={page.token}"
    assert status(page, path, Host="evil.example") == 403
    assert status(page, path, Host=f"localhost:{page.port}") == 200
    assert status(page, path) == 200


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_told_without_the_token(page, path):
    assert status(page, f"{path}?token={page.token}") in (200, 404)
    for query in ("", "?token=", f"?token={page.token[:-1]}", f"?token={page.token}x",
                  "?token=%C3%BC", f"?other={page.token}"):  # fmt: skip
        assert status(page, path + query) == 403
    assert status(page, path, Cookie=f"token={page.token}", Authorization=page.token) == 403


def test_each_page_has_a_token_of_its_own(kit):
    pages = [LivePage(kit.candidates, title="", evidence="") for _ in range(3)]
    assert len({one.token for one in pages}) == 3
    assert all(len(one.token) >= 22 and one.url.endswith(one.token) for one in pages)
    for one in pages:
        one._server.server_close()


def test_the_browser_is_not_told_the_token_where_others_read_it(page, monkeypatch):
    """What a program is started with is seen by everybody on the machine."""
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    with stream._opened(page.url):
        [address] = opened
        assert page.token not in address and address.startswith("file:")
        lead = Path(urlsplit(address).path)
        assert page.token in lead.read_text()
        assert lead.parent.stat().st_mode & 0o077 == 0
    assert not lead.exists()


def test_viewers_that_go_away_leave_no_traceback(page, capfd, caplog):
    for sent in (b"", b"GET /state", f"GET /?token={page.token} HTTP/1.1\r\n\r\n".encode()):
        one = socket.create_connection(("127.0.0.1", page.port), timeout=5)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # reset
        one.sendall(sent)
        one.close()
    time.sleep(0.1)
    assert status(page, f"/state?token={page.token}") == 200
    assert capfd.readouterr() == ("", "") and not caplog.records


def test_what_the_page_itself_cannot_do_is_one_line(page, monkeypatch, caplog, capfd):
    monkeypatch.setattr(page, "as_json", lambda: 1 / 0)
    with caplog.at_level(logging.ERROR, "neurodecode"), pytest.raises(OSError):
        status(page, f"/state?token={page.token}")
    assert caplog.messages == [
        "The live page could not answer: ZeroDivisionError: division by zero"
    ]
    assert capfd.readouterr() == ("", "")


def test_a_viewer_that_sleeps_holds_up_nobody_and_is_let_go(kit, monkeypatch):
    monkeypatch.setattr(_server, "PATIENCE_S", 0.3)
    with (
        LivePage(kit.candidates, title="Toy", evidence="Toy.") as page,
        socket.create_connection(("127.0.0.1", page.port), timeout=5) as asleep,
    ):
        asleep.sendall(b"GET /state?token=")
        assert status(page, f"/state?token={page.token}") == 200
        assert asleep.recv(1) == b""


def test_one_connection_asks_often_and_ends_with_the_page(kit):
    with LivePage(kit.candidates, title="Toy", evidence="Toy.") as page:
        connection = HTTPConnection("127.0.0.1", page.port, timeout=5)
        for number in range(3):
            page.show([], time_s=1.0, latency_ms=1.0)
            connection.request("GET", f"/state?token={page.token}")
            assert json.loads(connection.getresponse().read())["count"] == number + 1
    with pytest.raises(ConnectionError):
        connection.request("GET", f"/state?token={page.token}")
        connection.getresponse()
    connection.close()
