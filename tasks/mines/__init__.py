"""The register of mines: outlines read from files, checked, and kept as rows. The first step of the flow of data."""
