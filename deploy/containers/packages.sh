#!/usr/bin/env bash
# Makes the environment of an image in /opt/minecam, in the folder with pyproject.toml and constraints.txt:
# packages.sh server | web | worker. Versions are those of constraints.txt, so that nothing is resolved anew.
set -euo pipefail

python3 -m venv /opt/minecam
pip="/opt/minecam/bin/pip --disable-pip-version-check --no-cache-dir -q"
$pip install -r <(python3 - "$1" <<'PYTHON'
import re, sys, tomllib

needs = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]
name = lambda need: re.match(r"[\w-]+", need)[0]
server = {"prefect", "fastapi", "sqlalchemy", "asyncpg"}
"""What the Prefect server runs with."""
not_web = {"torch", "torchvision", "segmentation-models-pytorch", "timm", "lightning", "great-expectations",
           "mini-racer", "matplotlib", "prefect", "prefect-dask", "dask", "distributed"}
"""What neither `minecam serve` nor `minecam db` ever imports."""
role = {"server": lambda need: name(need) in server, "web": lambda need: name(need) not in not_web,
        "worker": lambda need: True}[sys.argv[1]]
print("\n".join(filter(role, needs)))
PYTHON
) -c constraints.txt
