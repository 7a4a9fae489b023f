"""The server of the live page: who may ask, what is answered, and what a lost viewer costs."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import secrets
import sys
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

PICTURE = re.compile(r"/(picture|drawn)/(\d{1,9})")
PATIENCE_S = 10.0
"""For a viewer that neither asks nor takes its answer."""
LOG = logging.getLogger("neurodecode")


class Page(Protocol):
    """What the server has to know of a page."""

    port: int
    token: str
    is_open: bool

    def as_json(self) -> bytes:
        """What is decoded now."""

    def picture(self, kind: str, number: int) -> bytes | None:
        """A picture as PNG."""


class PageServer(ThreadingHTTPServer):
    """A thread for each viewer; one that goes away or sleeps is no error."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong in one line, unless a viewer closed its connection."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            LOG.error("The live page could not answer: %s: %s", type(error).__name__, error)


@cache
def page_html() -> str:
    """The page, which holds no data."""
    return resources.files("neurodecode.streaming").joinpath("page.html").read_text("utf-8")


@cache
def policy() -> str:
    """Content security policy: this page's own style and script, nothing from elsewhere."""
    hashes = [
        base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        for name in ("style", "script")
        for part in re.findall(f"<{name}>(.*?)</{name}>", page_html(), re.DOTALL)
    ]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def handler_of(page: Page) -> type[BaseHTTPRequestHandler]:
    """Answers GET of four kinds, to who names this machine and knows the token."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # a viewer asks twenty times a second by one connection
        timeout = PATIENCE_S

        def do_GET(self) -> None:
            if not page.is_open:  # the thread of a viewer may outlive the page
                self.close_connection = True
                return
            asked = urlsplit(self.path)
            if self.headers.get("Host") not in _hosts(page.port):
                self.send_error(403, "This page is for this machine only")
            elif not _knows(page.token, asked.query):
                self.send_error(403, "Open the page by its whole address, with the token")
            else:
                self._give(asked.path)

        def _give(self, path: str) -> None:
            kind, content = _answer(page, path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", policy())
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cross-Origin-Resource-Policy", "same-origin")
            cached = "private, max-age=3600" if path.startswith("/picture/") else "no-store"
            self.send_header("Cache-Control", cached)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a request every 50 ms is no news."""

    return Handler


def _hosts(port: int) -> tuple[str, str]:
    return f"127.0.0.1:{port}", f"localhost:{port}"


def _knows(token: str, query: str) -> bool:
    """Is this the token? Compared in a time that tells nothing about where it differs."""
    given = parse_qs(query).get("token", [""])[0]
    return secrets.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _answer(page: Page, path: str) -> tuple[str, bytes | None]:
    if path == "/":
        return "text/html; charset=utf-8", page_html().encode()
    if path == "/state":
        return "application/json", page.as_json()
    wanted = PICTURE.fullmatch(path)
    return "image/png", page.picture(wanted[1], int(wanted[2])) if wanted else None
