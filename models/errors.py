"""What `models` raises when it is given something that it cannot use."""


class ModelError(ValueError):
    """A model, chip or scene cannot be used; the message says which one and what to do."""
