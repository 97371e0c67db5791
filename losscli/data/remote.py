"""Files that are not here: objects of S3 and Google Cloud Storage, and what a web server sends.

Arrow's file systems read objects, a range at a time. Addresses and credentials come from the usual
variables of the environment; every wait ends.
"""

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, NoReturn, TypeVar

from losscli.data.references import scheme_of
from losscli.errors import FileError, LosscliError

T = TypeVar("T")

#: seconds
CONNECT_TIMEOUT = 10.0
REQUEST_TIMEOUT = 30.0
ATTEMPTS = 3
#: the status of an answer that has a part of what there is
PARTIAL = 206
#: bytes of a request: a few to tell the format, then as many as make up for the wait
_FIRST, _RANGE = 1 << 16, 1 << 23
_SIGNING = (
    "keys are read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; "
    "AWS_NO_SIGN_REQUEST=YES reads public buckets without"
)
_BROKEN = "the transfer failed: "
#: requests that read a small object: its bytes, and that there are no more
ONE_GO = 2
#: what is said of an object that differs once it was written anew
_VERSION = ("ETag", "Content-Length", "Last-Modified", "generation", "size")
#: what Arrow says of errors that it gets from a server, or from none
_FROM_SERVER = re.compile("AWS Error|google::cloud")
_GOOGLE = (
    "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS=FILE; "
    "CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true reads public buckets without"
)
_HINTS = {
    "UNAUTHENTICATED": _GOOGLE,
    "PERMISSION_DENIED": _GOOGLE,
    "NO_CREDENTIALS": _GOOGLE,
    "ACCESS_DENIED": _SIGNING,
    "INVALID_ACCESS_KEY_ID": _SIGNING,
    "SIGNATURE_DOES_NOT_MATCH": _SIGNING,
    "NETWORK_CONNECTION": "AWS_ENDPOINT_URL names a server other than Amazon's",
}


def open_url(url: str) -> io.BufferedReader:
    """The bytes of a URL. Those of an object can be sought."""
    if scheme_of(url) in ("http", "https"):
        return io.BufferedReader(_Response(url), _FIRST)
    files, path = _file_system(url)
    file = _guarded(url, lambda: _open(files, path, url))
    transfer = Transfer(url, file.metadata(), lambda: files.open_input_file(path))
    return io.BufferedReader(_Object(file, transfer), _RANGE)


def native(stream: io.BufferedReader) -> tuple[Any, "Transfer"]:
    """The file of Arrow under a stream of `open_url`, whose owner one is from now on."""
    raw: Any = stream.raw
    file, raw.file = raw.file, None
    return file, raw.transfer


class Transfer:
    """Tells what goes wrong on the way from what is wrong with an object."""

    def __init__(self, url: str, opened: Any, again: Callable[[], Any]) -> None:
        """`opened` is what was said of the object, `again` opens it once more."""
        self._url, self._opened, self._again = url, opened, again

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Reading of the object: an error of the transfer becomes a FileError, others pass."""
        try:
            yield
        except Exception as error:
            if _FROM_SERVER.search(str(error)):
                raise _failed(self._url, error, _BROKEN) from None
            self.check()
            raise

    def check(self) -> None:
        """Raise a FileError when the object is another one by now."""
        with _guarded(self._url, self._again) as file:
            now = file.metadata()
        if any(now.get(name) != self._opened.get(name) for name in _VERSION):
            raise FileError(f"{self._url}: was written anew while it was read", "read it again")


def listing(url: str) -> tuple[str, list[str]] | None:
    """The root of a directory or a pattern, and its files; None where a URL is one file."""
    if scheme_of(url) in ("http", "https"):
        return None
    files, path = _file_system(url)
    prefix = f"{scheme_of(url)}://"
    pattern = re.search(r"[^/]*[*?\[]", path)
    root = (path[: pattern.start()] if pattern else path).rstrip("/")
    is_directory = _guarded(url, lambda: _is_directory(files, path))
    if is_directory is False or (pattern is None and is_directory is None):
        return None
    found = _guarded(url, lambda: list(_files_under(files, root)))
    if pattern is not None:
        found = [each for each in found if matches(each.split("/"), path.split("/"))]
    return prefix + root, [prefix + each for each in found]


def matches(names: list[str], patterns: list[str]) -> bool:
    """Whether the names of a path match patterns, of which `**` is any number of them."""
    if not patterns or not names:
        return patterns in ([], ["**"]) and not names
    if patterns[0] == "**":
        return matches(names, patterns[1:]) or matches(names[1:], patterns)
    return fnmatchcase(names[0], patterns[0]) and matches(names[1:], patterns[1:])


def _file_system(url: str) -> tuple[Any, str]:
    """Arrow's file system for a URL, and the path in it: bucket/key."""
    scheme, path = scheme_of(url), url.partition("://")[2].strip("/")
    if not path:
        raise FileError(f"{url}: names no bucket", "such as s3://bucket/predictions.parquet")
    if scheme == "s3":
        return _guarded(url, lambda: _s3(path.partition("/")[0])), path
    if scheme in ("gs", "gcs"):
        return _guarded(url, _gcs), path
    raise FileError(f"{url}: nothing reads {scheme}://", "s3://, gs://, http:// and https:// are")


def _s3(bucket: str) -> Any:
    from pyarrow import fs

    given = os.environ.get
    scheme, _, server = _endpoint().rpartition("://")
    region = given("AWS_REGION") or given("AWS_DEFAULT_REGION")
    if region is None and not server:
        region = fs.resolve_s3_region(bucket)
    return fs.S3FileSystem(
        anonymous=_said("AWS_NO_SIGN_REQUEST") or _said("AWS_SKIP_SIGNATURE"),
        endpoint_override=server.rstrip("/") or None,
        scheme=scheme or "https",
        region=region,
        connect_timeout=CONNECT_TIMEOUT,
        request_timeout=REQUEST_TIMEOUT,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
    )


