"""The benchmark of the prediction engine, run by `make bench`: README.md says what is measured and how to read it.

Makes scenes, builds the rivals' environment in `.bench/`, runs every contender in a process of its own, and writes
one JSON file.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import torch

from deploy.simulate import make_chips
from models import zoo

ROOT = Path(__file__).parents[2]
RIVALS = ROOT / ".bench" / "rivals"
PACKAGES = ["terratorch==1.2.11", "torchgeo==0.8.1", "rasterio==1.4.4", "pydantic==2.14.3", "safetensors==0.8.0"]
"""Beside the torch, torchvision, timm and smp of constraints.txt; TerraTorch holds torchgeo back at 0.8."""

OURS = ("network", "engine", "network_torch", "engine_torch", "plain")
THEIRS = ("terratorch", "torchgeo")


def main() -> None:
    """Run the benchmark with the arguments of the command line."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--model", default="s2-rgb-mines")
    words.add_argument("--scenes", type=int, default=4)
    words.add_argument("--side", type=int, default=4096, help="pixels a side of a scene")
    words.add_argument("--rounds", type=int, default=2, help="the fastest round counts")
    words.add_argument("--only", nargs="+", choices=OURS + THEIRS, default=OURS + THEIRS)
    words.add_argument("--out", type=Path, default=ROOT / ".bench" / "bench.json")
    asked = words.parse_args()
    if set(asked.only) & set(THEIRS):
        build_rivals()
    with tempfile.TemporaryDirectory() as folder:
        files = make_scenes(Path(folder), asked.model, asked.scenes, asked.side)
        pixels = asked.scenes * asked.side**2 / 1e6
        runs = [
            (name, _run(name, asked.model, Path(folder), files)) for _ in range(asked.rounds) for name in asked.only
        ]
    best = {name: min((r for n, r in runs if n == name), key=lambda r: r["seconds"]) for name in asked.only}
    results = {name: {**result, "mpx_s": round(pixels / result["seconds"], 3)} for name, result in best.items()}
    report = {
        "machine": _machine(),
        "model": {"name": asked.model, "checksum": zoo.load(asked.model, device="cpu").checksum},
        "scenes": {"count": asked.scenes, "side": asked.side},
        "results": results,
        "ratios": _ratios({name: result["mpx_s"] for name, result in results.items()}),
    }
    asked.out.parent.mkdir(exist_ok=True, parents=True)
    asked.out.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


def build_rivals() -> None:
    """Make the environment of TerraTorch and torchgeo, with the product's torch; does nothing when it is there."""
    if (RIVALS / ".ready").exists():
        return
    pinned = ("torch==", "torchvision==", "timm==", "segmentation_models_pytorch==")
    ours = [line for line in (ROOT / "constraints.txt").read_text().split() if line.startswith(pinned)]
    venv.create(RIVALS, with_pip=True)
    subprocess.run([RIVALS / "bin" / "pip", "install", "--quiet", *ours, *PACKAGES], check=True)
    (RIVALS / ".ready").touch()


def make_scenes(folder: Path, model: str, count: int, side: int) -> list[Path]:
    """Write a scene to warm up on and `count` scenes of simulated mines, uint16 reflectance × 10000; return them."""
    make_chips(folder / "chips", chips=16, size=512, seed=1)
    bands = zoo.card(model).sensor_set
    chips = []
    for file in sorted((folder / "chips" / "images").glob("*.tif")):
        with rasterio.open(file) as chip:
            chips.append(chip.read([chip.descriptions.index(band) + 1 for band in zoo.sensor_set(bands).bands]))
            profile = chip.profile
    each = -(-side // 512)
    files = []
    for number in range(count + 1):
        rng = np.random.default_rng(number)
        rows = [np.concatenate([chips[i] for i in rng.integers(0, 16, each)], axis=2) for _ in range(each)]
        # A GPU looks for the quickest kernels of every new size.
        here = 1024 if number == 0 and not torch.cuda.is_available() else side
        scene = np.concatenate(rows, axis=1)[:, :here, :here]
        form = {"driver": "GTiff", "compress": "deflate", "predictor": 2, "tiled": True, "blockxsize": 256}
        form |= {"blockysize": 256, "count": len(scene), "dtype": "uint16", "nodata": 0}
        form |= {"height": here, "width": here, "crs": profile["crs"], "transform": profile["transform"]}
        files.append(folder / f"scene_{number}.tif")
        with rasterio.open(files[-1], "w", **form) as to:
            to.write(scene)
            to.descriptions = zoo.sensor_set(bands).bands
    return files


def _run(name: str, model: str, folder: Path, files: list[Path]) -> dict[str, Any]:
    python = RIVALS / "bin" / "python" if name in THEIRS else Path(sys.executable)
    out = folder / name
    out.mkdir(exist_ok=True)
    words = [python, Path(__file__).with_name("contenders.py"), name, model, out, *files]
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=quiet)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    print(f"{name}: {result}", file=sys.stderr, flush=True)
    return result


def _ratios(speed: dict[str, float]) -> dict[str, float]:
    """Return the engine's speed over that of each other one, as far as they ran."""
    pairs = [("engine", name) for name in ("network", "plain", *THEIRS)]
    pairs += [("engine_torch", name) for name in ("network_torch", "plain", *THEIRS)]
    return {f"{one}/{other}": round(speed[one] / speed[other], 3) for one, other in pairs if {one, other} <= set(speed)}


def _machine() -> dict[str, Any]:
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    load = round(os.getloadavg()[0], 2)
    return {"cpu": cpu, "cores": os.cpu_count(), "gpu": gpu, "load_at_end": load, "torch": torch.__version__}


if __name__ == "__main__":
    main()
