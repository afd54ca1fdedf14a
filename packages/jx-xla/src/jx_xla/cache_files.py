"""The files of the persistent compilation cache: entries by key in one folder, bounded in size.

Many processes may use one folder at once, on network file systems too:

- An entry is written to a temporary file and renamed into place, so that readers see all of it
  or none, and of two writers the last one wins.
- An entry begins with a header of magic, version, checksum and length. A reader that finds
  another, after a crash or on a failing disk, raises `CorruptEntry` instead of giving bytes.
- Reading an entry sets its file's time, so the files in order of time are in order of last use.
  Where there is a bound, the least recently used ones are removed, by one process at a time,
  under a lock that nothing else needs.

What is an entry, by which key, and what happens when the disk says no, is the business of
`compilation_cache`.
"""

from __future__ import annotations

import contextlib
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SUFFIX = ".jxc"
FORMAT = 1
_MAGIC = b"jxcache\n"
# Magic, format, digest of what follows it, seconds that compiling took, bytes uncompressed.
_HEADER = struct.Struct("<8sI16sdQ")
_DIGESTED = _HEADER.size - struct.calcsize("<dQ")

_LOCK = ".lock"
_TEMPORARY = ".tmp-"
_STALE_SECONDS = 3600.0  # a temporary file this old was left by a process that has died

# When a bound is passed, entries go until this much of it is used, so that not every write
# has to look at the whole folder.
_KEEP = 0.9


class CorruptEntry(Exception):
    """An entry is not what was written: truncated, overwritten, or of another format."""


class Entry(NamedTuple):
    """What is kept.

    Attributes:
        data: the bytes.
        seconds: how long they took to make.
    """

    data: bytes
    seconds: float


def pack(entry: Entry) -> bytes:
    """An entry as the content of a file."""
    import zlib

    # Level 1 halves to quarters executables at some 200 MB/s; level 6 gains another fifth of
    # the size for five times the time.
    body = struct.pack("<dQ", entry.seconds, len(entry.data)) + zlib.compress(entry.data, 1)
    return struct.pack("<8sI16s", _MAGIC, FORMAT, _digest(body)) + body


def unpack(content: bytes) -> Entry:
    """The entry in the content of a file.

    Raises:
        CorruptEntry: it is none, or not all of one.
    """
    import zlib

    if len(content) < _HEADER.size:
        raise CorruptEntry(f"it has {len(content)} bytes, fewer than its header")
    magic, version, digest, seconds, length = _HEADER.unpack_from(content)
    if magic != _MAGIC:
        raise CorruptEntry("it does not begin as an entry does")
    if version != FORMAT:
        raise CorruptEntry(f"it is of format {version}, not {FORMAT}")
    if _digest(content[_DIGESTED:]) != digest:
        raise CorruptEntry("its checksum is wrong")
    try:
        data = zlib.decompress(content[_HEADER.size :], bufsize=max(length, 1))
    except zlib.error as error:
        raise CorruptEntry(f"it can't be decompressed ({error})") from None
    return Entry(data, seconds)


def _digest(body: bytes) -> bytes:
    import hashlib

    return hashlib.blake2b(body, digest_size=16).digest()


class CacheFiles:
    """The entries in one folder.

    Args:
        folder: made when first written to.
        max_size: the most bytes that all entries may have together; negative for no bound.

    All methods raise OSError where the file system does.
    """

    def __init__(self, folder: Path, max_size: int = -1) -> None:
        self.folder = folder
        self.max_size = max_size
        self._unaccounted: int | None = None  # bytes that may yet be written before looking

    def path(self, key: str) -> Path:
        """The file of an entry."""
        return self.folder / (key + SUFFIX)

    def read(self, key: str) -> Entry | None:
        """The entry of this key, None if there is none.

        Raises:
            CorruptEntry: there is something else in its place.
        """
        path = self.path(key)
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        entry = unpack(content)
        with contextlib.suppress(OSError):  # a folder that can only be read keeps no order
            os.utime(path)
        return entry

    def write(self, key: str, entry: Entry) -> bool:
        """Keep an entry, in place of one of the same key; False if it is larger than the bound."""
        content = pack(entry)
        if 0 <= self.max_size < len(content):
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f"{_TEMPORARY}{os.getpid()}-{os.urandom(6).hex()}"
        try:
            temporary.write_bytes(content)
            os.replace(temporary, self.path(key))
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        self._account(len(content))
        return True

    def remove(self, key: str) -> None:
        """Remove an entry if it is there."""
        self.path(key).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all entries."""
        for path, _ in self._entries():
            with contextlib.suppress(OSError):
                path.unlink()

    def size(self) -> int:
        """The bytes that all entries have together."""
        return sum(stat.st_size for _, stat in self._entries())

    def _account(self, written: int) -> None:
        """Look whether the bound is passed, if what this process has written since makes it
        possible; others may have written as much, so the folder is looked at early."""
        if self.max_size < 0:
            return
        if self._unaccounted is not None:
            self._unaccounted -= written
            if self._unaccounted > 0:
                return
        free = self.max_size - self.evict()
        self._unaccounted = free // 4

    def evict(self) -> int:
        """Remove what was used least recently until the bound is kept; the bytes that remain.

        Nothing is done where another process is at it.
        """
        with _locked(self.folder / _LOCK) as ours:
            entries = list(self._entries())
            total = sum(stat.st_size for _, stat in entries)
            if not ours:
                return total
            self._remove_stale()
            if total <= self.max_size:
                return total
            entries.sort(key=lambda entry: entry[1].st_mtime_ns)
            for path, stat in entries:
                if total <= self.max_size * _KEEP:
                    break
                with contextlib.suppress(OSError):
                    path.unlink()
                    total -= stat.st_size
            return total

    def _entries(self) -> Iterator[tuple[Path, os.stat_result]]:
        try:
            names = os.listdir(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in names:
            if name.endswith(SUFFIX):
                path = self.folder / name
                with contextlib.suppress(OSError):  # removed by another process meanwhile
                    yield path, path.stat()

    def _remove_stale(self) -> None:
        oldest = time.time() - _STALE_SECONDS
        for path in self.folder.glob(_TEMPORARY + "*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Whether this process alone holds the lock inside. Without locks, as on Windows, always
    yes: two processes that evict at once remove more than they need to, and nothing breaks."""
    try:
        import fcntl
    except ImportError:
        yield True
        return
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(file)  # which releases the lock
