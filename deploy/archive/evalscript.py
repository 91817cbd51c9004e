"""Runs an evalscript (V3) in an embedded JavaScript engine: what it asks for, and what it makes of each pixel.

The arrays go in and out through memory shared with the engine; the script itself is run as it was sent.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from py_mini_racer import JSEvalException, JSOOMException, JSTimeoutException, MiniRacer

from deploy.archive.failures import script_failed

SAMPLE_TYPES = {
    "INT8": "int8", "UINT8": "uint8", "INT16": "int16", "UINT16": "uint16", "FLOAT32": "float32", "AUTO": "uint8",
}  # fmt: skip
MOSAICKINGS = ("SIMPLE", "ORBIT", "TILE")
TIMEOUT_SECONDS = 60
MEMORY_BYTES = 2 << 30

_LOOP = """
(function(inputs, outputs, count, mosaicking, fused, scenes, metadata) {
  const asked = {};
  const readers = inputs.map(source => source.layers.map(at => ({
    data: new Float64Array(shared, 8 * at * count, source.bands.length * count),
    seen: new Uint8Array(seen, source.masks[source.layers.indexOf(at)] * count, count),
    read: new Function("data", "i", "n", "return {" + source.bands.map(
      (band, k) => JSON.stringify(band) + ": data[" + k + " * n + i]").join(", ") + "}")
  })));
  const one = (layers, i) => layers.filter(l => l.seen[i]).map(l => l.read(l.data, i, count));
  const writers = outputs.map(output => new Float64Array(written, 8 * output.at * count, output.bands * count));
  const samplesOf = i => {
    if (fused) return Object.fromEntries(inputs.map((source, s) => [source.datasource, mosaicking === "SIMPLE"
      ? readers[s].map(l => l.read(l.data, i, count)) : one(readers[s], i)]));
    if (mosaicking === "SIMPLE") return readers[0][0].read(readers[0][0].data, i, count);
    return one(readers[0], i);
  };
  for (let i = 0; i < count; i++) {
    const result = evaluatePixel(samplesOf(i), scenes, metadata, {}, asked);
    for (let o = 0; o < outputs.length; o++) {
      const output = outputs[o];
      let values = Array.isArray(result) || ArrayBuffer.isView(result) || typeof result === "number"
        ? (outputs.length === 1 ? result : undefined) : result && result[output.id];
      if (typeof values === "number") values = [values];
      if (values === undefined || values === null || values.length === undefined)
        throw new Error("evaluatePixel returned no values for output '" + output.id + "'");
      if (values.length !== output.bands)
        throw new Error("output '" + output.id + "' requires " + output.bands + " bands, not " + values.length);
      for (let k = 0; k < output.bands; k++) writers[o][k * count + i] = Number(values[k]);
    }
  }
  if (typeof updateOutputMetadata === "function") updateOutputMetadata(scenes, metadata, asked);
  return JSON.stringify(asked);
})"""


@dataclass(frozen=True)
class Input:
    """One entry of setup().input: `units[k]` is the unit of `bands[k]`, None for the default one."""

    datasource: str | None
    bands: tuple[str, ...]
    units: tuple[str | None, ...]


@dataclass(frozen=True)
class Output:
    """One entry of setup().output."""

    identifier: str
    bands: int
    sample_type: str


@dataclass(frozen=True)
class Layer:
    """One scene, or several mosaicked, of one input: `values` (B, H, W) float64, `seen` (H, W) where there is data."""

    values: np.ndarray
    seen: np.ndarray


class Evalscript:
    """A script whose setup() has run; raises Refused (400) for one that cannot be understood."""

    def __init__(self, text: str) -> None:
        if not text.lstrip().startswith("//VERSION=3"):
            raise script_failed("Only evalscripts that begin with //VERSION=3 are supported.")
        self._engine = MiniRacer()
        try:
            self._set_up(text)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Free what the script took."""
        self._engine.close()

    def _set_up(self, text: str) -> None:
        self._engine.set_hard_memory_limit(MEMORY_BYTES)
        self._eval(text)
        try:
            setup = json.loads(self._eval("JSON.stringify(setup())"))
            self.mosaicking = str(setup.get("mosaicking") or "SIMPLE").upper()
            self.inputs = [_input(one) for one in _entries(setup["input"])]
            self.outputs = [_output(one) for one in _listed(setup["output"])]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise script_failed(f"setup() does not describe input and output ({error!r})") from error
        if self.mosaicking not in MOSAICKINGS:
            raise script_failed(f"mosaicking '{self.mosaicking}' is not one of {', '.join(MOSAICKINGS)}")

    def run(
        self, layers: list[list[Layer]], *, shape: tuple[int, int], scenes: list[dict[str, Any]] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the outputs {identifier: (bands, H, W) in its sample type} and the output metadata.

        `layers[k]` are the layers of `inputs[k]`, one when mosaicking is SIMPLE. What a number that does not
        fit becomes is the service's rule: integers are rounded and clamped, AUTO stretches 0-1 to 0-255.
        """
        count = shape[0] * shape[1]
        sources = self._share(layers, count)
        at, outputs, starts = 0, [], []
        for one in self.outputs:
            outputs.append({"id": one.identifier, "bands": one.bands, "at": at})
            starts.append(at)
            at += one.bands
        written = np.frombuffer(self._buffer("written", 8 * at * count), np.float64)
        arguments = [sources, outputs, count, self.mosaicking, len(self.inputs) > 1, {"tiles": scenes or []}, {}]
        metadata = self._eval(f"{_LOOP}({', '.join(json.dumps(one) for one in arguments)})")
        planes = written.reshape(at, *shape)
        results = {
            one.identifier: cast(planes[start : start + one.bands], one.sample_type)
            for one, start in zip(self.outputs, starts, strict=True)
        }
        return results, json.loads(metadata)

    def _share(self, layers: list[list[Layer]], count: int) -> list[dict[str, Any]]:
        """Put every layer into the shared memory; returns where the script finds them."""
        flat = [layer for group in layers for layer in group]
        shared = np.frombuffer(self._buffer("shared", max(1, sum(x.values.size for x in flat)) * 8), np.float64)
        seen = np.frombuffer(self._buffer("seen", max(1, len(flat) * count)), np.uint8)
        sources, at, mask = [], 0, 0
        for one, group in zip(self.inputs, layers, strict=True):
            places, masks = [], []
            for layer in group:
                shared[at * count : at * count + layer.values.size] = layer.values.ravel()
                seen[mask * count : (mask + 1) * count] = layer.seen.ravel()
                places.append(at)
                masks.append(mask)
                at, mask = at + len(one.bands), mask + 1
            sources.append({"datasource": one.datasource, "bands": one.bands, "layers": places, "masks": masks})
        return sources

    def _buffer(self, name: str, size: int) -> memoryview:
        return self._eval(f"var {name} = new SharedArrayBuffer({size}); {name}")

    def _eval(self, code: str) -> Any:
        try:
            return self._engine.eval(code, timeout_sec=TIMEOUT_SECONDS)
        except JSTimeoutException as error:
            raise script_failed(f"The script ran for more than {TIMEOUT_SECONDS} s.") from error
        except JSOOMException as error:
            raise script_failed("The script needs too much memory.") from error
        except JSEvalException as error:
            raise script_failed(str(error)) from error


def cast(values: np.ndarray, sample_type: str) -> np.ndarray:
    """Return `values` float64 in `sample_type`; not-a-number becomes 0 in the integer types."""
    dtype = np.dtype(SAMPLE_TYPES[sample_type])
    if dtype.kind == "f":
        return values.astype(dtype)
    stretched = values * 255 if sample_type == "AUTO" else values
    limits = np.iinfo(dtype)
    whole = np.clip(np.floor(np.nan_to_num(stretched, nan=0.0) + 0.5), limits.min, limits.max)
    return whole.astype(dtype)


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _entries(given: Any) -> list[Any]:
    """`["B02", "B03"]` is short for `[{bands: ["B02", "B03"]}]`."""
    listed = _listed(given)
    return [{"bands": listed}] if all(isinstance(one, str) for one in listed) else listed


def _input(given: dict[str, Any]) -> Input:
    bands = tuple(str(band) for band in given["bands"])
    units = given.get("units")
    listed = list(units) if isinstance(units, list) else [units] * len(bands)
    if len(listed) != len(bands):
        raise ValueError(f"{len(listed)} units for {len(bands)} bands")
    return Input(given.get("datasource"), bands, tuple(listed))


def _output(given: dict[str, Any]) -> Output:
    sample_type = str(given.get("sampleType") or "AUTO").upper()
    if sample_type not in SAMPLE_TYPES:
        raise ValueError(f"sampleType '{sample_type}' is not one of {', '.join(SAMPLE_TYPES)}")
    return Output(str(given.get("id") or "default"), int(given["bands"]), sample_type)
