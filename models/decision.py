"""Decision: from the chances of the classes to one class."""

import torch


def decided(chance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the class (uint8) of every pixel and its chance, by `chance` (11, ...), the probabilities of the classes.

    A pixel is mine where that is likelier than not, whichever component it may be; then the likeliest component is
    its class. By the largest chance alone, ground that is surely mine but of which it is not clear whether it is pit,
    dump or cleared would count as background.
    """
    background, count = chance[0], len(chance)
    largest = chance[1:].amax(dim=0)
    # The argmax by hand, the first of equals: torch's own takes twice as long, and prediction waits for it.
    from_the_end = torch.zeros_like(largest, dtype=torch.uint8)
    for component in range(1, count):
        found = (chance[component] == largest).to(torch.uint8)
        from_the_end = torch.maximum(from_the_end, found.mul_(count - component))
    mine = background < 0.5
    return from_the_end.neg_().add_(count).mul_(mine), torch.where(mine, largest, background)
