"""What became of a mine: tables, a picture, files for other programs. Reads, changes nothing."""
