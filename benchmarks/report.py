"""What the figures say: ratios with their spread against the budgets, as a table and as JSON."""

import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner import Measurement

# A library measured against itself can be this far from 1 in all rounds, because what
# differs is where the two processes happen to lie in memory.
SAME = 1.02

COLUMNS = "{:<37} {:>10} {:>10} {:>7} {:>15} {:>7}  {}"


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    lower, middle, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, middle, upper


def summary(measurement: Measurement) -> dict[str, Any]:
    """One case as JSON: its samples, and the quartiles of the ratios of the rounds."""
    case = measurement.case
    row: dict[str, Any] = {
        "case": case.name, "budget": case.budget, "limit": case.limit, "unit": case.unit
    }  # fmt: skip
    if measurement.error is not None:
        return row | {"error": measurement.error}
    ratios = [a / b for a, b in zip(measurement.candidate, measurement.peer, strict=True)]
    lower, middle, upper = quartiles(ratios)
    if case.limit is None:
        verdict = judge(case.budget, lower, middle)
    else:
        verdict = judge(case.limit, *quartiles(measurement.candidate)[:2])
    return row | {
        "ratio": middle,
        "ratio_quartiles": [lower, upper],
        "verdict": verdict,
        "candidate": measurement.candidate,
        "peer": measurement.peer,
    }


def judge(budget: float | None, lower: float, middle: float) -> str:
    """Is a budget kept? "even" where the spread of the ratios is too wide to tell."""
    if budget is None:
        return ""
    if middle <= budget:
        return "met"
    return "even" if lower <= budget * SAME else "OVER"


def figure(value: float, unit: str) -> str:
    """A time or a size, with three figures and the unit that suits it."""
    if unit == "MB":
        return f"{value:.0f} MB"
    if unit == "x":
        return f"{value:.3f}"
    for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {name}"
    return f"{value * 1e9:.3g} ns"


def heading(candidate: str, peer: str) -> str:
    return COLUMNS.format("case", candidate, peer, "ratio", "quartiles", "budget", "")


def line(row: dict[str, Any]) -> str:
    """One row of the table, from `summary`."""
    budget = "" if row["budget"] is None else f"{row['budget']:.2f}"
    if row["limit"] is not None:  # of the first figure, not of the ratio
        budget = f"<{row['limit']:.2f}"
    if "error" in row:
        return COLUMNS.format(row["case"], "", "", "", "", budget, f"FAILED {row['error']}")
    lower, upper = row["ratio_quartiles"]
    return COLUMNS.format(
        row["case"],
        figure(statistics.median(row["candidate"]), row["unit"]),
        figure(statistics.median(row["peer"]), row["unit"]),
        f"{row['ratio']:.3f}",
        f"{lower:.3f}-{upper:.3f}",
        budget,
        row["verdict"],
    )


def means(rows: Sequence[dict[str, Any]], budgets: dict[str, float]) -> list[str]:
    """The geometric mean of the ratios of each group of cases, in a sentence a group."""
    lines = []
    for group, budget in budgets.items():
        ratios = [r["ratio"] for r in rows if r["case"].startswith(group) and "ratio" in r]
        if len(ratios) > 1:
            mean = statistics.geometric_mean(ratios)
            verdict = "met" if mean <= budget else "OVER"
            lines.append(
                f"{group} geometric mean of {len(ratios)} ratios: {mean:.3f} "
                f"(budget {budget:.2f}: {verdict}), the largest {max(ratios):.3f}"
            )
    return lines


def verdict(rows: Sequence[dict[str, Any]]) -> str:
    """How many budgets are met, in a sentence."""
    judged = [row for row in rows if (row["budget"], row["limit"]) != (None, None)]
    verdicts = [row.get("verdict", "FAILED") for row in judged]
    counts = [f"{verdicts.count(word)} {word}" for word in ("met", "even", "OVER", "FAILED")]
    return f"{len(judged)} budgets: " + ", ".join(count for count in counts if count[0] != "0")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def processor() -> str:
    """The processor's name where Linux gives one, or else its architecture."""
    info = Path("/proc/cpuinfo")
    entries = info.read_text().splitlines() if info.exists() else []
    names = [entry.split(":")[1].strip() for entry in entries if entry.startswith("model name")]
    return names[0] if names else platform.machine()
