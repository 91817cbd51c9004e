"""What a Process request costs in processing units (Overview/ProcessingUnit.qmd)."""

from deploy.archive.bands import DATA_MASK
from deploy.archive.evalscript import Evalscript
from deploy.archive.process_request import ProcessRequest

MINIMUM, LEAST_AREA = 0.005, 0.01


def processing_units(asked: ProcessRequest, script: Evalscript, samples: int) -> float:
    """Return the units of a request whose script sees `samples` samples per pixel.

    Area over 512 x 512 px (at least 0.01), times input bands over 3 (dataMask is free unless alone), times 2 for
    32-bit output, times the samples, times the number of collections when fused, times the Sentinel-1 factors.
    """
    frame = asked.frame
    area = max(LEAST_AREA, frame.width * frame.height / 512**2)
    bands = sum(max(1, len([band for band in one.bands if band != DATA_MASK])) for one in script.inputs)
    wide = 2.0 if any(output.sample_type == "FLOAT32" for output in script.outputs) else 1.0
    fused = len(asked.sources)
    # the factor of fusion is already the sum over the collections; bands count per collection
    cost = area * bands / 3 * wide * max(1, samples) * fused
    for source in asked.sources:
        cost *= _radar_factor(source.processing)
    return max(MINIMUM, cost)


def _radar_factor(processing: dict[str, object]) -> float:
    """Terrain correction 2.5, else orthorectification 2; speckle filter 2 more."""
    factor = 1.0
    if processing.get("backCoeff") == "GAMMA0_TERRAIN":
        factor = 2.5
    elif processing.get("orthorectify"):
        factor = 2.0
    return factor * (2.0 if processing.get("speckleFilter", {}) not in ({}, {"type": "NONE"}) else 1.0)