def _endpoint() -> str:
    """The server that the environment names in place of Amazon's."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def _gcs() -> Any:
    from pyarrow import fs

    scheme, _, server = os.environ.get("STORAGE_EMULATOR_HOST", "").rpartition("://")
    return fs.GcsFileSystem(
        anonymous=bool(server) or _said("CLOUDSDK_AUTH_DISABLE_CREDENTIALS"),
        endpoint_override=server.rstrip("/") or None,
        scheme=scheme or ("http" if server else "https"),
        retry_time_limit=timedelta(seconds=REQUEST_TIMEOUT),
    )


def _said(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in ("1", "y", "yes", "true", "on")


def _open(files: Any, path: str, url: str) -> Any:
    bucket, _, key = path.partition("/")
    try:
        if key:
            return files.open_input_file(path)
        raise FileNotFoundError
    except FileNotFoundError:
        if not _is_directory(files, bucket):
            raise FileError(f"{url}: there is no bucket {bucket}") from None
        raise FileError(f"{url}: there is no such object in the bucket {bucket}") from None


def _is_directory(files: Any, path: str) -> bool | None:
    """Whether a path is a directory; None where there is nothing."""
    from pyarrow import fs

    kind = files.get_file_info(path).type
    return None if kind == fs.FileType.NotFound else bool(kind == fs.FileType.Directory)


def _files_under(files: Any, root: str) -> Iterator[str]:
    from pyarrow import fs

    for info in files.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True)):
        if info.is_file:
            yield info.path


def _guarded(url: str, work: Callable[[], T], what: str = "") -> T:
    """The result of some work with a server; what goes wrong there becomes a FileError."""
    try:
        return work()
    except LosscliError:
        raise
    except Exception as error:
        raise _failed(url, error, what) from None


def _failed(url: str, error: Exception, what: str) -> FileError:
    """What a server's error says, in one line."""
    text = " ".join(str(error).split())
    name, said = "", text
    if amazon := re.search(r"AWS Error (\w+)(?: \(.*?\))? during \w+ operation: (.*)", text):
        name, said = amazon[1], re.sub(r"\s*\(Request ID:.*", "", amazon[2])
    elif google := re.search(r"google::cloud::Status\((\w+): (.*)\)", text):
        name, said = google[1], google[2].partition(" error_info=")[0]
        said = said.rpartition("with a last message of ")[2]
        if "OAuth2 access token" in said:
            name, said = "NO_CREDENTIALS", f"no credentials: {said.rpartition('message was: ')[2]}"
    said = re.sub(r"(PerformWork\(\) - )?CURL error \[\d+\]=|curlCode: \d+, ", "", said)
    said = re.sub(r"; Details: $", "", said).rstrip(".")
    if said in ("", "No response body"):
        said = name.replace("_", " ").lower()
    hint = _HINTS.get(name, "")
    if name == "NETWORK_CONNECTION" and _endpoint():
        # A transfer that was cut short had found its server.
        hint = "" if what else f"AWS_ENDPOINT_URL is {_endpoint()}"
    return FileError(f"{url}: {what}{said or type(error).__name__}", hint)


class _Object(io.RawIOBase):
    """An object of a store, in ranges that grow."""

    def __init__(self, file: Any, transfer: Transfer) -> None:
        self.file, self.transfer = file, transfer
        self._requests = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self.file.seek(offset, whence))

    def tell(self) -> int:
        return int(self.file.tell())

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), _FIRST if self.tell() == 0 else _RANGE)
        with self.transfer.reading():
            data = self.file.read(size)
        self._requests += 1
        if not data and self._requests > ONE_GO:
            self.transfer.check()
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed and self.file is not None:
            self.file.close()
        super().close()


class _Response(io.RawIOBase):
    """What a web server sends, which must be as long as it says."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._response = _guarded(url, self._ask)
        length = self._response.headers.get("Content-Length")
        if length is not None and not re.fullmatch(r"[0-9]{1,18}", length.strip()):
            self._refuse(f"Content-Length: {length[:60]!r} is no number of bytes")
        if self._response.status == PARTIAL:
            part = self._response.headers.get("Content-Range", "which part, it does not say")
            self._refuse(f"206 Partial Content: {part[:60]}, where all of it was asked for")
        self._left = None if length is None else int(length)

    def _refuse(self, why: str) -> NoReturn:
        self._response.close()
        raise FileError(f"{self._url}: the server answers with {why}")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = _guarded(self._url, lambda: self._response.read(len(buffer)), _BROKEN)
        if self._left is not None:
            self._left -= len(data)
            if not data and self._left > 0:
                raise FileError(
                    f"{self._url}: {_BROKEN}cut short, {self._left} bytes before its end"
                )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed and hasattr(self, "_response"):
            self._response.close()
        super().close()

    def _ask(self) -> Any:
        from urllib.error import HTTPError, URLError
        from urllib.request import Request, urlopen

        request = Request(self._url, headers={"User-Agent": "losscli"})
        try:
            return urlopen(request, timeout=REQUEST_TIMEOUT)
        except HTTPError as error:
            error.close()
            raise FileError(f"{self._url}: {error.code} {error.reason}") from None
        except URLError as error:
            raise FileError(f"{self._url}: {error.reason}") from None
