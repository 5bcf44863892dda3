"""Every K-th image of a rank is tested: a protocol with an option, from another package."""

from ordbench import Parts, SplitProtocol


class EveryKth(SplitProtocol):
    title = "tests every k-th image of a rank"

    def __init__(self, *, k: int = 4):
        self.k = k

    def parts(self, listing, *, dataset, fold, shots, data_seed):
        place = {}
        parts = Parts([], [], [])
        for sample in sorted(listing.samples, key=lambda sample: sample.name):
            n = place[sample.rank] = place.get(sample.rank, -1) + 1
            turn = (n - fold) % self.k
            (parts.test if turn == 0 else parts.val if turn == 1 else parts.train).append(sample)
        return parts
