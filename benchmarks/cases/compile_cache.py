"""Starting a training script again: its programs come from the persistent compilation cache.

A start is a new process that imports the library, makes a small transformer, traces, lowers,
compiles or loads its training step, and takes one step. The first start finds an empty folder,
the second what the first has left there. Both libraries keep every program, however small.
"""

from .case import Case

START = """
import time
start = time.perf_counter()
import {library}
from cases.models import transformer
from cases.training import make_step, start as begin
params, loss, batch = transformer({library})
step = {library}.jit(make_step({library}, loss), donate_argnums=0)
state, value = step(begin({library}, params), *batch)
value.block_until_ready()
print(time.perf_counter() - start)
"""

# Starts the script twice on one new folder; `first` and `second` are their seconds.
TWICE = """
import os, subprocess, sys, tempfile
with tempfile.TemporaryDirectory() as folder:
    settings = {"COMPILATION_CACHE_DIR": folder, "PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    prefix = "{library}".upper() + "_"
    env = os.environ | {prefix + name: value for name, value in settings.items()}
    def once():
        command = [sys.executable, "-c", START]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return float(done.stdout)
    first, second = once(), once()
print(FIGURE)
"""


def starts(figure: str) -> str:
    """A script that prints a figure made of the seconds of a `first` and a `second` start."""
    return TWICE.replace("START", repr(START)).replace("FIGURE", figure)


CASES = [
    Case("compile_cache/first start", None, script=starts("first")),
    Case("compile_cache/second start", 1.0, script=starts("second")),
    Case(
        "compile_cache/second over first start",
        None,
        script=starts("second / first"),
        unit="x",
        limit=0.5,
    ),
]
