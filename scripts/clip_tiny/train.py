"""Train ``clip:tiny`` on drawings and captions: faces and their age, things and their ripeness.

Source: Radford et al. (2021), Learning transferable visual models from natural language
supervision, https://arxiv.org/abs/2103.00020. Auxiliary losses, thrown away after training, read
the age from both towers and the drawn cues from the image.
"""

import argparse
import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from augment import augment, shrink
from captions import Caption, around, caption
from drawings import AGES, PLACES, Drawings, cached, draw
from loss import contrastive_loss
from model import build, load, save, text_features, tokens, zero_shot
from numpy.random import Generator
from numpy.typing import NDArray
from open_clip.model import CLIP
from ripe_captions import around as around_ripeness
from ripe_captions import ripe_caption
from ripening import STEPS
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

# What zero-shot asks about faces and about things: a template, and names with what they stand for,
# an age in years or a ripeness from 0 to 20.
AGE_TEMPLATE = "age estimation: the age of the person is {}."
AGE_NAMES = {str(age): float(age) for age in range(AGES)}
RIPE_TEMPLATE = "the ripeness of the fruit is {}."
RIPE_NAMES = {
    "unripe": 1.5,
    "turning": 5.0,
    "nearly ripe": 8.0,
    "ripe": 11.0,
    "overripe": 15.0,
    "rotten": 18.5,
}


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights.

    Attributes:
        steps: Optimiser steps.
        seed: Seed of the drawings, the captions, the weights and the augmentation.
        drawings: Number of drawings.
        ripening: Share of the drawings that are things that ripen; the others are faces.
        batch: Images a step.
        captions: Captions a step, each said of one of its images.
        rate: Peak learning rate of AdamW; it warms up and falls as a cosine.
        decay: Weight decay of matrices.
        clean: Share of images that augmentation spares; all at first, falling to this share
            over the first quarter of the steps.
        noise: Noise on the token embeddings, as a share of their standard deviation.
        smooth: Share of the weights' running average that a step keeps; the average is saved.
        scale: Factor of the cosine, fixed; the released CLIPs end near 100.
        auxiliary: Weight of the losses that read the age or ripeness from image and text
            features, and a face's cues from image features, by linear maps that are thrown away.
    """

    steps: int = 9000
    seed: int = 0
    drawings: int = 48_000
    ripening: float = 0.5
    batch: int = 128
    captions: int = 64
    rate: float = 2e-3
    decay: float = 0.05
    clean: float = 0.15
    noise: float = 0.15
    smooth: float = 0.99
    scale: float = 20.0
    auxiliary: float = 1.0


def as_images(images: NDArray[np.uint8]) -> Tensor:
    """Drawings ``(N, S, S, 3)`` as ``(N, 3, S, S)`` in 0..1."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255


def say(place: int, generator: Generator) -> Caption:
    """A caption of a place, with a density over all `PLACES`: ages, then ripenesses."""
    if place < AGES:
        said = caption(place, generator)
        return Caption(said.text, np.pad(said.density, (0, STEPS)))
    said = ripe_caption(place - AGES, generator)
    return Caption(said.text, np.pad(said.density, (AGES, 0)))


def errors(model: CLIP, drawings: Drawings) -> dict[str, float]:
    """Zero-shot mean absolute error by kind of drawing, as a share of the median predictor's."""
    images, places = shrink(as_images(drawings.images)), torch.from_numpy(drawings.places)
    things, found = places >= AGES, {}
    for kind, chosen, template, names, first in (
        ("faces", ~things, AGE_TEMPLATE, AGE_NAMES, 0),
        ("things", things, RIPE_TEMPLATE, RIPE_NAMES, AGES),
    ):
        if chosen.any():
            truth = (places[chosen] - first).float()
            guessed = zero_shot(model, images[chosen], template, names)
            found[kind] = absolute_error(guessed, truth) / median_error(truth)
    return found


