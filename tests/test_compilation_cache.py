"""The persistent compilation cache: what later processes find, and what they must not trust."""

import logging
import os
import stat
import subprocess
import sys
import textwrap
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import jx
import jx.numpy as jnp
from jx.experimental import compilation_cache as cc
from jx_xla import cache_files
from jx_xla.cache_files import CacheFiles, CorruptEntry, Entry, pack, unpack

PROGRAM = "func.func public @main(%a: tensor<8xf32>) -> tensor<8xf32> { func.return %a }"


@pytest.fixture
def folder(tmp_path):
    """A folder that the cache of this process uses."""
    path = tmp_path / "cache"
    cc.reset_cache()
    cc.set_cache_dir(path)
    yield path
    cc.set_cache_dir(None)
    cc.reset_cache()


@pytest.fixture
def events(caplog):
    """What the cache has logged: ("hit", name), ("miss", name)."""
    caplog.set_level(logging.DEBUG, "jx_xla.compilation_cache")

    def told():
        lines = [r.getMessage() for r in caplog.records if r.name == "jx_xla.compilation_cache"]
        return [(line.split()[0].rstrip(":"), line.split()[1]) for line in lines if ": jit" in line]

    yield told


def entries(folder):
    return sorted(folder.glob("*.jxc"))


def fresh(n):
    """A function that no program of this process has been made of, always of the same text."""

    def double(x):
        return jnp.sin(x) * 2 + n

    return jx.jit(double)


