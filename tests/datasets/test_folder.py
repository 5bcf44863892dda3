from __future__ import annotations

import errno
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from ordbench.errors import DatasetError, SpecError
from ordbench.plugins.options import resolve
from ordbench.plugins.reference import PluginRef
from ordbench_datasets.folder import Folder

Put = Callable[[Path, Iterable[str]], Path]


def test_numbered_folders_stand_by_number(tmp_path: Path, put: Put) -> None:
    listing = Folder(tmp_path, str(put(tmp_path, ["10/a.jpg", "9/a.jpg", "100/b/c.jpg"]))).read()
    assert listing.task.rank_names == ("9", "10", "100")
    assert listing.task.rank_values == (9, 10, 100)
    assert {s.name: s.rank for s in listing.samples} == {
        "10/a.jpg": 1,
        "100/b/c.jpg": 2,
        "9/a.jpg": 0,
    }
    assert listing.notes == ("ranks by number: 9 < 10 < 100",)


def test_words_without_an_order_are_refused_with_the_line_to_type(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["low/a.jpg", "mid/a.jpg", "high/a.jpg"])
    with pytest.raises(DatasetError) as caught:
        Folder(tmp_path, str(tmp_path)).read()
    assert str(caught.value) == (
        f"{tmp_path} has ranks that are no numbers, so their order is unknown: 'high', 'low', "
        f"'mid'; write folder:{tmp_path}:ranks=\"LOWEST;...;HIGHEST\""
    )


def test_the_line_to_type_works(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["low/a.jpg", "mid/a.jpg", "high/a.jpg"])
    choice = PluginRef.parse(f'folder:{tmp_path}:ranks="low;mid;high":context="it is"')
    options = {k: str(v) for k, v in resolve(Folder, choice.options, owner="folder").items()}
    listing = Folder(tmp_path, choice.argument, **options).read()
    assert [s.rank for s in listing.samples] == [2, 0, 1]
    assert (listing.task.unit, listing.task.context) == ("ranks", "it is")


def test_what_is_no_image_is_reported_by_name(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["1/a.jpg", "2/a.jpg", "beside.jpg", ".hidden/a.jpg", "1/.DS_Store"])
    (tmp_path / "1" / "notes.txt").touch()
    (tmp_path / "2" / "text.png").write_text("a text")
    listing = Folder(tmp_path, str(tmp_path)).read()
    assert [s.name for s in listing.samples] == ["1/a.jpg", "2/a.jpg"]
    assert dict(listing.rejected) == {
        "1/notes.txt": "'.txt' is not the ending of an image file",
        "2/text.png": "not an image: it starts with b'a text'",
        "beside.jpg": "lies beside the folders of the ranks",
    }


def test_a_rank_without_images_is_noted(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["1/a.jpg", "3/a.jpg"])
    listing = Folder(tmp_path, str(tmp_path), ranks="1;2;3").read()
    assert listing.notes[1] == "no image has rank 2"


@pytest.mark.parametrize("left", [None, "notes.txt"])
def test_a_subfolder_without_images_is_refused_unless_ranks_names_it(
    tmp_path: Path, put: Put, left: str | None
) -> None:
    put(tmp_path, ["1/a.jpg", "2/a.jpg"])
    (tmp_path / "2024").mkdir()
    if left:
        (tmp_path / "2024" / left).touch()
    with pytest.raises(DatasetError, match=r"in the subfolders of rank 2024; take them away, or"):
        Folder(tmp_path, str(tmp_path)).read()
    listing = Folder(tmp_path, str(tmp_path), ranks="1;2;2024").read()
    assert listing.notes[1] == "no image has rank 2024"


def test_a_subfolder_that_cannot_be_read_is_refused(
    tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, ["1/a.jpg", "2/a.jpg", "3/a.jpg"])
    entries = Path.iterdir

    def closed(folder: Path) -> Iterator[Path]:
        if folder.name == "3":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return entries(folder)

    monkeypatch.setattr(Path, "iterdir", closed)
    with pytest.raises(
        DatasetError, match="3 cannot be read: Permission denied; change its permissions"
    ):
        Folder(tmp_path, str(tmp_path), ranks="1;2;3").read()


def test_two_spellings_of_one_number_are_refused(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["1/a.jpg", "01/a.jpg"])
    with pytest.raises(DatasetError, match="subfolders '01' and '1' are the same rank"):
        Folder(tmp_path, str(tmp_path)).read()


def test_one_rank_is_too_few(tmp_path: Path, put: Put) -> None:
    with pytest.raises(DatasetError, match="at least 2 ranks, got 1"):
        Folder(tmp_path, str(put(tmp_path, ["1/a.jpg"]))).read()


def test_a_folder_that_is_missing_flat_or_empty_says_what_is_wanted(
    tmp_path: Path, put: Put
) -> None:
    with pytest.raises(DatasetError, match="gone does not exist; wanted PATH/RANK/IMAGE"):
        Folder(tmp_path, str(tmp_path / "gone")).read()
    with pytest.raises(DatasetError, match="has no subfolders; put your images into one subfolder"):
        Folder(tmp_path, str(put(tmp_path / "flat", ["a.jpg"]))).read()
    for rank in "12":
        (tmp_path / "empty" / rank).mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"holds no image in its 2 subfolders \(0 other files\)"):
        Folder(tmp_path, str(tmp_path / "empty")).read()
    (tmp_path / "empty" / "1" / "a.heic").write_bytes(b"")
    with pytest.raises(
        DatasetError, match=r"\(1 other files, first '1/a\.heic': HEIC and AVIF are"
    ):
        Folder(tmp_path, str(tmp_path / "empty")).read()


def test_a_path_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="'a folder of images' needs a path; write NAME:PATH"):
        Folder(tmp_path)


