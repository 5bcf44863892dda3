"""Train ``clip:tiny`` on drawn faces and captions that say their age.

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
from anatomy import OLDEST
from augment import augment, shrink
from captions import around, caption
from drawings import cached_faces
from faces import Faces, draw_faces
from loss import contrastive_loss
from model import build, load, save, text_features, tokens, zero_shot
from open_clip.model import CLIP
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

TEMPLATE = "age estimation: the age of the person is {}."


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights.

    Attributes:
        steps: Optimiser steps.
        seed: Seed of the faces, the captions, the weights and the augmentation.
        faces: Number of drawings.
        portraits: Share of the drawings with the benchmark's anatomy; see `portrait`.
        batch: Images a step.
        captions: Captions a step, each said of one of its images.
        rate: Peak learning rate of AdamW; it warms up and falls as a cosine.
        decay: Weight decay of matrices.
        clean: Share of images that augmentation spares; all at first, falling to this share
            over the first quarter of the steps.
        noise: Noise on the token embeddings, as a share of their standard deviation.
        smooth: Share of the weights' running average that a step keeps; the average is saved.
        scale: Factor of the cosine, fixed; the released CLIPs end near 100.
        auxiliary: Weight of the losses that read the age from image and text features, and the
            drawn cues from image features, by linear maps that are thrown away.
    """

    steps: int = 9000
    seed: int = 0
    faces: int = 48_000
    portraits: float = 0.5
    batch: int = 128
    captions: int = 64
    rate: float = 2e-3
    decay: float = 0.05
    clean: float = 0.15
    noise: float = 0.15
    smooth: float = 0.99
    scale: float = 20.0
    auxiliary: float = 1.0


def as_images(faces: Faces) -> Tensor:
    """Drawings as ``(N, 3, S, S)`` in 0..1."""
    return torch.from_numpy(faces.images).permute(0, 3, 1, 2).float() / 255


@dataclass(frozen=True)
class Batch:
    """What one step learns from.

    Attributes:
        images: ``(N, 3, 64, 64)``, normalised.
        ages: ``(N,)``, int64, in years.
        cues: ``(N, C)``, standardised.
        texts: ``(M, 77)``, tokens of the captions.
        densities: ``(M, OLDEST + 1)``, what each caption says of the age.
    """

    images: Tensor
    ages: Tensor
    cues: Tensor
    texts: Tensor
    densities: Tensor


class Trainer:
    """One training: the model, its optimiser and its streams of chance."""

    def __init__(self, recipe: Recipe, faces: Faces, start: Path | None = None) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.faces = faces
        self.model: CLIP = load(start) if start else build()
        # Left to learn, the scale falls to 8, and a prompt head that keeps it cannot be sharp.
        self.model.logit_scale.requires_grad_(False).fill_(math.log(recipe.scale))
        self.model.visual.to(memory_format=torch.channels_last)
        # An average over the last steps reads far better than any one step at a high rate.
        smooth = get_ema_multi_avg_fn(recipe.smooth)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.model, multi_avg_fn=smooth, use_buffers=True)
        self.reader = nn.Linear(128, OLDEST + 1)
        self.measurer = nn.Linear(128, faces.cues.shape[1])
        middle, spread = np.nanmean(faces.cues, 0), np.nanstd(faces.cues, 0)
        self.cues = torch.from_numpy((faces.cues - middle) / (spread + 1e-3))
        self.made = 0
        self.chance = torch.Generator().manual_seed(recipe.seed)
        self.words = np.random.default_rng([recipe.seed, 1])
        self.by_age = torch.from_numpy(np.stack([around(age) for age in range(OLDEST + 1)]))
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
        picked = torch.randint(0, len(self.faces.ages), (self.recipe.batch,), generator=self.chance)
        ages = torch.from_numpy(self.faces.ages)[picked].long()
        chosen = torch.from_numpy(self.faces.images[picked.numpy()])
        drawings = chosen.permute(0, 3, 1, 2).float() / 255
        progress = min(1.0, self.made / max(1, 0.25 * self.recipe.steps))
        clean = int((1 - progress * (1 - self.recipe.clean)) * len(ages))
        parts = [shrink(drawings[:clean])] if clean else []
        parts += [augment(drawings[clean:], self.chance)] if clean < len(ages) else []
        # Every few images one gets a caption, so that clean and augmented ones do alike.
        every = self.recipe.batch // self.recipe.captions
        said = [caption(int(age), self.words) for age in ages[::every]]
        densities = torch.from_numpy(np.stack([one.density for one in said]))
        self.made += 1
        texts = tokens([one.text for one in said])
        return Batch(torch.cat(parts), ages, self.cues[picked], texts, densities)

    def loss(self, batch: Batch) -> Tensor:
        """Contrastive loss plus the auxiliary readings, in nats."""
        # Channels last and bfloat16 halve the time of these narrow convolutions on a CPU.
        images = batch.images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            features = self.model.encode_image(images)
        image = F.normalize(features.float(), dim=-1)
        text = F.normalize(text_features(self.model, batch.texts, self.recipe.noise), dim=-1)
        wanted = batch.densities[:, batch.ages].T
        matched = contrastive_loss(image, text, self.model.logit_scale.exp(), wanted)
        # Unit features times ten: logits wide enough to tell a hundred ages apart.
        seen = -(self.by_age[batch.ages] * self.reader(10 * image).log_softmax(1)).sum(1).mean()
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

    def error(self, faces: Faces) -> float:
        """Zero-shot mean absolute error on drawings, in years."""
        self.average.eval()
        # The mask holds minus infinity, of which no average can be made.
        self.average.module.attn_mask = self.model.attn_mask.clone()
        guessed = zero_shot(self.average.module, shrink(as_images(faces)), TEMPLATE)
        return float((guessed - torch.from_numpy(faces.ages)).abs().mean())


def train(recipe: Recipe, trainer: Trainer, out: Path, every: int) -> None:
    """Train, and keep the weights that read the held-out media best."""
    check = draw_faces(
        min(600, recipe.faces), recipe.seed + 1, portraits=recipe.portraits, held_out=True
    )
    best, start, losses = math.inf, time.perf_counter(), []
    for step in range(recipe.steps):
        losses.append(trainer.step(step))
        if (step + 1) % every and step + 1 != recipe.steps:
            continue
        error, minutes = trainer.error(check), (time.perf_counter() - start) / 60
        print(
            f"{step + 1} {minutes:.1f} min loss {np.mean(losses):.3f} mae {error:.2f}", flush=True
        )
        losses = []
        if error < best:
            best = error
            save(trainer.average.module, out)
            kept = asdict(recipe) | {"step": step + 1, "minutes": minutes, "mae": error}
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
    drawn = (recipe.faces, recipe.seed, recipe.portraits)
    faces = cached_faces(*drawn, cache=given["cache"], processes=given["processes"])
    train(recipe, Trainer(recipe, faces, given["start"]), given["out"], given["every"])


if __name__ == "__main__":
    main()
