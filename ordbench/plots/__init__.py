"""Figures of results, as matplotlib axes; matplotlib is imported when one is drawn."""

from ordbench.leaderboard.loading import load_tables as load_tables
from ordbench.plots.confusion import plot_confusion as plot_confusion
from ordbench.plots.critical_difference import plot_critical_difference as plot_critical_difference
from ordbench.plots.images import plot_images as plot_images
from ordbench.plots.latency import plot_latency as plot_latency
from ordbench.plots.prototypes import plot_prototypes as plot_prototypes
from ordbench.plots.rank_error import plot_rank_error as plot_rank_error
from ordbench.plots.reliability import plot_reliability as plot_reliability
from ordbench.plots.risk_coverage import plot_risk_coverage as plot_risk_coverage
from ordbench.plots.sample_efficiency import plot_sample_efficiency as plot_sample_efficiency
from ordbench.plots.shots_curve import plot_curves as plot_curves
from ordbench.plots.style import save as save
