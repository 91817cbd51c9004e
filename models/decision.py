"""Decision: from the chances of the classes to one class."""

import torch


def decided(chance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the class (int64) of every pixel and its chance, by `chance` (11, ...), the probabilities of the classes.

    A pixel is mine where that is likelier than not, whichever component it may be; then the likeliest component is
    its class. By the largest chance alone, ground that is surely mine but of which it is not clear whether it is pit,
    dump or cleared would count as background.
    """
    background = chance[0]
    confidence, component = chance[1:].max(dim=0)
    mine = background < 0.5
    return torch.where(mine, component + 1, 0), torch.where(mine, confidence, background)
