"""CLIP's loss with soft targets, because many captions of a batch are true of one image.

Source: Radford et al. (2021), Learning transferable visual models from natural language
supervision, https://arxiv.org/abs/2103.00020, figure 3. There each image has one caption; here a
caption is wanted in proportion to the density it gives the image's age.
"""

from torch import Tensor


def contrastive_loss(image: Tensor, text: Tensor, scale: Tensor, wanted: Tensor) -> Tensor:
    """CLIP's loss both ways against soft targets, in nats.

    Args:
        image: Unit features ``(N, D)``.
        text: Unit features ``(M, D)``.
        scale: Factor of the cosine.
        wanted: ``(N, M)``, density that each caption gives each image's age.
    """
    logits = scale * image @ text.T
    # An image without a fitting caption in the batch has no target: it weighs nothing.
    forward = -(_share(wanted, 1) * logits.log_softmax(1)).sum(1)
    backward = -(_share(wanted, 0) * logits.log_softmax(0)).sum(0)
    return (forward.mean() + backward.mean()) / 2


def _share(wanted: Tensor, dim: int) -> Tensor:
    return wanted / wanted.sum(dim, keepdim=True).clamp(min=1e-3)