def test_folders_called_train_and_test_are_parts(tmp_path: Path, put: Put) -> None:
    names = ["train/1/a.jpg", "train/2/b.jpg", "Validation/1/c.jpg", "test/10/d.jpg"]
    put(tmp_path, [*names, "train/beside.jpg", "beside.jpg"])
    listing = Folder(tmp_path, str(tmp_path)).read()
    assert listing.task.rank_names == ("1", "2", "10")
    assert {s.name: (s.rank, s.part) for s in listing.samples} == {
        "train/1/a.jpg": (0, "train"),
        "train/2/b.jpg": (1, "train"),
        "Validation/1/c.jpg": (0, "val"),
        "test/10/d.jpg": (2, "test"),
    }
    assert [name for name, _ in listing.rejected] == ["beside.jpg", "train/beside.jpg"]
    assert listing.notes[1] == "the folders Validation, test, train are the parts"


def test_ranks_may_be_called_train_and_test(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["train/a.jpg", "test/a.jpg"])
    assert Folder(tmp_path, str(tmp_path), ranks="test;train").read().task.num_ranks == 2


def test_a_part_alone_or_beside_other_folders_is_refused(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["train/1/a.jpg", "train/2/a.jpg"])
    with pytest.raises(DatasetError, match=r"holds only the part train; write folder:.*/train to"):
        Folder(tmp_path, str(tmp_path)).read()
    put(tmp_path, ["old/1/a.jpg"])
    with pytest.raises(DatasetError, match=r"holds parts \(train\) and other folders \(old\)"):
        Folder(tmp_path, str(tmp_path)).read()


def test_folders_and_ranks_meet_in_either_unicode_form(tmp_path: Path, put: Put) -> None:
    one, two = (unicodedata.normalize(form, "\xe9lev\xe9") for form in ("NFC", "NFD"))
    put(tmp_path, [f"{two}/a.jpg", "bas/a.jpg"])
    for given in (one, two):
        listing = Folder(tmp_path, str(tmp_path), ranks=f"bas;{given}").read()
        assert [(s.name, s.rank) for s in listing.samples] == [
            ("bas/a.jpg", 0),
            (f"{one}/a.jpg", 1),
        ]


def test_a_linked_rank_is_read_and_a_link_to_another_rank_is_named(
    tmp_path: Path, put: Put
) -> None:
    root = put(tmp_path / "root", ["1/a.jpg", "2/b.jpg"])
    (root / "3").symlink_to(put(tmp_path / "elsewhere", ["c.jpg"]))
    (root / "1" / "more").symlink_to(root / "2")
    listing = Folder(tmp_path, str(root)).read()
    assert [(s.name, s.rank) for s in listing.samples] == [
        ("1/a.jpg", 0),
        ("2/b.jpg", 1),
        ("3/c.jpg", 2),
    ]
    assert listing.rejected == (("1/more", "a link to a folder that is listed elsewhere"),)


def test_folders_are_put_into_bins(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["7/a.jpg", "20/a.jpg", "61/a.jpg"])
    listing = Folder(tmp_path, str(tmp_path), bins="20;40;60").read()
    assert {s.name: s.rank for s in listing.samples} == {"7/a.jpg": 0, "20/a.jpg": 1, "61/a.jpg": 3}
    assert listing.notes[-1] == "no image has rank 40 to 60"


def test_folders_of_folds_are_named(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["fold_0/1/a.jpg", "fold_1/2/a.jpg"])
    with pytest.raises(DatasetError, match="fold_0, fold_1 look like folds, not ranks"):
        Folder(tmp_path, str(tmp_path)).read()
    assert Folder(tmp_path, str(tmp_path), ranks="fold_0;fold_1").read().task.num_ranks == 2


def test_a_fraction_without_a_leading_zero_is_a_rank(tmp_path: Path, put: Put) -> None:
    listing = Folder(tmp_path, str(put(tmp_path, [".5/a.jpg", "1/b.jpg"]))).read()
    assert listing.task.rank_values == (0.5, 1.0)
    assert [s.name for s in listing.samples] == [".5/a.jpg", "1/b.jpg"]


@pytest.mark.parametrize(
    "names",
    [
        ["10/a.jpg", "9/a.jpg", "100/b/c.jpg", "beside.jpg", "9/.hidden.jpg"],
        ["train/1/a.jpg", "train/2/b.jpg", "Validation/1/c.jpg", "test/10/d.jpg"],
    ],
    ids=["ranks", "parts"],
)
def test_a_zip_archive_is_read_as_the_folder_that_it_holds(
    tmp_path: Path, put: Put, names: list[str]
) -> None:
    root = put(tmp_path / "faces", names)
    archive = shutil.make_archive(str(tmp_path / "faces"), "zip", root)
    unpacked, zipped = Folder(tmp_path, str(root)).read(), Folder(tmp_path, archive).read()
    assert [s._replace(image=Path()) for s in zipped.samples] == [
        s._replace(image=Path()) for s in unpacked.samples
    ]
    assert [str(s.image) for s in zipped.samples] == [
        f"{archive}/{s.name}" for s in unpacked.samples
    ]
    assert (zipped.rejected, zipped.notes) == (unpacked.rejected, unpacked.notes)
    assert zipped.fingerprint == unpacked.fingerprint


def test_a_single_folder_around_the_ranks_is_named(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "faces", ["1/a.jpg", "2/a.jpg"])
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "faces")
    wanted = f"write folder:{archive}/faces"
    for ranks in ("", "2;1"):
        with pytest.raises(DatasetError, match=f"one folder, faces, and one rank .* {wanted}$"):
            Folder(tmp_path, archive, ranks=ranks).read()
    assert len(Folder(tmp_path, f"{archive}/faces").read().samples) == 2
