import zipfile
from pathlib import Path

import pytest
from PIL import Image

from ordbench.data.image_lists import list_images
from ordbench.errors import DatasetError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    (photos / "more").mkdir(parents=True)
    for name in ("b.png", "more/a.png"):
        Image.new("RGB", (4, 4), "red").save(photos / name)
    (photos / "notes.txt").write_text("x")
    (photos / "empty.jpg").touch()
    (photos / ".hidden.png").touch()
    return photos


def listed(*paths: Path) -> dict[str, str | None]:
    return {found.name: found.problem for found in list_images(paths)}


def test_a_folder_gives_its_images_and_names_those_that_are_none(folder: Path) -> None:
    assert listed(folder) == {
        f"{folder}/b.png": None,
        f"{folder}/empty.jpg": "empty file",
        f"{folder}/more/a.png": None,
    }


def test_what_is_named_by_itself_is_never_left_out(folder: Path) -> None:
    missing = folder / "none.png"
    assert listed(folder / "notes.txt", missing, folder / "b.png") == {
        f"{folder}/notes.txt": "'.txt' is not the ending of an image file",
        str(missing): "cannot be read: No such file or directory",
        f"{folder}/b.png": None,
    }


def test_an_archive_is_read_as_a_folder(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(folder / "b.png", "in/b.png")
    (found,) = list_images([tmp_path / "all.zip"])
    assert found.name == f"{tmp_path}/all.zip/in/b.png"
    assert found.problem is None


def test_a_csv_file_names_images_beside_it(folder: Path) -> None:
    (folder / "list.CSV").write_text("\ufeffage,file\n3,b.png\n4,\n5,more/x y.png\n6,a\0.png\n")
    assert listed(folder / "list.CSV") == {
        f"{folder}/b.png": None,
        f"{folder}/more/x y.png": "cannot be read: No such file or directory",
        f"{folder}/a\0.png": "not the name of a file",
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no column 'file' with the paths of images, got no columns"),
        (b"path,age\na.png,3\n", "has no column 'file' .*, got 'path', 'age'"),
        (b"file\n\xff\xfe.png\n", "cannot be read: it is not a CSV file in UTF-8"),
    ],
)
def test_a_csv_file_that_names_no_images_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=f"^{tmp_path}/a.csv {said}"):
        list_images([tmp_path / "a.csv"])


def test_a_csv_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a.csv cannot be read: No such file"):
        list_images([tmp_path / "a.csv"])


def test_an_empty_name_is_not_the_current_folder() -> None:
    with pytest.raises(DatasetError, match="the name of an image is empty"):
        list_images([""])
