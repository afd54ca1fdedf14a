"""Recordings in the form that Perfetto opens, and handed to it in a browser.

The profiler writes its own format and, beside it, Chrome's trace events in JSON. Perfetto reads
those once events name a process and a thread that are declared. Its page fetches a file from a
web server on this machine if the server allows it to
(https://perfetto.dev/docs/visualization/deep-linking-to-perfetto-ui).
"""

from __future__ import annotations

import gzip
import http.server
import json
import socketserver
from pathlib import Path
from typing import Any

_ADDRESS = "https://ui.perfetto.dev"


def convert(folder: Path) -> Path:
    """Write `perfetto_trace.json.gz` beside the newest recording below `folder`.

    Raises:
        FileNotFoundError: there is no recording.
    """
    runs = sorted((folder / "plugins" / "profile").glob("*/"), key=lambda p: p.stat().st_mtime)
    if not runs:
        raise FileNotFoundError(f"no recording below {folder}: the profiler wrote none")
    events: list[dict[str, Any]] = []
    metadata: dict[str, Any] = {}
    # One file for each host; names of processes are theirs alone.
    for i, source in enumerate(sorted(runs[-1].glob("*.trace.json.gz"))):
        with gzip.open(source, "rb") as file:
            record = json.load(file)
        metadata = {k: v for k, v in record.items() if k != "traceEvents"}
        events += [_event(e, i) for e in record["traceEvents"] if e]
    made = runs[-1] / "perfetto_trace.json.gz"
    with gzip.open(made, "wb") as file:
        file.write(json.dumps({**metadata, "traceEvents": events}).encode())
    return made


_PROCESSES = 10_000  # more than one host has


def _event(event: dict[str, Any], host: int) -> dict[str, Any]:
    if host and "pid" in event:
        return {**event, "pid": event["pid"] + host * _PROCESSES}
    return event


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files to Perfetto's page alone."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", _ADDRESS)
        super().end_headers()

    def do_GET(self) -> None:
        self.server.asked_for = self.path  # type: ignore[attr-defined]
        super().do_GET()

    def log_message(self, *args: Any) -> None:
        """The user's terminal is not a web server's log."""


class _Server(socketserver.TCPServer):
    allow_reuse_address = True
    asked_for: str | None = None


def serve(file: Path, port: int = 9001) -> None:
    """Print a link that opens `file` in Perfetto, and wait until the browser has fetched it.

    The port is the one that Perfetto's page may read from.
    """

    def handler(*args: Any, **kwargs: Any) -> _Handler:
        return _Handler(*args, directory=str(file.parent), **kwargs)

    with _Server(("127.0.0.1", port), handler) as server:
        url = f"{_ADDRESS}/#!/?url=http://127.0.0.1:{server.server_address[1]}/{file.name}"
        print(f"Open this in a browser: {url}", flush=True)
        while server.asked_for != f"/{file.name}":
            server.handle_request()
