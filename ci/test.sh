#!/usr/bin/env bash
# Runs the whole test suite, setting up .venv first if need be. Arguments go to
# pytest: `bash ci/test.sh tests/test_layering.py -k jaxlib`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash ci/setup.sh
exec .venv/bin/python -m pytest -n 2 --dist worksteal "$@"
