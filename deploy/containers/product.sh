#!/usr/bin/env bash
# Puts MineCam itself, the folder it is called in, into the environment; its packages are there already.
set -euo pipefail

/opt/minecam/bin/pip --disable-pip-version-check --no-cache-dir -q install --no-deps .
/opt/minecam/bin/python -m compileall -q /opt/minecam/lib || true # some packages ship templates that are no Python
