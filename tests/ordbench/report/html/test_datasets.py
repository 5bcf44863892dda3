"""What a dataset's section says of its splits."""

from ordbench.dataset import SkippedFile
from ordbench.report.html.datasets import SHOWN, dataset_sections
from ordbench.runs.record import SplitFacts
from ordbench.runs.spec import RunSpec
from tests.ordbench.conftest import done


def test_splits_stand_by_shots_with_their_counts_and_faults() -> None:
    rejected = tuple(SkippedFile(f"{number}.gif", "torn") for number in range(SHOWN + 2))
    runs = [
        done(
            number,
            spec=RunSpec(head="coral", dataset="fgnet", shots=shots, data_seed=seed),
            split=SplitFacts(
                hash=f"{number:064}",
                train=80 + seed,
                val=4,
                test=20,
                leaks=3 * (shots is None),
                short=seed,
                rejected=rejected,
            ),
        )
        for number, (shots, seed) in enumerate(
            (shots, seed) for shots in (None, 16, 2) for seed in (0, 1)
        )
    ]
    (section,) = dataset_sections(runs)
    assert [one.shots for one in section.splits] == ["2 shots", "16 shots", "all images"]
    assert [one.train for one in section.splits] == ["80 to 81"] * 3
    assert [one.leaks for one in section.splits] == [0, 0, 3]
    assert [one.short for one in section.splits] == [1, 1, 1]
    assert len(section.left_out) == SHOWN
    assert section.more_left_out == 2


def test_a_dataset_that_is_tested_in_place_of_another_has_a_section_of_its_own() -> None:
    runs = [
        done(0),
        done(1, spec=RunSpec(head="coral", dataset="fgnet", test_dataset="utkface")),
        done(2, spec=RunSpec(head="coral", dataset="gone", dataset_argument="/home/me/a.csv")),
    ]
    sections = dataset_sections(runs)
    assert [(one.name, one.tested) for one in sections] == [
        ("fgnet", ""),
        ("fgnet", "utkface"),
        ("gone:a.csv", ""),
    ]
    assert sections[2].description is None
    assert "unknown dataset" in sections[2].missing
