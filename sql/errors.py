"""What `sql` raises when the database cannot be used, or does not do what it is asked."""


class DatabaseError(RuntimeError):
    """The database cannot be reached, is not one of ours, or cannot hold a value; the message says what to do."""


class DatabaseFailed(DatabaseError):  # noqa: N818  (a state of things, not a fault)
    """The database broke off or refused in the middle of the work: what was not committed is undone."""
