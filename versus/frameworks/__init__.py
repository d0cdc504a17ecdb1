"""Whatever computes: a folder for each framework, and the loops that are written once for all."""
