"""What `sql` raises when the database cannot be used."""


class DatabaseError(RuntimeError):
    """The database cannot be reached, is not one of ours, or cannot hold a value; the message says what to do."""
