#!/usr/bin/env bash
# Trains a small network on real handwritten digits, setting up .venv first if
# need be. Arguments go to the program: `bash ci/demo.sh --devices 4`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash ci/setup.sh
export MPLBACKEND="${MPLBACKEND:-Agg}" # the plot is a file: no display is needed
exec .venv/bin/python examples/digits.py "$@"