class TestOneProcess:
    def test_a_program_is_found_again(self, folder, events):
        x = np.arange(3, dtype=np.float32)
        first = fresh(1)(x)
        assert [e for e in events() if e[1] == "jit_double"] == [("miss", "jit_double")]
        second = fresh(1)(x)
        np.testing.assert_array_equal(first, second)
        np.testing.assert_allclose(second, np.sin(x) * 2 + 1, rtol=1e-6)
        assert ("hit", "jit_double") in events()
        assert [p.name.split("-")[0] for p in entries(folder)] == ["jit_double"]

    def test_other_programs_are_others(self, folder, events):
        x = np.ones(3, np.float32)
        fresh(1)(x), fresh(2)(x), fresh(1)(np.ones(4, np.float32))
        assert not [e for e in events() if e[0] == "hit"]
        assert len(entries(folder)) == 3

    def test_where_a_line_stands_does_not_matter_unless_asked(self, folder, events):
        def at(line):
            code = "\n" * line + "def moved(x): return jnp.cos(x) + 1"
            scope = {"jnp": jnp}
            exec(compile(code, "moved.py", "exec"), scope)
            return jx.jit(scope["moved"])

        x = np.ones(3, np.float32)
        at(1)(x), at(20)(x)
        assert events() == [("miss", "jit_moved"), ("hit", "jit_moved")]
        with cc.compilation_cache_include_metadata_in_key(True):
            at(30)(x)
        assert events()[-1] == ("miss", "jit_moved")

    def test_compiler_options_matter(self, folder, events):
        x = np.ones(3, np.float32)

        def f(x):
            return jnp.exp(x)

        jx.jit(f)(x)
        jx.jit(f, compiler_options={"xla_cpu_enable_fast_math": True})(x)
        assert events() == [("miss", "jit_f"), ("miss", "jit_f")]

    def test_a_program_moves_to_another_device_of_its_kind(self, folder, events):
        x = np.ones(3, np.float32)
        there = jx.devices()[1]
        fresh(3)(x)
        moved = fresh(3)(jx.device_put(x, there))
        assert moved.devices() == {there}
        np.testing.assert_allclose(moved, np.sin(x) * 2 + 3, rtol=1e-6)
        assert events()[-1] == ("hit", "jit_double")

    def test_programs_on_several_devices(self, folder, events):
        mesh = jx.make_mesh((4,), ("x",))
        split = jx.NamedSharding(mesh, jx.P("x"))
        x = jx.device_put(np.arange(8, dtype=np.float32), split)
        first, second = fresh(4)(x), fresh(4)(x)
        assert events()[-1] == ("hit", "jit_double")
        assert second.sharding == first.sharding == split
        np.testing.assert_array_equal(first, second)

    def test_donation_survives(self, folder, events):
        for _ in range(2):

            def step(x):
                return x + 1

            x = jnp.arange(1000.0)
            y = jx.jit(step, donate_argnums=0)(x)
            assert x.is_deleted()
            assert float(y[-1]) == 1000.0
        assert ("hit", "jit_step") in events()

    def test_a_loaded_program_can_be_examined(self, folder, events):
        def examined(x):
            return x @ x

        x = np.ones((8, 8), np.float32)
        costs = [jx.jit(examined).lower(x).compile().cost_analysis()["flops"] for _ in range(2)]
        memory = jx.jit(examined).lower(x).compile().memory_analysis()
        assert [e[0] for e in events()] == ["miss", "hit", "hit"]
        assert costs[0] == costs[1] > 0
        assert memory.argument_size_in_bytes == 256

    def test_eager_operations_are_kept_too(self, folder, events):
        x = np.linspace(0, 1, 7, dtype=np.float32)
        jx.clear_caches()
        first = jx.lax.atan2(jnp.asarray(x), jnp.asarray(x))
        jx.clear_caches()
        second = jx.lax.atan2(jnp.asarray(x), jnp.asarray(x))
        np.testing.assert_array_equal(first, second)
        assert ("hit", "jit_atan2") in events()

    def test_linear_algebra(self, folder, events):
        def factor(x):
            return jx.lax.linalg.cholesky(x)

        x = np.array([[4.0, 2], [2, 3]], np.float32)
        first = jx.jit(factor)(x)
        jx.clear_caches()
        second = jx.jit(factor)(x)
        assert ("hit", "jit_factor") in events()
        np.testing.assert_allclose(first @ first.T, x, rtol=1e-5)
        np.testing.assert_array_equal(first, second)

    def test_limits_of_what_is_kept(self, folder):
        x = np.ones(3, np.float32)
        with cc.persistent_cache_min_compile_time_secs(100.0):
            fresh(1)(x)
        with cc.persistent_cache_min_entry_size_bytes(10**9):
            fresh(1)(x)
        with cc.enable_compilation_cache(False):
            assert not cc.is_initialized()
            fresh(1)(x)
        assert entries(folder) == []
        assert cc.is_initialized()
        fresh(1)(x)
        assert len(entries(folder)) == 1

    def test_programs_that_call_python_are_not_kept(self, folder):
        text = '"stablehlo.custom_call"() {call_target_name = "xla_ffi_python_cpu_callback"}'
        assert cc._calls_python(text)
        assert not cc._calls_python('"stablehlo.custom_call"() {call_target_name = "lapack_x"}')

    def test_what_does_not_compile_is_not_kept(self, folder):
        def rejected(x):
            return x

        with pytest.raises(jx.errors.JaxRuntimeError, match=r"while compiling rejected for \(f32"):
            jx.jit(rejected, compiler_options={"no_such_option": 1})(np.float32(1))
        assert entries(folder) == []

    def test_one_of_several_processes_keeps_what_they_share(self):
        def device(owner, here):
            client = SimpleNamespace(process_index=lambda: here)
            return SimpleNamespace(process_index=owner, client=client)

        def keeps(here, owners):
            return not cc._is_others([device(owner, here) for owner in owners])

        assert [keeps(here, [0, 0, 1, 1]) for here in (0, 1)] == [True, False]
        assert [keeps(here, [here]) for here in (0, 1)] == [True, True]

    def test_no_folder_no_files(self, tmp_path, events):
        assert not cc.is_initialized()
        fresh(9)(np.ones(3, np.float32))
        assert events() == []

    def test_names_of_jax(self):
        assert cc.compilation_cache is cc
        for name in ("dir", "max_size"):
            assert hasattr(jx.config, f"jx_compilation_cache_{name}")
        with pytest.raises(ValueError, match="no URL"):
            jx.config.update("jx_compilation_cache_dir", "gs://bucket/cache")
        with pytest.raises(ValueError, match="a number of bytes, or -1"):
            jx.config.update("jx_compilation_cache_max_size", -2)


