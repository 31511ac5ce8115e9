"""A provider on the loopback interface that answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest


class Provider:
    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = []
        """What is answered, one entry a request; the last one stays."""
        self.requests: list[dict[str, object]] = []
        self.url = ""

    def answer(self) -> tuple[int, str]:
        if not self.answers:
            return 200, '{"errcode": 0, "code": 0}'
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def provider() -> Iterator[Provider]:
    state = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            parts = urlsplit(self.path)
            state.requests.append(
                {
                    "path": parts.path,
                    "query": {name: values[0] for name, values in parse_qs(parts.query).items()},
                    "raw_query": parts.query,
                    "headers": dict(self.headers),
                    "body": json.loads(body) if body.startswith(b"{") else body,
                }
            )
            status, text = state.answer()
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    server.server_close()
