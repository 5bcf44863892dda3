"""Augmentation of a whole batch of drawings at once, in torch: shape, colour, light and damage."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

IMAGE_SIDE = 64


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Change drawings ``(N, 3, S, S)`` in 0..1 into normalised images ``(N, 3, 64, 64)``."""
    images = warp(images, generator)
    images = recolour(images, generator)
    images = retexture(images, generator)
    images = soften(images, generator)
    images = damage(images, generator)
    return normalise(images)


def normalise(images: Tensor) -> Tensor:
    """Map 0..1 to -1..1, as the model's preprocessing does."""
    return images.clamp(0, 1) * 2 - 1


def shrink(images: Tensor) -> Tensor:
    """The plain preprocessing of drawings ``(N, 3, S, S)`` in 0..1."""
    side = (IMAGE_SIDE, IMAGE_SIDE)
    small = F.interpolate(images, side, mode="bicubic", align_corners=False, antialias=True)
    return normalise(small)


def warp(images: Tensor, generator: torch.Generator) -> Tensor:
    """Turn, scale, stretch, shift and mirror each image."""
    count = len(images)
    turn = _normal(count, generator) * math.radians(7)
    scale = torch.exp(_even(count, generator, -0.28, 0.22))
    stretch = torch.exp(_normal(count, generator) * 0.04)
    mirror = (torch.rand(count, generator=generator) < 0.5).float() * 2 - 1
    rows = torch.stack(
        [
            torch.stack([turn.cos() * scale * stretch * mirror, -turn.sin() * scale], 1),
            torch.stack([turn.sin() * scale * mirror, turn.cos() * scale / stretch], 1),
        ],
        1,
    )
    shift = torch.randn(count, 2, 1, generator=generator) * 0.06
    shape = [count, 3, IMAGE_SIDE, IMAGE_SIDE]
    grid = F.affine_grid(torch.cat([rows, shift], 2), shape, align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def recolour(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mix channels, lose colour, change contrast, light from one side, invert, posterise."""
    count = len(images)
    mix = torch.eye(3) + torch.randn(count, 3, 3, generator=generator) * 0.12
    grey = torch.full((3, 3), 1 / 3)
    fade = (torch.rand(count, 1, 1, generator=generator) - 0.35).clamp(min=0) * 1.5
    fade = torch.where(_chance(count, generator, 0.15).view(-1, 1, 1), torch.ones(()), fade)
    mix = mix * (1 - fade) + grey * fade
    images = torch.einsum("nij,njhw->nihw", mix, images)
    contrast = torch.exp(_normal(count, generator) * 0.25).view(-1, 1, 1, 1)
    middle = images.mean((2, 3), keepdim=True)
    tint = torch.randn(count, 3, 1, 1, generator=generator) * 0.07
    images = (images - middle) * contrast + middle + tint
    inverted = _chance(count, generator, 0.05).view(-1, 1, 1, 1)
    images = torch.where(inverted, 1 - images, images)
    line = torch.linspace(-1, 1, IMAGE_SIDE)
    slope = torch.randn(count, 2, generator=generator) * 0.13
    field = slope[:, :1, None] * line[None, :, None] + slope[:, 1:, None] * line[None, None, :]
    images = images * (1 + field.unsqueeze(1))
    steps = _even(count, generator, 3, 8).view(-1, 1, 1, 1).round()
    few = _chance(count, generator, 0.1).view(-1, 1, 1, 1)
    return torch.where(few, (images * steps).round() / steps, images)


def retexture(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shade softly, roughen at a random scale, pass some images through a random filter.

    Source: Xu et al. (2021), Robust and generalizable visual representation learning via random
    convolutions, https://arxiv.org/abs/2007.13003, for the filter.
    """
    count = len(images)
    shade = torch.randn(count, 1, 4, 4, generator=generator) * 0.3
    shade *= _chance(count, generator, 0.4).view(-1, 1, 1, 1)
    images = images * torch.exp(_enlarged(shade))
    cells = int(torch.randint(10, 33, (), generator=generator))
    rough = torch.randn(count, 1, cells, cells, generator=generator)
    depth = _even(count, generator, -0.15, 0.1).clamp(min=0)
    images = images + depth.view(-1, 1, 1, 1) * _enlarged(rough)
    chosen = _chance(count, generator, 0.25)
    if chosen.any():
        images[chosen] = _filtered(images[chosen], generator)
    return images


def _enlarged(field: Tensor) -> Tensor:
    side = (IMAGE_SIDE, IMAGE_SIDE)
    return F.interpolate(field, side, mode="bicubic", align_corners=False)


def _filtered(images: Tensor, generator: torch.Generator) -> Tensor:
    count = len(images)
    kernels = torch.randn(3 * count, 3, 3, 3, generator=generator)
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect").reshape(1, -1, *[IMAGE_SIDE + 2] * 2)
    passed = F.conv2d(padded, kernels, groups=count).view_as(images)
    spread, middle = torch.std_mean(passed, (2, 3), keepdim=True)
    wanted, level = torch.std_mean(images, (2, 3), keepdim=True)
    passed = (passed - middle) / (spread + 1e-3) * wanted + level
    share = _even(count, generator, 0.2, 0.8).view(-1, 1, 1, 1)
    return images + share * (passed - images)


def soften(images: Tensor, generator: torch.Generator) -> Tensor:
    """Blur a third of the images and sharpen a quarter, strongly at times."""
    count = len(images)
    strength = torch.zeros(count)
    blurred, sharpened = _chance(count, generator, 0.35), _chance(count, generator, 0.25)
    strength = torch.where(blurred, _even(count, generator, 0.2, 1.0), strength)
    strength = torch.where(sharpened & ~blurred, _even(count, generator, -2.5, -0.3), strength)
    radius = _even(count, generator, 0.6, 1.8).view(-1, 1, 1)
    place = torch.arange(IMAGE_SIDE).float()
    # As a matrix product a blur costs a tenth of a convolution on a CPU.
    kernel = torch.exp(-0.5 * ((place[:, None] - place[None]) / radius) ** 2)
    kernel = (kernel / kernel.sum(2, keepdim=True)).unsqueeze(1)
    smooth = kernel @ images @ kernel.transpose(2, 3)
    return images + strength.view(-1, 1, 1, 1) * (smooth - images)


def damage(images: Tensor, generator: torch.Generator) -> Tensor:
    """Noise, blocks as of a coarse JPEG, lower resolution, a covered patch."""
    count = len(images)
    depth = _even(count, generator, -0.06, 0.08).clamp(min=0).view(-1, 1, 1, 1)
    images = images + torch.randn(images.shape, generator=generator) * depth
    poor = _chance(count, generator, 0.12)
    if poor.any():
        images[poor] = compress(images[poor], float(_even(1, generator, 0.1, 0.4)))
    coarse = _chance(count, generator, 0.1)
    if coarse.any():
        side = int(_even(1, generator, 30, 52))
        small = F.interpolate(images[coarse], (side, side), mode="area")
        images[coarse] = F.interpolate(small, (IMAGE_SIDE, IMAGE_SIDE), mode="nearest")
    covered = _chance(count, generator, 0.2).nonzero().flatten().tolist()
    corners = torch.randint(0, IMAGE_SIDE - 12, (count, 2), generator=generator).tolist()
    for number in covered:
        top, left = corners[number]
        images[number, :, top : top + 14, left : left + 14] = images[number].mean()
    return images


def compress(images: Tensor, step: float) -> Tensor:
    """Quantise the cosine transform of 8 by 8 blocks, as JPEG does, high frequencies more."""
    count, channels, height, width = images.shape
    place = torch.arange(8).float()
    basis = torch.cos((2 * place[None] + 1) * place[:, None] * math.pi / 16) / 2
    basis[0] /= math.sqrt(2)
    blocks = images.view(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    spectrum = basis @ blocks @ basis.T
    steps = step * (1 + place[:, None] + place[None]) / 2
    blocks = basis.T @ ((spectrum / steps).round() * steps) @ basis
    return blocks.transpose(3, 4).reshape(images.shape)


def _even(count: int, generator: torch.Generator, low: float, high: float) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _normal(count: int, generator: torch.Generator) -> Tensor:
    return torch.randn(count, generator=generator)


def _chance(count: int, generator: torch.Generator, share: float) -> Tensor:
    return torch.rand(count, generator=generator) < share