class TestTrouble:
    def damage(self, folder, change):
        """Compile, change the entry, compile again; the results and the warnings."""
        x = np.ones(3, np.float32)
        first = fresh(5)(x)
        (path,) = entries(folder)
        good = path.read_bytes()
        path.write_bytes(change(good))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            second = fresh(5)(x)
        np.testing.assert_array_equal(first, second)
        assert unpack(path.read_bytes()).data  # replaced by a good one
        return [str(w.message) for w in caught if w.category is RuntimeWarning]

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda data: data[: len(data) // 2], "its checksum is wrong"),
            (lambda data: b"", "fewer than its header"),
            (lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:], "checksum"),
            (lambda data: b"\0" * len(data), "does not begin as an entry does"),
            (lambda data: data[:8] + b"\xff\0\0\0" + data[12:], "it is of format 255"),
            (lambda data: pack(Entry(b"no executable", 1.0)), "can't be loaded"),
        ],
        ids=["truncated", "empty", "one bit", "zeros", "later format", "other content"],
    )
    def test_a_damaged_entry_is_compiled_anew_and_replaced(self, folder, change, why):
        (told,) = self.damage(folder, change)
        assert why in told
        assert "double is compiled anew" in told

    def test_a_folder_that_can_not_be_written_to(self, folder):
        folder.parent.joinpath("cache").write_text("a file where the folder should be")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for n in range(3):
                fresh(n)(np.ones(3, np.float32))
        (told,) = [str(w.message) for w in caught if w.category is RuntimeWarning]
        assert "can't be written to" in told

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_can_only_be_read(self, folder):
        x = np.ones(3, np.float32)
        fresh(1)(x)
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
        try:
            with pytest.warns(RuntimeWarning, match="can't be written to"):
                fresh(2)(x)
            fresh(1)(x)
        finally:
            folder.chmod(stat.S_IRWXU)

    def test_a_full_disk(self, folder, monkeypatch):
        def full(self, key, entry):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(CacheFiles, "write", full)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fresh(1)(np.ones(3, np.float32)), fresh(2)(np.ones(3, np.float32))
        assert ["No space left" in str(w.message) for w in caught] == [True]

    def test_errors_on_request(self, folder, monkeypatch):
        def fails(self, key):
            raise OSError("broken")

        monkeypatch.setattr(CacheFiles, "read", fails)
        with cc.raise_persistent_cache_errors(True), pytest.raises(OSError, match="broken"):
            fresh(1)(np.ones(3, np.float32))


class TestKey:
    def key(self, text=PROGRAM, **options):
        return cc.cache_key(text, jx.devices()[:1], **options)

    def test_is_stable(self):
        assert self.key() == self.key()
        assert self.key() == cc.cache_key(PROGRAM, jx.devices()[2:3])

    def test_changes_with_everything_that_matters(self, monkeypatch):
        found = {self.key()}

        def changed():
            found.add(self.key())
            return len(found)

        found.add(self.key(PROGRAM + " "))
        found.add(self.key(compiler_options={"xla_cpu_enable_fast_math": True}))
        found.add(cc.cache_key(PROGRAM, jx.devices()[:2]))
        found.add(cc.cache_key(PROGRAM, jx.devices()[1:3]))
        found.add(cc.cache_key(PROGRAM, jx.devices()[:2], num_replicas=2))
        assert len(found) == 6
        monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
        assert changed() == 7
        monkeypatch.setattr(cache_files, "FORMAT", 999)
        assert changed() == 8
        monkeypatch.setattr(cc.executables, "jaxlib_version", "0.99")
        assert changed() == 9
        monkeypatch.setattr(cc, "_host", [("riscv", "another CPU")])
        assert changed() == 10

    def test_does_not_change_with_what_is_dumped(self, monkeypatch):
        before = self.key()
        monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/nowhere --xla_dump_hlo_as_text")
        assert self.key() == before


