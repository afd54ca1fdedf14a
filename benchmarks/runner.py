"""Run cases in two libraries, each in its own environment and process, turn by turn.

The two take a sample each in every round, and the order alternates, so that
whatever else the machine is doing falls on both alike. A ratio is made of the
two samples of one round.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from cases.case import Case

HERE = Path(__file__).resolve().parent
# Plain CPU on both sides, and XLA's informational lines off.
SETTINGS = {"JX_PLATFORMS": "cpu", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "2"}


class CaseError(Exception):
    """A case could not be measured; the message is the library's own."""


class Library:
    """A library that can be measured: a module's name and the Python that has it."""

    def __init__(self, module: str, python: str):
        self.module = module
        self.python = python
        self.worker: subprocess.Popen | None = None

    def start(self) -> dict[str, str]:
        """Start the process that takes samples; gives the library's and Python's versions."""
        self.worker = subprocess.Popen(
            [self.python, str(HERE / "worker.py"), self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | SETTINGS,
        )
        return {"module": self.module} | self._answer()

    def stop(self) -> None:
        if self.worker is not None:
            self.worker.stdin.close()
            self.worker.wait()
            self.worker = None

    def sample(self, case: Case) -> float:
        """One measurement of `case`, in its unit."""
        if case.script is not None:
            return self._run_script(case.script.replace("{library}", self.module))
        if self.worker is None:
            self.start()
        try:
            print(json.dumps({"case": case.name}), file=self.worker.stdin, flush=True)
        except BrokenPipeError:
            self._died()
        answer = self._answer()
        if "error" in answer:
            raise CaseError(answer["error"])
        return answer["seconds"]

    def _answer(self) -> dict:
        line = self.worker.stdout.readline()
        return json.loads(line) if line else self._died()

    def _died(self) -> dict:
        status, self.worker = self.worker.wait(), None
        raise CaseError(f"the process of {self.module} ended with status {status}")

    def _run_script(self, script: str) -> float:
        done = subprocess.run(
            [self.python, "-c", script],
            capture_output=True,
            text=True,
            cwd=HERE,
            env=os.environ | SETTINGS,
        )
        if done.returncode:
            raise CaseError(done.stderr.strip().split("\n")[-1])
        return float(done.stdout)


@dataclass
class Measurement:
    """The samples of one case, round by round; `error` where there are none, and why."""

    case: Case
    candidate: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)
    error: str | None = None


def measure(case: Case, candidate: Library, peer: Library, rounds: int) -> Measurement:
    """Sample `case` in both libraries, `rounds` times each after one that is not counted."""
    result = Measurement(case)
    sides = [(candidate, result.candidate), (peer, result.peer)]
    try:
        for library, _ in sides:
            library.sample(case)
        for turn in range(rounds):
            for library, samples in sides if turn % 2 == 0 else reversed(sides):
                samples.append(library.sample(case))
    except CaseError as error:
        print(f"{library.module}: {case.name}: {error}", file=sys.stderr)
        result.error = f"{library.module}: {error}"
    return result
