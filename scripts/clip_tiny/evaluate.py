"""Measure a trained ``clip:tiny``: zero-shot by style and template, few-shot by a ridge probe."""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from augment import augment, shrink
from captions import HELD_OUT_TEMPLATES
from faces import Faces, draw_faces
from media import HELD_OUT, TRAINED
from model import encode, load, tokens, zero_shot
from numpy.typing import NDArray
from open_clip.model import CLIP
from torch import Tensor
from torch.nn import functional as F
from train import TEMPLATE, as_images

# Further from the training than any seed counted up from 0, and of no other use.
SEED = 77_000
STAGES = {"a baby": 3, "a child": 13, "a teenager": 20, "a young adult": 36}
STAGES |= {"a middle-aged person": 62, "an elderly person": 101}


def median_error(ages: Tensor) -> float:
    """Mean absolute error, in years, of always answering with the median."""
    return float((ages - ages.median()).abs().mean())


def zero_shot_error(model: CLIP, images: Tensor, ages: Tensor, template: str) -> float:
    """Mean absolute error of the expected age, in years."""
    return float((zero_shot(model, images, template) - ages).abs().mean())


def probe_error(train: Tensor, ages: Tensor, test: Tensor, truth: Tensor) -> float:
    """Mean absolute error, in years, of ridge regression on unit features."""
    train, test = (F.normalize(features, dim=-1).double() for features in (train, test))
    middle, mean = train.mean(0), ages.double().mean()
    rows = train - middle
    gram = rows.T @ rows + 0.05 * torch.eye(rows.shape[1], dtype=torch.float64)
    slope = torch.linalg.solve(gram, rows.T @ (ages.double() - mean))
    return float(((test - middle) @ slope + mean - truth).abs().mean())


def few_shot_errors(features: Tensor, ages: Tensor, shots: tuple[int, ...]) -> dict[int, float]:
    """Probe errors with so many faces of each year, tested on the later half."""
    half = len(ages) // 2
    errors = {}
    for count in shots:
        chosen = [
            number
            for age in sorted(set(ages.tolist()))
            for number in (ages[:half] == age).nonzero().flatten().tolist()[:count]
        ]
        errors[count] = probe_error(features[chosen], ages[chosen], features[half:], ages[half:])
    return errors


@torch.no_grad()
def stage_accuracy(model: CLIP, images: Tensor, ages: Tensor) -> float:
    """Share of faces put in the right one of six stages of life by their names."""
    texts = tokens([f"a drawing of {words}" for words in STAGES])
    text = F.normalize(model.encode_text(texts), dim=-1)
    guessed = (F.normalize(encode(model, images), dim=-1) @ text.T).argmax(1)
    truth = torch.bucketize(ages, torch.tensor(list(STAGES.values())), right=True)
    return float((guessed == truth).float().mean())


def by_medium(faces: Faces, errors: NDArray[np.float32]) -> dict[str, float]:
    """Mean of errors in each medium that occurs."""
    names = TRAINED + HELD_OUT
    return {names[m]: float(errors[faces.media == m].mean()) for m in np.unique(faces.media)}


def by_hand(faces: Faces, errors: NDArray[np.float32]) -> dict[str, float]:
    """Mean of errors on our own people, and on people of the benchmark's anatomy."""
    portrait = np.isnan(faces.cues).all(1)
    return {"own": float(errors[~portrait].mean()), "portrait": float(errors[portrait].mean())}


def evaluate(folder: Path, count: int) -> dict[str, object]:
    """All figures of a model; ``count`` faces of trained and of held-out media each."""
    model = load(folder)
    report: dict[str, object] = {}
    for name, held_out in (("trained media", False), ("held-out media", True)):
        faces = draw_faces(count, SEED, held_out=held_out, processes=2)
        images, ages = as_images(faces), torch.from_numpy(faces.ages)
        plain, harsh = shrink(images), augment(images, torch.Generator().manual_seed(SEED))
        errors = (zero_shot(model, plain, TEMPLATE) - ages).abs().numpy()
        report[name] = {
            "median predictor": median_error(ages),
            "zero-shot": float(errors.mean()),
            "zero-shot, augmented": zero_shot_error(model, harsh, ages, TEMPLATE),
            "held-out templates": {
                template: zero_shot_error(model, plain, ages, template)
                for template in HELD_OUT_TEMPLATES
            },
            "six stages, accuracy": stage_accuracy(model, plain, ages),
            "ridge probe by shots": few_shot_errors(encode(model, plain), ages, (1, 4, 8)),
            "by medium": by_medium(faces, errors),
            "by hand": by_hand(faces, errors),
        }
    return report


def main() -> None:
    """Parse the command line and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the model's files")
    parser.add_argument("--count", type=int, default=2500, help="faces of each kind")
    given = parser.parse_args()
    print(json.dumps(evaluate(given.folder, given.count), indent=1))


if __name__ == "__main__":
    main()