class TestFiles:
    def files(self, tmp_path, max_size=-1):
        return CacheFiles(tmp_path / "deep" / "folder", max_size)

    def test_what_is_written_is_read(self, tmp_path):
        files = self.files(tmp_path)
        assert files.read("a") is None
        assert files.write("a", Entry(b"xyz" * 1000, 1.5))
        assert files.read("a") == Entry(b"xyz" * 1000, 1.5)
        assert files.size() < 1000
        files.remove("a"), files.remove("a")
        assert files.read("a") is None

    def test_nothing_but_entries_is_left(self, tmp_path):
        files = self.files(tmp_path, 10**6)
        files.write("a", Entry(b"1", 0.0))
        assert sorted(p.name for p in files.folder.iterdir()) == [".lock", "a.jxc"]
        files.clear()
        assert files.size() == 0

    def test_an_interrupted_write_leaves_the_old_entry(self, tmp_path, monkeypatch):
        files = self.files(tmp_path)
        files.write("a", Entry(b"old", 0.0))

        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            files.write("a", Entry(b"new", 0.0))
        assert files.read("a") == Entry(b"old", 0.0)
        assert [p.name for p in files.folder.iterdir()] == ["a.jxc"]

    def noise(self, n):
        return Entry(np.random.default_rng(n).bytes(1000), 0.0)

    def test_the_least_recently_used_go_first(self, tmp_path):
        files = self.files(tmp_path, 6000)
        for i in range(5):
            files.write(str(i), self.noise(i))
            os.utime(files.path(str(i)), (i, i))
        assert files.read("0") is not None  # used again: now the latest
        files.write("5", self.noise(5))
        files.evict()
        left = sorted(p.stem for p in files.folder.glob("*.jxc"))
        assert "1" not in left
        assert {"0", "5"} <= set(left)
        assert files.size() <= 6000

    def test_the_bound_holds_however_much_is_written(self, tmp_path):
        files = self.files(tmp_path, 20_000)
        for i in range(100):
            files.write(str(i), self.noise(i))
            assert files.size() <= 20_000
        assert files.size() > 10_000

    def test_what_is_larger_than_the_bound_is_not_kept(self, tmp_path):
        files = self.files(tmp_path, 500)
        assert not files.write("a", self.noise(1))
        assert files.read("a") is None

    def test_files_of_dead_writers_are_removed(self, tmp_path):
        files = self.files(tmp_path, 10**6)
        files.folder.mkdir(parents=True)
        stale, young = files.folder / ".tmp-1-a", files.folder / ".tmp-2-b"
        stale.write_bytes(b"x"), young.write_bytes(b"x")
        os.utime(stale, (time.time() - 7200,) * 2)
        files.evict()
        assert not stale.exists()
        assert young.exists()

    def test_one_process_evicts_at_a_time(self, tmp_path):
        fcntl = pytest.importorskip("fcntl")
        files = self.files(tmp_path, 10**6)
        files.write("a", self.noise(1))
        files.max_size = 10
        with open(files.folder / ".lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            files.evict()
            assert files.read("a") is not None
        files.evict()
        assert files.read("a") is None

    def test_damage_is_told(self):
        good = pack(Entry(b"data" * 100, 2.0))
        assert unpack(good) == Entry(b"data" * 100, 2.0)
        for cut in range(0, len(good), 7):
            with pytest.raises(CorruptEntry):
                unpack(good[:cut])


def run(code, folder, **env):
    """Run code in a new process that uses the folder; gives what it printed, its warnings too."""
    done = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=os.environ | {"JX_COMPILATION_CACHE_DIR": str(folder)} | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done


def output(process):
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out
    return out


TRAIN = """
    import jx, jx.numpy as jnp, logging, collections, sys
    seen = collections.Counter()
    class Count(logging.Handler):
        def emit(self, record): seen[record.getMessage().split(":")[0]] += 1
    log = logging.getLogger("jx_xla.compilation_cache")
    log.addHandler(Count()); log.setLevel(logging.DEBUG)
    def loss(w, x): return (jnp.tanh(x @ w) ** 2).sum()
    step = jx.jit(lambda w, x: w - 0.1 * jx.grad(loss)(w, x))
    w = jx.random.normal(jx.random.key(0), (4, 4))
    for _ in range(3): w = step(w, jnp.eye(4))
    print(seen["hit"], seen["miss"], float(w.sum()))
"""


class TestManyProcesses:
    def test_a_second_process_compiles_nothing(self, tmp_path):
        hits, misses, value = output(run(TRAIN, tmp_path)).split()
        assert int(misses) > 0
        hits, misses, again = output(run(TRAIN, tmp_path)).split()
        assert int(hits) > 0
        assert int(misses) == 0
        assert value == again

    def test_other_flags_are_other_programs(self, tmp_path):
        output(run(TRAIN, tmp_path))
        flags = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_enable_fast_math=true"
        hits, misses, _ = output(run(TRAIN, tmp_path, XLA_FLAGS=flags)).split()
        assert int(hits) == 0
        assert int(misses) > 0

    def test_processes_side_by_side_in_a_small_folder(self, tmp_path):
        """Four at once, in a folder too small for what they write: all come to the same."""
        small = {"JX_COMPILATION_CACHE_MAX_SIZE": "12000"}
        processes = [run(TRAIN, tmp_path, **small) for _ in range(4)]
        results = [output(p).split() for p in processes]
        assert len({value for _, _, value in results}) == 1
        assert 0 < CacheFiles(tmp_path).size() <= 12000 + 4 * 6000  # each may be just writing
        for path in entries(tmp_path):
            assert unpack(path.read_bytes()).data
