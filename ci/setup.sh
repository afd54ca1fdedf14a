#!/usr/bin/env bash
# Makes .venv ready: creates it if it is missing, repairs it if it is broken or
# out of date, and does nothing, quickly, if it is as it should be.
#
# The stamp is written last, so an interrupted installation is taken up again.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
python=$venv/bin/python
stamp=$venv/jx-setup.stamp
packages=(jx-core jx-ad jx-batching jx-numpy jx-xla jx-parallel jx)

supported() { # is $1 a Python that jx runs on, with venv?
    "$1" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
        >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in python3 python3.11 python3.12 python3.13 python; do
        if supported "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "setup: no Python 3.11, 3.12 or 3.13 (with its venv module) on PATH" >&2
    return 1
}

fingerprint() { # of everything that decides what belongs in .venv
    (cd "$root" && pwd && "$python" -VV && cat ci/setup.sh pyproject.toml packages/*/pyproject.toml \
        packages/*/src/*/_version.py) | "$python" -c \
        'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

complete() { # is what the commands need there? (found, not imported: this runs every time)
    "$python" - <<'PY'
import importlib.util
import sys

needed = """jx jx_core jx_ad jx_batching jx_numpy jx_xla jx_parallel numpy ml_dtypes jaxlib
    opt_einsum pytest xdist hypothesis scipy mpmath sklearn tqdm matplotlib nox""".split()
sys.exit(any(importlib.util.find_spec(name) is None for name in needed))
PY
}

create() {
    local base
    base=$(find_python)
    echo "setup: creating .venv with $("$base" --version)"
    "$base" -m venv --clear "$venv"
}

install() {
    local editable=() package
    for package in "${packages[@]}"; do
        editable+=(-e "packages/$package")
    done
    echo "setup: installing into .venv"
    # Chained with &&: the caller asks whether this worked, which turns `set -e` off in here.
    (
        cd "$root" &&
            "$python" -m pip install --quiet "pip>=25.1" "setuptools>=77" &&
            "$python" -m pip install --quiet --no-build-isolation --group dev "${editable[@]}" &&
            # As pip does for what it copies: where Python may not write bytecode, importing jx
            # would compile its sources each time, which takes a third of the import.
            "$python" -m compileall -q packages/*/src
    )
}

if supported "$python" && [[ -f $stamp && $(<"$stamp") == "$(fingerprint)" ]] && complete; then
    exit 0
fi

rm -f "$stamp"
if ! supported "$python" || ! "$python" -m pip --version >/dev/null 2>&1; then
    create
fi
if ! { install && complete; }; then
    echo "setup: .venv cannot be repaired; making it anew" >&2
    create
    install
    complete
fi
fingerprint >"$stamp"
