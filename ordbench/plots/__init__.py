"""Figures of results, as matplotlib axes; matplotlib is imported when one is drawn."""

from ordbench.leaderboard.loading import load_tables as load_tables
from ordbench.plots.critical_difference import plot_critical_difference as plot_critical_difference
from ordbench.plots.shots_curve import plot_curves as plot_curves
from ordbench.plots.style import save as save
