"""Heads that classify by the text features of prompts, and the encoders of these prompts."""

from ordbench.prompts.head import PromptHead as PromptHead
from ordbench.prompts.learner import PromptLearner as PromptLearner
