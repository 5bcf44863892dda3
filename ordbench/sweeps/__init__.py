"""Grids of runs: what was asked for, what is missing, and the loop over it."""
