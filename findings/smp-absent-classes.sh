#!/usr/bin/env bash
# segmentation-models-pytorch averages Dice loss and IoU over classes. One expects that both leave out classes that
# are in neither the labels nor the prediction. DiceLoss("multiclass") counts them as loss 0, iou_score("macro") as 1.
# A window of a mine holds two or three of eleven classes: a prediction that is wrong in every pixel has a Dice loss of
# 0.18 instead of 1, so the loss weighs as much as its number of classes says, and a mean IoU of 0.82 instead of 0.
# (Fetches torch, gigabytes where pip takes the build for CUDA. The encoders, which need still more, are not imported.)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet torch==2.13.0 numpy==2.4.6
"$work/venv/bin/pip" install --quiet --quiet --no-deps segmentation-models-pytorch==0.6.0

"$work/venv/bin/python" -W ignore - <<'PY'
import importlib.metadata
import importlib.util
import sys
import types

import torch

package = types.ModuleType("segmentation_models_pytorch")  # its __init__ would import torchvision and timm
package.__path__ = list(importlib.util.find_spec(package.__name__).submodule_search_locations)
sys.modules[package.__name__] = package
from segmentation_models_pytorch.losses.dice import DiceLoss
from segmentation_models_pytorch.metrics import get_stats, iou_score

print(f"segmentation-models-pytorch {importlib.metadata.version('segmentation-models-pytorch')}")
print(f"torch {torch.__version__}")

labels = torch.zeros(1, 8, 8, dtype=torch.long)
labels[:, 4:] = 1
wrong = 1 - labels  # each pixel has the other of the two classes that occur


def figures(prediction: torch.Tensor, classes: int) -> tuple[float, float]:
    """Return Dice loss and mean IoU of a network that is sure of `prediction`, among `classes` classes."""
    logits = 40.0 * torch.nn.functional.one_hot(prediction, classes).permute(0, 3, 1, 2)
    counts = get_stats(prediction, labels, mode="multiclass", num_classes=classes)
    return DiceLoss("multiclass")(logits, labels).item(), iou_score(*counts, reduction="macro").item()


found = {classes: figures(wrong, classes) for classes in (2, 11)}
for classes, (loss, iou) in found.items():
    print(f"every pixel wrong, 2 classes occur, {classes:2} are known: DiceLoss {loss:.3f}, iou_score(macro) {iou:.3f}")
right = figures(labels, 11)
print(f"every pixel right, 2 classes occur, 11 are known: DiceLoss {right[0]:.3f}, iou_score(macro) {right[1]:.3f}")
if not (found[2][0] > 0.99 and found[2][1] < 0.01):
    sys.exit("changed: where every class occurs, a wholly wrong prediction is no longer loss 1 and IoU 0")
if abs(found[11][0] - 2 / 11) > 0.01:
    sys.exit("changed: DiceLoss does not count absent classes as loss 0")
if abs(found[11][1] - 9 / 11) > 0.01:
    sys.exit("changed: iou_score does not count absent classes as 1")
print("as described: nine absent classes make a wholly wrong prediction look good")
PY
