"""Makes torchvision importable beside a CPU build of torch, before segmentation-models-pytorch asks for it.

The torchvision that resolves for a CPU-only torch is built for CUDA: its operators do not load, and its import
stops at declaring two of them. We use none of them, so their names are enough.
"""

import sys

import torch

_library: torch.library.Library | None = None


def ensure() -> None:
    """Import torchvision, declaring the operators that it lacks; does nothing where it imports by itself."""
    global _library
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        _library = torch.library.Library("torchvision", "DEF")  # kept: the names live as long as it does
        for operator in ("nms", "qnms"):
            _library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision  # noqa: F401
