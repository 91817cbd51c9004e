"""What `sql` raises when the database cannot be used."""


class DatabaseError(RuntimeError):
    """The database cannot be reached or is not one of ours; the message says what to do."""
