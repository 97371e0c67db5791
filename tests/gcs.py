"""As much of Google Cloud Storage as reading takes: objects of a bucket, by its JSON interface.

    python -m tests.gcs FOLDER     serve the files of a folder as the bucket `box`, print the port

A process of its own: Arrow waits for answers without letting other threads of Python run.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

BUCKET = "/storage/v1/b/box"
TIMES = {"timeCreated": "2024-01-01T00:00:00Z", "updated": "2024-01-01T00:00:00Z"}


class Handler(BaseHTTPRequestHandler):
    """Answers about the files of `folder`."""

    protocol_version = "HTTP/1.1"
    folder: Path

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        key = unquote(url.path.removeprefix(f"{BUCKET}/o/"))
        if url.path == BUCKET:
            self.answer({"kind": "storage#bucket", "id": "box", "name": "box", **TIMES})
        elif url.path == f"{BUCKET}/o":
            (prefix,) = query.get("prefix", [""])
            keys = sorted(
                str(path.relative_to(self.folder))
                for path in self.folder.rglob("*")
                if path.is_file()
            )
            items = [self.about(key) for key in keys if key.startswith(prefix)]
            self.answer({"kind": "storage#objects", "items": items})
        elif not url.path.startswith(f"{BUCKET}/o/") or not (self.folder / key).is_file():
            self.answer({"error": {"code": 404, "message": "Not Found"}}, 404)
        elif key.startswith("private"):
            self.answer({"error": {"code": 403, "message": "anonymous caller has no access"}}, 403)
        elif query.get("alt") == ["media"]:
            data = (self.folder / key).read_bytes()
            first, _, last = (
                self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
            )
            self.send(data[int(first) : int(last) + 1 if last else None], 206)
        else:
            self.answer(self.about(key))

    def about(self, key: str) -> dict[str, Any]:
        size = (self.folder / key).stat().st_size
        names = {"kind": "storage#object", "id": key, "name": key, "bucket": "box"}
        return {**names, "generation": "1", "metageneration": "1", "size": str(size), **TIMES}

    def answer(self, value: dict[str, Any], code: int = 200) -> None:
        self.send(json.dumps(value).encode(), code)

    def send(self, data: bytes, code: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    Handler.folder = Path(sys.argv[1])
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
