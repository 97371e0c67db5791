"""Objects of a real S3 server, and what a real web server sends: both on this machine."""

import contextlib
import gzip
import logging
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import fs

import losscli
from losscli.data import remote
from losscli.errors import DataError, FileError
from tests.conftest import ROOT, Run
from tests.faulty import Faulty, served, serving
from tests.test_formats import WRITERS

COLUMNS = {"pred": np.arange(3000) / 7, "target": np.zeros(3000)}
CSV = b"pred,target\n1,2\n"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3 server with the bucket `box`."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def put(server: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], None]:
    """Puts an object into an empty bucket; the environment names the server."""
    urllib.request.urlopen(f"http://{server}/moto-api/reset", b"").close()
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": f"http://{server}"}.items():
        monkeypatch.setenv(name, value)
    files = fs.S3FileSystem(
        access_key="key", secret_key="secret", endpoint_override=server, scheme="http",
        allow_bucket_creation=True,
    )  # fmt: skip
    files.create_dir("box")

    def put(key: str, data: bytes) -> None:
        with files.open_output_stream(f"box/{key}", compression=None) as out:
            out.write(data)

    return put


def test_objects_of_every_format(put: Callable[[str, bytes], None], tmp_path: Path) -> None:
    expected = losscli.compute("mse", **COLUMNS).value
    for suffix, write in WRITERS.items():
        write(tmp_path / f"t.{suffix}", COLUMNS)
        put(f"t.{suffix}", (tmp_path / f"t.{suffix}").read_bytes())
        assert losscli.compute("mse", data=f"s3://box/t.{suffix}").value == expected


def test_two_files_in_one_object(put: Callable[[str, bytes], None], tmp_path: Path) -> None:
    for suffix in ("parquet", "feather", "npz"):
        path = tmp_path / f"t.{suffix}"
        WRITERS[suffix](path, COLUMNS)
        put(path.name, path.read_bytes() * 2)
        with pytest.raises(FileError, match=rf"^s3://box/t\.{suffix}: .*in one"):
            losscli.compute("mse", data=f"s3://box/t.{suffix}")


