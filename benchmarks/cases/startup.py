"""What `import` costs: time and memory, in a new process each time."""

from .case import Case

IMPORT = """
import time
start = time.perf_counter()
import {library}
print(time.perf_counter() - start)
"""

FIRST_RESULT = """
import time
start = time.perf_counter()
import {library}
import {library}.numpy as jnp
jnp.sin(jnp.ones(8)).block_until_ready()
print(time.perf_counter() - start)
"""

RESIDENT = """
{first}
with open("/proc/self/status") as status:
    (line,) = [line for line in status if line.startswith("VmRSS:")]
print(int(line.split()[1]) / 1024)
"""


def memory_after(first: str) -> str:
    """A script that prints the megabytes resident once the lines `first` have run."""
    return RESIDENT.replace("{first}", first)


CASES = [
    Case("startup/import", 0.4, script=IMPORT),
    Case("startup/import, memory", 0.9, script=memory_after("import {library}"), unit="MB"),
    Case("startup/first result", None, script=FIRST_RESULT),
    Case(
        "startup/first result, memory",
        None,
        script=memory_after("import {library}.numpy as jnp; jnp.sin(jnp.ones(8))"),
        unit="MB",
    ),
]
