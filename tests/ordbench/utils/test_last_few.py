import pickle
from functools import partial

from ordbench.utils.last_few import LastFew


def made(kept: LastFew, *keys: str) -> list[str]:
    """Ask for the values of keys, and name those that had to be made."""
    new: list[str] = []

    def make(key: str) -> str:
        new.append(key)
        return key.upper()

    assert [kept.get(key, partial(make, key)) for key in keys] == [key.upper() for key in keys]
    return new


def test_the_values_asked_for_last_are_kept() -> None:
    assert made(LastFew(2), "a", "b", "a", "c", "a", "b") == ["a", "b", "c", "b"]


def test_a_copy_begins_empty_and_keeps_as_many() -> None:
    kept = LastFew(1)
    made(kept, "a")
    copy = pickle.loads(pickle.dumps(kept))
    assert (len(kept), len(copy)) == (1, 0)
    assert made(copy, "a", "b", "a") == ["a", "b", "a"]
