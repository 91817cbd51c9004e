"""What runs the network: PyTorch on a GPU; on a CPU OpenVINO where it is installed, else PyTorch.

On a CPU every runtime computes in 32 bits. In 16 (bfloat16) the network is twice as fast, but on real chips it gives
another class to six pixels in a thousand: see tests/bench/RESULTS.md.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Literal

import torch
from torch import nn

from models.errors import ModelError
from models.network import MULTIPLE
from models.zoo import SegmentationModel

Runtime = Literal["auto", "torch", "openvino"]

Forward = Callable[[torch.Tensor], torch.Tensor]
"""From the network's input, float32 (N, channels, h, w) on the model's device, to the probabilities of the classes,
float32 (N, 11, h, w). They hold until the next call: the memory is the runtime's, and used again."""


def forward(model: SegmentationModel, runtime: Runtime = "auto") -> Forward:
    """Return what runs `model`; raises ModelError when `runtime` is not to be had.

    OpenVINO takes two seconds to convert a network. It does so once, so weights that change later go unseen.
    """
    there = find_spec("openvino") is not None
    if runtime == "openvino" and not there:
        raise ModelError("OpenVINO is not installed: pip install 'minecam[fast]', or set MINECAM_RUNTIME to auto")
    if runtime == "openvino" and model.device.type != "cpu":
        raise ModelError("OpenVINO runs on the CPU only: set MINECAM_DEVICE to cpu, or MINECAM_RUNTIME to auto")
    if runtime == "torch" or not there or model.device.type != "cpu":
        return _torch(model)
    # A request of its own each time: flows predict in several threads at once.
    request = _compiled(model.network, model.card.temperature, model.sensor_set.channels).create_infer_request()
    return lambda batch: torch.from_numpy(request.infer(batch.numpy(), share_inputs=True, share_outputs=True)[0])


class _Chances(nn.Module):
    """A network and the calibrated softmax after it."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return (self.network(batch).float() / self.temperature).softmax(dim=1)


def _torch(model: SegmentationModel) -> Forward:
    chances, device = _Chances(model.network, model.card.temperature), model.device.type

    def run(batch: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            return chances(batch.contiguous(memory_format=torch.channels_last))

    return run


@lru_cache(maxsize=4)
def _compiled(network: nn.Module, temperature: float, channels: int, precision: str = "f32") -> Any:
    from openvino import Core
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with torch.no_grad():
        example = torch.zeros(1, channels, MULTIPLE, MULTIPLE)
        traced = torch.jit.trace(_Chances(network, temperature).eval(), example, check_trace=False)
    # Not openvino.convert_model: that one reports its use over the internet.
    decoder = TorchScriptPythonDecoder(traced)
    frontend = FrontEndManager().load_by_framework("pytorch")
    converted = frontend.convert(frontend.load(decoder))
    converted.reshape([-1, channels, -1, -1])
    # Left to itself it would compute in bfloat16 where the processor can.
    return Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": precision})
