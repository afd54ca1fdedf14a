"""Checks of values inside of compiled programs, whose errors are results: `checkify`.

`checkify(f)` gives `(error, out)` where `f` gives `out`. It finds what the user's `check` calls
say, and on request NaN, indices out of bounds and division by zero. Also here: the table of rules
by which primitives are checked (`defcheck`). Not here: the primitive `check` (`ops/checks.py`), and
`debug_nans`, which looks at values as programs run (`debugging.py`).
"""

from .checks import check, check_error, debug_check
from .error import (
    DivisionByZeroError,
    Error,
    FailedCheckError,
    JaxException,
    JaxRuntimeError,
    NaNError,
    OOBError,
    init_error,
)
from .transform import (
    Checker,
    ErrorCategory,
    all_checks,
    automatic_checks,
    check_rules,
    checkify,
    defcheck,
    div_checks,
    float_checks,
    index_checks,
    nan_checks,
    user_checks,
)

__all__ = [
    "Checker", "DivisionByZeroError", "Error", "ErrorCategory", "FailedCheckError",
    "JaxException", "JaxRuntimeError", "NaNError", "OOBError", "all_checks", "automatic_checks",
    "check", "check_error", "check_rules", "checkify", "debug_check", "defcheck", "div_checks",
    "float_checks", "index_checks", "init_error", "nan_checks", "user_checks",
]  # fmt: skip
