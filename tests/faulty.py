"""An S3 server that fails: it sends an object in ranges, and some answers end before their time.

A server of web pages is as good: whatever is asked for is the object.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ERROR = b"<Error><Code>InternalError</Code><Message>We are out of order</Message></Error>"

#: answers whose headers make no sense, by what is wrong with them
HEADERS = {
    "length": (200, {"Content-Length": "abc"}),
    "negative": (200, {"Content-Length": "-5"}),
    "underscore": (200, {"Content-Length": "1_0"}),
    "partial": (206, {"Content-Range": "bytes 0-9/500"}),
    "some": (206, {}),
}


class Faulty(BaseHTTPRequestHandler):
    """Answers about `data`; requests for some of its bytes fail as `how` says."""

    protocol_version = "HTTP/1.1"
    data: bytes
    bad: range
    how: str
    version: int

    def do_HEAD(self) -> None:
        if self.how == "denied":
            self._head(403, 0)
        else:
            self._head(200, len(self.data))

    def do_GET(self) -> None:
        if self.how in HEADERS:
            status, headers = HEADERS[self.how]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(self.data)
            self.close_connection = True
            return
        start, _, stop = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        part = self.data[int(start) : int(stop) + 1 if stop else None]
        fails = int(start) < self.bad.stop and int(start) + len(part) > self.bad.start
        if fails and self.how == "error":
            self._head(500, len(ERROR))
            self.wfile.write(ERROR)
            return
        if fails and self.how == "renew":
            type(self).version += 1
        self._head(206 if "Range" in self.headers else 200, len(part))
        if not fails or self.how == "renew":
            self.wfile.write(part)
            return
        self.wfile.write(part[: len(part) // 2])
        self.wfile.flush()
        if self.how == "silence":
            time.sleep(1)
        self.close_connection = True

    def _head(self, code: int, length: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", f'"{self.version}"')
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server of this computer."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def serving(data: bytes, bad: range, how: str) -> Iterator[str]:
    """The address of a server; `how` is drop, error, silence, renew, denied or one of HEADERS."""
    Faulty.data, Faulty.bad, Faulty.how, Faulty.version = data, bad, how, 1
    with served(Faulty) as address:
        yield address