def test_long_objects_are_read_in_ranges(
    put: Callable[[str, bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_FIRST", 100)
    monkeypatch.setattr(remote, "_RANGE", 1000)
    lines = b"".join(b"%d,0\n" % i for i in range(5000))
    put("long.csv", b"pred,target\n" + lines)
    put("long.csv.gz", gzip.compress(b"pred,target\n" + lines))
    for name in ("long.csv", "long.csv.gz"):
        found = losscli.compute("mae", data=f"s3://box/{name}")
        assert (found.value, found.n) == (2499.5, 5000)


def test_prefixes_patterns_and_partitions(put: Callable[[str, bytes], None]) -> None:
    for i in (1, 2, 10):
        put(f"s/w={i}/p.csv", b"pred,target\n%d,0\n" % i)
    put("s/_SUCCESS", b"")
    put("s/w=1/.p.csv.crc", b"")
    put("a[1].csv", CSV)
    for url, rows in {
        "s3://box/s": [1, 4, 100],
        "s3://box/s/": [1, 4, 100],
        "s3://box/s/*/*.csv": [1, 4, 100],
        "s3://box/**/p.csv": [1, 4, 100],
        "s3://box/s/w=1*/p.csv": [1, 100],
        "s3://box/s/w=[2]/*": [4],
    }.items():
        found = losscli.compute("mae", data=url, weight="w", per_sample=True)
        assert found.per_sample.tolist() == rows, url
    assert losscli.compute("mse", data="s3://box/a[1].csv").value == 1
    put("s/w=2/p.csv", b"pred,target\nx,0\n")
    with pytest.raises(
        DataError, match=r"^s3://box/s/w=2/p\.csv, column 'pred', row 1 \(line 2\): got 'x'"
    ):
        losscli.compute("mae", data="s3://box/s")


def test_patterns_of_names() -> None:
    """As Python's glob has them."""
    for pattern, path, expected in (
        ("a/*.csv", "a/b.csv", True),
        ("a/*.csv", "a/b/c.csv", False),
        ("a/**/*.csv", "a/b/c/d.csv", True),
        ("a/**/*.csv", "a/d.csv", True),
        ("**", "a/b", True),
        ("a/**", "b/c", False),
        ("a", "a/b", False),
    ):
        assert remote.matches(path.split("/"), pattern.split("/")) == expected


def test_what_is_not_there(put: Callable[[str, bytes], None]) -> None:
    put("p.csv", CSV)
    for url, message in {
        "s3://box/q.csv": "there is no such object in the bucket box",
        "s3://cup/p.csv": "there is no bucket cup",
        "s3://cup": "there is no bucket cup",
        "s3://cup/*.csv": r"no file matches|bucket does not exist",
        "s3://box/*.tsv": "no file matches",
        "s3://": "names no bucket",
        "hdfs://n/p.csv": "nothing reads hdfs://",
    }.items():
        with pytest.raises(FileError) as error:
            losscli.compute("mse", data=url)
        assert error.match(message)
        assert "\n" not in error.value.message
        assert error.value.message.startswith(f"{url}: ")


def _unsigned_requests(server: str, count: int) -> None:
    """After how many requests the server looks at keys."""
    address, plain = f"http://{server}/moto-api/reset-auth", {"Content-Type": "text/plain"}
    request = urllib.request.Request(address, str(count).encode(), plain)
    urllib.request.urlopen(request).close()


def test_credentials(
    put: Callable[[str, bytes], None], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is told to look at keys from now on: it knows none."""
    put("p.csv", CSV)
    monkeypatch.setenv("AWS_NO_SIGN_REQUEST", "YES")
    assert losscli.compute("mse", data="s3://box/p.csv").value == 1
    monkeypatch.delenv("AWS_NO_SIGN_REQUEST")
    _unsigned_requests(server, 0)
    try:
        for url in ("s3://box/p.csv", "s3://box/*.csv"):
            with pytest.raises(FileError, match=r"access denied|does not exist in our") as error:
                losscli.compute("mse", data=url)
            assert "AWS_ACCESS_KEY_ID" in error.value.hint
    finally:
        _unsigned_requests(server, 1_000_000)


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server as Amazon's: it says nothing more to whom it does not know."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    with serving(CSV, range(0), "denied") as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
        with pytest.raises(FileError, match=r"^s3://box/p\.csv: access denied$") as error:
            losscli.compute("mse", data="s3://box/p.csv")
    assert "AWS_NO_SIGN_REQUEST" in error.value.hint


def test_objects_on_the_command_line(put: Callable[[str, bytes], None], run: Run) -> None:
    put("p.parquet", b"")
    put("p.csv", CSV)
    done = run("compute", "mse", "--pred", "s3://box/p.csv#pred", "--target", "s3://box/*.csv#target",
               "-f", "value")  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("1.0\n", "", 0)
    done = run("compute", "mse", "--data", "s3://box/q.csv")
    assert (done.stdout, done.returncode) == ("", 4)
    assert done.stderr == "error: s3://box/q.csv: there is no such object in the bucket box\n"


def test_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": f"http://{address}"}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(FileError, match=r"s3://box/p\.csv: .*connect") as error:
            losscli.compute("mse", data="s3://box/p.csv")
        assert error.value.hint == f"AWS_ENDPOINT_URL is http://{address}"
        with pytest.raises(FileError, match=rf"http://{address}/p\.csv: .*refused"):
            losscli.compute("mse", data=f"http://{address}/p.csv")


def test_every_wait_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes connections and says nothing."""
    monkeypatch.setattr(remote, "REQUEST_TIMEOUT", 0.5)
    monkeypatch.setattr(remote, "ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": f"http://{address}"}.items():
            monkeypatch.setenv(name, value)
        start = time.monotonic()
        for url in ("s3://box/p.csv", f"http://{address}/p.csv"):
            with pytest.raises(FileError, match=r"(?i)time"):
                losscli.compute("mse", data=url)
        assert time.monotonic() - start < 20


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that holds the objects of the bucket `box`."""
    folder = tmp_path / "box"
    folder.mkdir()
    command = [sys.executable, "-m", "tests.gcs", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        yield folder
        server.kill()


def test_objects_of_google(google: Path) -> None:
    expected = losscli.compute("mse", **COLUMNS).value
    for suffix in ("csv", "csv.gz", "parquet", "arrow", "npz"):
        WRITERS[suffix](google / f"t.{suffix}", COLUMNS)
        assert losscli.compute("mse", data=f"gs://box/t.{suffix}").value == expected
    for i in (1, 2, 10):
        (google / f"s/w={i}").mkdir(parents=True)
        (google / f"s/w={i}/p.csv").write_text(f"pred,target\n{i},0\n")
    for url in ("gs://box/s", "gs://box/s/*/*.csv"):
        found = losscli.compute("mae", data=url, weight="w", per_sample=True)
        assert found.per_sample.tolist() == [1, 4, 100]
    for url, message in {
        "gs://box/q.csv": "there is no such object in the bucket box",
        "gs://cup/q.csv": "there is no bucket cup",
        "gs://box/*.tsv": "no file matches",
    }.items():
        with pytest.raises(FileError, match=f"^{re.escape(url)}: {message}$"):
            losscli.compute("mse", data=url)


def test_credentials_of_google(google: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (google / "private.csv").write_bytes(CSV)
    with pytest.raises(FileError) as error:
        losscli.compute("mse", data="gs://box/private.csv")
    assert error.value.message.startswith("gs://box/private.csv: ")
    assert "anonymous caller has no access" in error.value.message
    assert "GOOGLE_APPLICATION_CREDENTIALS" in error.value.hint
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/none.json")
    with pytest.raises(FileError) as error:
        losscli.compute("mse", data="gs://box/p.csv")
    assert error.value.message == (
        "gs://box/p.csv: no credentials: Cannot open credentials file /none.json"
    )
    assert "CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true" in error.value.hint


class _Handler(BaseHTTPRequestHandler):
    """Sends what is at a path of `files`; some paths misbehave."""

    files: dict[str, bytes]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/t.csv")
            self.end_headers()
            return
        data = self.files.get(path.removeprefix("/cut"))
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data) + (7 if path.startswith("/cut") else 0)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    with served(_Handler) as address:
        yield f"http://{address}"


def test_web_servers(web: str, tmp_path: Path) -> None:
    expected = losscli.compute("mse", **COLUMNS).value
    _Handler.files = {}
    for suffix, write in WRITERS.items():
        write(tmp_path / f"t.{suffix}", COLUMNS)
        _Handler.files[f"/t.{suffix}"] = (tmp_path / f"t.{suffix}").read_bytes()
        assert losscli.compute("mse", data=f"{web}/t.{suffix}?token=a*b").value == expected
        with pytest.raises(FileError, match="cut short, 7 bytes before its end"):
            losscli.compute("mse", data=f"{web}/cut/t.{suffix}")
    both = losscli.compute("mse", pred=f"{web}/moved#pred", target=f"{tmp_path}/t.csv#target")
    assert both.value == expected
    with pytest.raises(FileError, match=rf"^{web}/none: 404 Not Found$"):
        losscli.compute("mse", data=f"{web}/none")


FAULTY = ("csv", "csv.gz", "csv.zst", "jsonl", "parquet", "arrow", "arrows", "npz", "npy")


@pytest.fixture
def broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], AbstractContextManager[str]]:
    """Serves a file in a format, of whose middle no byte comes as it should."""
    monkeypatch.setattr(remote, "REQUEST_TIMEOUT", 0.5)
    monkeypatch.setattr(remote, "ATTEMPTS", 1)
    monkeypatch.setattr(remote, "_RANGE", 1 << 17)

    @contextlib.contextmanager
    def broken(suffix: str, how: str) -> Iterator[str]:
        path = tmp_path / f"t.{suffix}"
        numbers = np.random.default_rng(1).normal(size=100_000)
        WRITERS[suffix](path, {"pred": numbers, "target": numbers[::-1].copy()})
        data = path.read_bytes()
        with serving(data, range(len(data) // 3, len(data) // 2), how) as address:
            for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": f"http://{address}"}.items():
                monkeypatch.setenv(name, value)
            yield address

    return broken


@pytest.mark.parametrize(
    ("suffix", "how"),
    [*product(FAULTY, ["drop", "error"]), ("csv", "silence"), ("parquet", "silence")],
)
def test_a_transfer_that_fails_is_no_damage(
    suffix: str, how: str, broken: Callable[[str, str], AbstractContextManager[str]]
) -> None:
    with broken(suffix, how) as address:
        for url in (f"s3://box/t.{suffix}", f"http://{address}/t.{suffix}"):
            with pytest.raises(FileError) as error:
                losscli.compute("mse", data=url)
            told = "" if how == "error" and url[0] == "h" else "the transfer failed: "
            assert error.value.message.startswith(f"{url}: {told}")
            assert "damaged" not in error.value.message
            assert "\n" not in error.value.message


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("length", "Content-Length: 'abc' is no number of bytes"),
        ("negative", "Content-Length: '-5' is no number of bytes"),
        ("underscore", "Content-Length: '1_0' is no number of bytes"),
        ("partial", "206 Partial Content: bytes 0-9/500, where all of it was asked for"),
        ("some", "206 Partial Content: which part, it does not say, where all of it was asked for"),
    ],
)
def test_answers_that_make_no_sense(how: str, message: str) -> None:
    with serving(CSV, range(0), how) as address:
        with pytest.raises(FileError) as error:
            losscli.compute("mse", data=f"http://{address}/p.csv")
        assert error.value.message == f"http://{address}/p.csv: the server answers with {message}"


def test_a_server_that_is_named_is_not_asked_for(
    broken: Callable[[str, str], AbstractContextManager[str]],
) -> None:
    with broken("csv", "drop"), pytest.raises(FileError) as error:
        losscli.compute("mse", data="s3://box/t.csv")
    assert "AWS_ENDPOINT_URL" not in error.value.hint


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_object_that_is_written_anew_while_it_is_read(
    suffix: str, broken: Callable[[str, str], AbstractContextManager[str]]
) -> None:
    with broken(suffix, "renew"):
        with pytest.raises(FileError, match=r"t\.\w+: was written anew while it was read$"):
            losscli.compute("mse", data=f"s3://box/t.{suffix}")
        Faulty.how = "send"
        Faulty.bad = range(0)
        assert losscli.compute("mse", data=f"s3://box/t.{suffix}").n == 100_000


def test_damage_of_an_object_is_no_transfer(
    put: Callable[[str, bytes], None], tmp_path: Path
) -> None:
    WRITERS["parquet"](tmp_path / "t.parquet", COLUMNS)
    data = bytearray((tmp_path / "t.parquet").read_bytes())
    data[4:400] = bytes(396)
    put("t.parquet", bytes(data))
    with pytest.raises(FileError, match=r"t\.parquet: damaged after row 0"):
        losscli.compute("mse", data="s3://box/t.parquet")


def test_a_file_may_be_called_as_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.makedirs("s3:/box")
    Path("s3:/box/p.csv").write_bytes(CSV)
    assert losscli.compute("mse", data="s3://box/p.csv").value == 1


def test_nothing_remote_is_loaded_for_files_on_disk(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(CSV)
    code = "import sys, losscli; losscli.compute('mse', data='p.csv'); " \
        "print([m for m in ('pyarrow.fs', 'losscli.data.remote', 'losscli.data.dataset', " \
        "'losscli.data.jsonl', 'urllib.request', 'glob') if m in sys.modules])"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=tmp_path, env={"PYTHONPATH": os.getcwd()}, check=False)  # fmt: skip
    assert (done.stdout, done.stderr) == ("[]\n", "")
