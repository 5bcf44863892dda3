"""Mirror: a linear probe whose ranks are as likely as their mirror images.

Source: an example of a head from another package.
"""

import torch
from torch.nn import functional as F

from ordbench import Head


class Mirror(Head):
    def __init__(self, problem):
        super().__init__(problem)
        self.score = torch.nn.Linear(problem.in_features, self.num_ranks)

    def forward(self, features):
        logits = self.score(features)
        return logits + logits.flip(-1)

    def loss(self, outputs, ranks):
        return F.cross_entropy(outputs, ranks)

    def posterior(self, outputs):
        return outputs.softmax(-1)
