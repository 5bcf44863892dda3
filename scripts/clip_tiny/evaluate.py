"""Measure a trained ``clip:tiny``: zero-shot by medium and template, few-shot by a ridge probe."""

import argparse
import json
from pathlib import Path

import captions
import numpy as np
import ripe_captions
import torch
from augment import augment, shrink
from drawings import AGES, Drawings, draw
from media import HELD_OUT, TRAINED
from model import encode, load, zero_shot
from numpy.typing import NDArray
from open_clip.model import CLIP
from torch import Tensor
from torch.nn import functional as F
from train import (
    AGE_NAMES,
    AGE_TEMPLATE,
    RIPE_NAMES,
    RIPE_TEMPLATE,
    absolute_error,
    as_images,
    median_error,
)

# Further from the training than any seed counted up from 0, and of no other use.
SEED = 77_000


def probe_error(train: Tensor, values: Tensor, test: Tensor, truth: Tensor) -> float:
    """Mean absolute error of ridge regression on unit features."""
    train, test = (F.normalize(features, dim=-1).double() for features in (train, test))
    middle, mean = train.mean(0), values.double().mean()
    rows = train - middle
    gram = rows.T @ rows + 0.05 * torch.eye(rows.shape[1], dtype=torch.float64)
    slope = torch.linalg.solve(gram, rows.T @ (values.double() - mean))
    return absolute_error((test - middle) @ slope + mean, truth)


def few_shot_errors(features: Tensor, values: Tensor, shots: tuple[int, ...]) -> dict[int, float]:
    """Probe errors with so many drawings of each value, tested on the later half."""
    half = len(values) // 2
    errors = {}
    for count in shots:
        chosen = [
            number
            for value in values.unique()
            for number in (values[:half] == value).nonzero().flatten().tolist()[:count]
        ]
        errors[count] = probe_error(
            features[chosen], values[chosen], features[half:], values[half:]
        )
    return errors


def by_medium(drawings: Drawings, errors: NDArray[np.float32]) -> dict[str, float]:
    """Mean of errors in each medium that occurs."""
    names = TRAINED + HELD_OUT
    return {names[m]: float(errors[drawings.media == m].mean()) for m in np.unique(drawings.media)}


def figures(
    model: CLIP, drawings: Drawings, template: str, names: dict[str, float], unseen: tuple[str, ...]
) -> dict[str, object]:
    """All figures of drawings of one kind, in years or in steps of ripeness."""
    images = as_images(drawings.images)
    values = torch.from_numpy(drawings.places).float()
    values = torch.where(values < AGES, values, values - AGES)
    plain, harsh = shrink(images), augment(images, torch.Generator().manual_seed(SEED))
    errors = (zero_shot(model, plain, template, names) - values).abs()
    return {
        "median predictor": median_error(values),
        "zero-shot": float(errors.mean()),
        "zero-shot, augmented": absolute_error(zero_shot(model, harsh, template, names), values),
        "held-out templates": {
            other: absolute_error(zero_shot(model, plain, other, names), values) for other in unseen
        },
        "ridge probe by shots": few_shot_errors(encode(model, plain), values, (1, 4, 8)),
        "by medium": by_medium(drawings, errors.numpy()),
    }


def evaluate(folder: Path, count: int) -> dict[str, object]:
    """All figures of a model on ``count`` faces and things in trained and held-out media each."""
    model = load(folder)
    report: dict[str, object] = {}
    for media, held_out in (("trained media", False), ("held-out media", True)):
        for kind, ripening, *asked in (
            ("faces", 0.0, AGE_TEMPLATE, AGE_NAMES, captions.HELD_OUT_TEMPLATES),
            ("things", 1.0, RIPE_TEMPLATE, RIPE_NAMES, ripe_captions.HELD_OUT_TEMPLATES),
        ):
            drawings = draw(count, SEED, ripening=ripening, held_out=held_out, processes=2)
            report[f"{kind}, {media}"] = figures(model, drawings, *asked)
    return report


def main() -> None:
    """Parse the command line and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the model's files")
    parser.add_argument("--count", type=int, default=2000, help="drawings of each kind")
    given = parser.parse_args()
    print(json.dumps(evaluate(given.folder, given.count), indent=1))


if __name__ == "__main__":
    main()
