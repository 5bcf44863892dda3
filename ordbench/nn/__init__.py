"""Parts that heads share: base classes, layers, losses and an axis of tuning."""

from ordbench.nn.exceedance_head import ExceedanceHead as ExceedanceHead
from ordbench.nn.layers import Perceptron as Perceptron
from ordbench.nn.layers import ScoreAndBiases as ScoreAndBiases
from ordbench.nn.layers import Standardized as Standardized
from ordbench.nn.layers import StandardizedLinear as StandardizedLinear
from ordbench.nn.layers import encoder_of as encoder_of
from ordbench.nn.layers import scores_of as scores_of
from ordbench.nn.likelihood_head import LikelihoodHead as LikelihoodHead
from ordbench.nn.losses import two_way_loss as two_way_loss
from ordbench.nn.regression_head import RegressionHead as RegressionHead
from ordbench.nn.scored_head import PRIOR as PRIOR
from ordbench.nn.scored_head import ScoredHead as ScoredHead
from ordbench.nn.softmax_head import SoftmaxHead as SoftmaxHead
