"""Everything that makes MineCam run somewhere: the command, the embedded stack, the local archive."""
