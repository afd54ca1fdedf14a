"""Compare jx with a peer, side by side in one run: `python benchmarks/peer.py`.

Every case runs in both, each in an environment and a process of its own, turn
by turn; the table gives the ratio of their times (median over the rounds, and
quartiles) and the budget it has to keep: "met" where the median keeps it,
"even" where the spread is too wide to tell. JAX's environment is made when it
is missing. The exit status is 1 where a case could not be run at all; a budget
that is not kept is printed, and is no failure of the run.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import report
from cases import CASES, MEANS
from cases.case import Case
from runner import CaseError, Library, measure

# What to install for a peer, and the environment that holds it.
PEERS = {
    "jax": (("jax==0.10.2",), ".venv-peer"),
    "torch": (("torch==2.13.0", "numpy"), ".venv-torch"),
    "numpy": ((), ""),  # in jx's own environment: it requires NumPy
}
ROOT = Path(__file__).resolve().parents[1]


def parse_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", metavar="PATTERN", default="", help="the cases whose names contain this"
    )
    parser.add_argument("--rounds", type=int, default=9, help="samples of each (default: 9)")
    parser.add_argument("--quick", action="store_true", help="3 rounds: a look, not a figure")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every sample to FILE")
    parser.add_argument("--peer", choices=PEERS, default="jax", help="what to compare with")
    parser.add_argument("--peer-python", metavar="PATH", help="a Python that has the peer")
    parser.add_argument("--candidate", metavar="MODULE", default="jx", help="what is judged")
    parser.add_argument("--candidate-python", metavar="PATH", default=sys.executable)
    args = parser.parse_args(argv)
    args.rounds = 3 if args.quick else args.rounds
    if args.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {args.rounds}")
    return args


def peer_python(peer: str) -> str:
    """The Python of the peer's environment, which is made if it is missing."""
    packages, place = PEERS[peer]
    if not packages:
        return sys.executable
    environment = ROOT / place
    python = environment / "bin" / "python"
    ready = environment / "ready"  # written last: an interrupted installation is redone
    if not ready.exists():
        print(f"installing {' '.join(packages)} into {environment}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        ready.touch()
    return str(python)


def chosen(pattern: str, peer: str) -> list[Case]:
    """The cases of a peer by name; a budget is for the first of the peers that a case has."""
    known = [
        c if peer == c.peers[0] else replace(c, budget=None)
        for c in CASES.values()
        if peer in c.peers
    ]
    cases = [c for c in known if pattern in c.name or fnmatch(c.name, f"*{pattern}*")]
    if not cases:
        names = "\n".join(c.name for c in known)
        raise SystemExit(f"--only {pattern}: no such case for {peer}; there are:\n{names}")
    return cases


def main(argv: list[str] | None = None) -> int:
    args = parse_arguments(argv)
    cases = chosen(args.only, args.peer)
    candidate = Library(args.candidate, args.candidate_python)
    peer = Library(args.peer, args.peer_python or peer_python(args.peer))
    try:
        versions = [library.start() for library in (candidate, peer)]
    except CaseError as error:
        raise SystemExit(str(error)) from None
    results = {
        "machine": report.machine(),
        "candidate": versions[0],
        "peer": versions[1],
        "rounds": args.rounds,
        "cases": [],
    }
    names = [f"{side['module']} {side['version']}" for side in versions]
    print(report.heading(*names))
    try:
        for case in cases:
            row = report.summary(measure(case, candidate, peer, args.rounds))
            results["cases"].append(row)
            print(report.line(row), flush=True)
    finally:
        candidate.stop()
        peer.stop()
    for line in report.means(results["cases"], MEANS):
        print(line)
    print(report.verdict(results["cases"]))
    if args.json is not None:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    return any("error" in row for row in results["cases"])


if __name__ == "__main__":
    sys.exit(main())
