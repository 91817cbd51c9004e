"""The steps, in the order of the data: a pure core each, and a thin task around it."""