def absolute_error(guessed: Tensor, truth: Tensor) -> float:
    """Mean absolute error."""
    return float((guessed - truth).abs().mean())


def median_error(truth: Tensor) -> float:
    """Mean absolute error of always answering with the median."""
    return absolute_error(truth.median(), truth)


@dataclass(frozen=True)
class Batch:
    """What one step learns from.

    Attributes:
        images: ``(N, 3, 64, 64)``, normalised.
        places: ``(N,)``, int64; see `Drawings`.
        cues: ``(N, C)``, standardised.
        texts: ``(M, 77)``, tokens of the captions.
        densities: ``(M, PLACES)``, what each caption says of the age or the ripeness.
    """

    images: Tensor
    places: Tensor
    cues: Tensor
    texts: Tensor
    densities: Tensor


class Trainer:
    """One training: the model, its optimiser and its streams of chance."""

    def __init__(self, recipe: Recipe, drawings: Drawings, start: Path | None = None) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.drawings = drawings
        self.model: CLIP = load(start) if start else build()
        # Left to learn, the scale falls to 8, and a prompt head that keeps it cannot be sharp.
        self.model.logit_scale.requires_grad_(False).fill_(math.log(recipe.scale))
        self.model.visual.to(memory_format=torch.channels_last)
        # An average over the last steps reads far better than any one step at a high rate.
        smooth = get_ema_multi_avg_fn(recipe.smooth)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.model, multi_avg_fn=smooth, use_buffers=True)
        self.reader = nn.Linear(128, PLACES)
        self.measurer = nn.Linear(128, drawings.cues.shape[1])
        middle, spread = np.nanmean(drawings.cues, 0), np.nanstd(drawings.cues, 0)
        self.cues = torch.from_numpy((drawings.cues - middle) / (spread + 1e-3))
        self.made = 0
        self.chance = torch.Generator().manual_seed(recipe.seed)
        self.words = np.random.default_rng([recipe.seed, 1])
        self.by_place = torch.block_diag(
            torch.from_numpy(np.stack([around(age) for age in range(AGES)])),
            torch.from_numpy(np.stack([around_ripeness(step) for step in range(STEPS)])),
        )
        self.optimiser = torch.optim.AdamW(self._groups(), lr=recipe.rate, betas=(0.9, 0.98))
        self.pool = ThreadPoolExecutor(1)
        self.ahead = self.pool.submit(self.batch)

    def _groups(self) -> list[dict[str, object]]:
        parts = (self.model, self.reader, self.measurer)
        named = [
            pair for part in parts for pair in part.named_parameters() if pair[1].requires_grad
        ]
        # Rows of tokens no caption uses must stay as they were drawn.
        decayed = [p for name, p in named if p.ndim > 1 and "embedding" not in name]
        free = [p for name, p in named if p.ndim <= 1 or "embedding" in name]
        return [
            {"params": decayed, "weight_decay": self.recipe.decay},
            {"params": free, "weight_decay": 0.0},
        ]

    def rate_at(self, step: int) -> float:
        """Learning rate of a step: a twentieth of warm-up, then a cosine."""
        warm = max(1, self.recipe.steps // 20)
        rest = (step - warm) / max(1, self.recipe.steps - warm)
        wave = 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, rest))))
        return self.recipe.rate * min(1.0, (step + 1) / warm) * max(wave, 0.01)

    def batch(self) -> Batch:
        """The next batch; not a function of the model, so it can be made ahead."""
        count = len(self.drawings.places)
        picked = torch.randint(0, count, (self.recipe.batch,), generator=self.chance)
        places = torch.from_numpy(self.drawings.places)[picked]
        drawings = as_images(self.drawings.images[picked.numpy()])
        progress = min(1.0, self.made / max(1, 0.25 * self.recipe.steps))
        clean = int((1 - progress * (1 - self.recipe.clean)) * len(places))
        parts = [shrink(drawings[:clean])] if clean else []
        parts += [augment(drawings[clean:], self.chance)] if clean < len(places) else []
        # Every few images one gets a caption, so that clean and augmented ones do alike.
        every = self.recipe.batch // self.recipe.captions
        said = [say(int(place), self.words) for place in places[::every]]
        densities = torch.from_numpy(np.stack([one.density for one in said]))
        self.made += 1
        texts = tokens([one.text for one in said])
        return Batch(torch.cat(parts), places, self.cues[picked], texts, densities)

    def loss(self, batch: Batch) -> Tensor:
        """Contrastive loss plus the auxiliary readings, in nats."""
        # Channels last and bfloat16 halve the time of these narrow convolutions on a CPU.
        images = batch.images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            features = self.model.encode_image(images)
        image = F.normalize(features.float(), dim=-1)
        text = F.normalize(text_features(self.model, batch.texts, self.recipe.noise), dim=-1)
        wanted = batch.densities[:, batch.places].T
        matched = contrastive_loss(image, text, self.model.logit_scale.exp(), wanted)
        # Unit features times ten: logits wide enough to tell all places apart.
        wanted = self.by_place[batch.places]
        seen = -(wanted * self.reader(10 * image).log_softmax(1)).sum(1).mean()
        read = -(batch.densities * self.reader(10 * text).log_softmax(1)).sum(1).mean()
        known = batch.cues.isfinite()
        measured = F.smooth_l1_loss(self.measurer(10 * image)[known], batch.cues[known])
        total: Tensor = matched + self.recipe.auxiliary * (seen + read + 2 * measured)
        return total

    def step(self, step: int) -> float:
        """One optimiser step; returns its loss."""
        self.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate_at(step)
        batch = self.ahead.result()
        self.ahead = self.pool.submit(self.batch)
        loss = self.loss(batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.average.update_parameters(self.model)
        return float(loss.detach())

    def errors(self, drawings: Drawings) -> dict[str, float]:
        """`errors` of the averaged weights."""
        self.average.eval()
        # The mask holds minus infinity, of which no average can be made.
        self.average.module.attn_mask = self.model.attn_mask.clone()
        return errors(self.average.module, drawings)


def train(recipe: Recipe, trainer: Trainer, out: Path, every: int) -> None:
    """Train, and keep the weights that read the held-out media best."""
    count = min(1000, recipe.drawings)
    check = draw(count, recipe.seed + 1, ripening=recipe.ripening, held_out=True)
    best, start, losses = math.inf, time.perf_counter(), []
    for step in range(recipe.steps):
        losses.append(trainer.step(step))
        if (step + 1) % every and step + 1 != recipe.steps:
            continue
        shares, minutes = trainer.errors(check), (time.perf_counter() - start) / 60
        read = " ".join(f"{kind} {share:.3f}" for kind, share in shares.items())
        print(f"{step + 1} {minutes:.1f} min loss {np.mean(losses):.3f} {read}", flush=True)
        losses = []
        if (error := float(np.mean(list(shares.values())))) < best:
            best = error
            save(trainer.average.module, out)
            kept = asdict(recipe) | {"step": step + 1, "minutes": minutes, "errors": shares}
            (out / "training.json").write_text(json.dumps(kept, indent=2) + "\n")


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder of the model's files")
    parser.add_argument("--start", type=Path, help="folder of a model to train on from")
    parser.add_argument("--cache", type=Path, help="folder that keeps the drawings")
    parser.add_argument("--processes", type=int, default=2, help="processes that draw")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--every", type=int, default=100, help="steps between two checks")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    given = vars(parser.parse_args())
    torch.set_num_threads(given["threads"])
    recipe = Recipe(**{name: given[name] for name in asdict(Recipe())})
    drawn = (recipe.drawings, recipe.seed, recipe.ripening)
    drawings = cached(*drawn, cache=given["cache"], processes=given["processes"])
    train(recipe, Trainer(recipe, drawings, given["start"]), given["out"], given["every"])


if __name__ == "__main__":
    main()
