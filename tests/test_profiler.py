"""Recordings: what runs is in them under the user's names, and Perfetto can read them."""

from __future__ import annotations

import collections
import gzip
import json
import socket
import threading
import urllib.error
import urllib.request

import pytest

import jx
import jx.numpy as jnp
from jx_xla import perfetto


def events_of(folder):
    (made,) = folder.glob("plugins/profile/*/perfetto_trace.json.gz")
    with gzip.open(made) as file:
        return json.load(file)["traceEvents"]


def test_a_recording_names_the_users_functions_and_annotations(tmp_path):
    @jx.jit
    def my_model(x):
        return jnp.sin(x) @ x

    @jx.profiler.annotate_function
    def my_step(x):
        return my_model(x).block_until_ready()

    x = jnp.ones((64, 64))
    with jx.profiler.trace(tmp_path, create_perfetto_trace=True):
        with jx.profiler.StepTraceAnnotation("train", step_num=3):
            my_step(x)
        with jx.profiler.TraceAnnotation("evaluate", split="test"):
            my_step(x)
    names = collections.defaultdict(list)
    for event in events_of(tmp_path):
        names[event.get("name")].append(event)
    (step,) = names["train"]
    assert step["args"]["step_num"] == "3"
    assert names["evaluate"][0]["args"]["split"] == "test"
    assert len([n for n in names if n and n.endswith("my_step")]) >= 1
    modules = {e.get("args", {}).get("hlo_module") for e in events_of(tmp_path)}
    assert "jit_my_model" in modules


def test_a_recording_can_be_read_back(tmp_path):
    with jx.profiler.trace(tmp_path):
        jnp.ones(3).sum().block_until_ready()
    (made,) = tmp_path.glob("plugins/profile/*/*.xplane.pb")
    planes = list(jx.profiler.ProfileData.from_file(str(made)).planes)
    assert any(plane.name == "/host:CPU" for plane in planes)
    assert not list(tmp_path.glob("plugins/profile/*/perfetto*"))


def test_one_recording_at_a_time(tmp_path):
    with pytest.raises(RuntimeError, match="no profile is being recorded"):
        jx.profiler.stop_trace()
    with jx.profiler.trace(tmp_path):
        with pytest.raises(RuntimeError, match=f"recorded already, to {tmp_path}"):
            jx.profiler.start_trace(tmp_path)


def test_a_recording_ends_where_the_recorded_code_fails(tmp_path):
    with pytest.raises(ZeroDivisionError):
        with jx.profiler.trace(tmp_path):
            1 / 0  # noqa: B018
    with jx.profiler.trace(tmp_path):
        pass


def test_perfettos_page_may_fetch_the_recording(tmp_path, capsys):
    file = tmp_path / "perfetto_trace.json.gz"
    file.write_bytes(b"a recording")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = threading.Thread(target=perfetto.serve, args=(file, port))
    server.start()
    for _ in range(100):
        try:
            url = f"http://127.0.0.1:{port}/{file.name}"
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.headers["Access-Control-Allow-Origin"] == "https://ui.perfetto.dev"
                assert answer.read() == b"a recording"
            break
        except urllib.error.URLError:  # not listening yet
            threading.Event().wait(0.05)
    server.join(timeout=10)
    assert not server.is_alive()
    assert url in capsys.readouterr().out


def test_annotations_keep_a_functions_name_and_errors():
    @jx.profiler.annotate_function
    def halve(x):
        """Half of it."""
        return x / 2

    assert halve(3) == 1.5
    assert (halve.__name__, halve.__doc__) == ("halve", "Half of it.")
    with pytest.raises(TypeError):
        halve("x")
    named = jx.profiler.annotate_function(abs, name="size")
    assert named(-2) == 2


def test_memory_profiles_say_who_made_an_array(tmp_path):
    from jx_xla.profiler import array_tracebacks

    def made_by_the_user():
        return jnp.arange(1234.0).block_until_ready()

    with pytest.raises(ValueError, match="takes True or False"):
        array_tracebacks.set("sometimes")
    array_tracebacks.set(True)
    try:
        x = made_by_the_user()
        jx.profiler.save_device_memory_profile(tmp_path / "memory.prof")
    finally:
        array_tracebacks.set(False)
    profile = (tmp_path / "memory.prof").read_bytes()
    text = gzip.decompress(profile) if profile[:2] == b"\x1f\x8b" else profile
    assert b"made_by_the_user" in text
    del x


def test_a_server_can_be_started_once():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(ValueError, match="no profiler server"):
        jx.profiler.stop_server()
    jx.profiler.start_server(port)
    try:
        with pytest.raises(ValueError, match="running already"):
            jx.profiler.start_server(port)
    finally:
        jx.profiler.stop_server()
