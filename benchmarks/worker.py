"""One library's side of a comparison: a process that takes samples when it is told to.

    python worker.py LIBRARY

It prints a line of JSON when the library is imported, {"version", "python"};
then it answers each line {"case": name} with {"seconds": ...} or {"error": ...}
until its input ends. It measures; what the figures mean is not its business.
"""

import importlib
import json
import os
import platform
import sys
import traceback
from types import ModuleType
from typing import Any

from cases import CASES
from cases.case import Sample


def serve(lib: ModuleType, requests: Any, answer: Any) -> None:
    """Take a sample for each request. A case is set up once, when it is first asked for."""
    samples: dict[str, Sample] = {}
    for line in requests:
        name = json.loads(line)["case"]
        try:
            if name not in samples:
                samples.clear()  # cases come one after the other; let the last one's arrays go
                samples[name] = CASES[name].prepare(lib)
            answer({"seconds": samples[name]()})
        except Exception as error:  # a case that fails is a result, and the next one still runs
            traceback.print_exc()
            summary = str(error).strip().split("\n")[0]
            answer({"error": f"{type(error).__name__}: {summary}"})


def main() -> None:
    # Whatever the library prints must not mix with the answers.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(message: dict) -> None:
        print(json.dumps(message), file=channel, flush=True)

    lib = importlib.import_module(sys.argv[1])
    answer({"version": lib.__version__, "python": platform.python_version()})
    serve(lib, sys.stdin, answer)


if __name__ == "__main__":
    main()
