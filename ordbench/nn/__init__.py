"""Parts that heads share: layers and losses."""

from ordbench.nn.layers import StandardizedLinear as StandardizedLinear
from ordbench.nn.losses import two_way_loss as two_way_loss
