from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.dataset import Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.splits.draw import draw
from ordbench_datasets.csv_file import CsvFile

Put = Callable[[Path, Iterable[str]], Path]


@pytest.fixture
def read(tmp_path: Path, put: Put) -> Callable[..., Samples]:
    put(tmp_path, ["a.jpg", "b.jpg", "c.jpg", "deep/d.jpg"])

    def reader(text: str, encoding: str = "utf-8", **options: str) -> Samples:
        (tmp_path / "my.csv").write_bytes(text.encode(encoding))
        return CsvFile(tmp_path / "unused", str(tmp_path / "my.csv"), **options).read()

    return reader


def test_images_are_found_beside_the_file_and_ranks_stand_by_number(
    read: Callable[..., Samples], tmp_path: Path
) -> None:
    listing = read("file,rank\nb.jpg,10\na.jpg,9\ndeep/d.jpg,100\n")
    assert listing.task.rank_names == ("9", "10", "100")
    assert [(s.name, s.rank) for s in listing.samples] == [
        ("a.jpg", 0),
        ("b.jpg", 1),
        ("deep/d.jpg", 2),
    ]
    assert listing.samples[2].image == tmp_path / "deep" / "d.jpg"


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na.jpg,1\nb.jpg,2\n",
        "File;Rank\r\na.jpg;1.0\r\nb.jpg;02\r\n",
        'rank\tother\tfile\n1\tx, y; z\ta.jpg\n2\t"q"\t./b.jpg\n',
        "\ufefffile,rank\na.jpg,1\n\nb.jpg,2\n",
    ],
    ids=["label", "semicolon", "tab", "byte order mark"],
)
def test_common_dialects_say_the_same(read: Callable[..., Samples], text: str) -> None:
    listing = read(text)
    assert [(s.name, s.rank) for s in listing.samples] == [("a.jpg", 0), ("b.jpg", 1)]
    assert listing.task.rank_names == ("1", "2")


def test_a_path_of_windows_is_found(read: Callable[..., Samples]) -> None:
    assert read("file,rank\ndeep\\d.jpg,1\na.jpg,2\n").samples[1].name == "deep/d.jpg"


def test_groups_folds_and_parts_are_taken_over(read: Callable[..., Samples]) -> None:
    header = "file,rank,group,fold,part\n"
    listing = read(header + "a.jpg,1,ada,0,train\nb.jpg,2,,1,Val\nc.jpg,2,bob,2,test\n")
    assert [s[3:6] for s in listing.samples] == [
        ("ada", 0, "train"),
        (None, 1, "val"),
        ("bob", 2, "test"),
    ]
    split = draw(listing, dataset="csv", protocol="standard", fold=0, shots=None, data_seed=0)
    assert (split.train, split.val, split.test) == (("a.jpg",), ("b.jpg",), ("c.jpg",))


def test_words_stand_in_the_order_given(read: Callable[..., Samples]) -> None:
    text = "file,rank\na.jpg,mild\nb.jpg,severe\n"
    listing = read(text, ranks="none;mild;severe", context="it is")
    assert [s.rank for s in listing.samples] == [1, 2]
    assert (listing.task.unit, listing.task.context) == ("ranks", "it is")
    with pytest.raises(DatasetError, match=r'write csv:.*my\.csv:ranks="LOWEST;\.\.\.;HIGHEST"'):
        read(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "file,rank\na.jpg,1\nb.jpg,\n",
            "line 3, column rank: wanted a rank, got ''; fill it in, or rem",
        ),
        ("file,rank\na.jpg,nan\n", "line 2, column rank: wanted a rank, got 'nan'"),
        ("file,label\na.jpg,1\nb.jpg\n", "line 3, column label: wanted a rank, got ''"),
        ("file,rank\n,1\n", "line 2, column file: wanted the path of an image, got ''"),
        (
            "file,rank,fold\na.jpg,1,-1\n",
            "fold: wanted a whole number of at least 0, got '-1'",
        ),
        ("file,rank,fold\na.jpg,1,\n", "line 2, column fold: wanted a whole number"),
        (
            "file,rank,part\na.jpg,1,dev\n",
            "part: wanted train, val or test, got 'dev'; .* part=- to",
        ),
        ("file,rank\na.jpg,1,2\n", "line 2: more cells than columns"),
        ("file,rank\na.jpg,1\na.jpg,2\n", r"line 3, column file: 'a\.jpg' is in line 2 too"),
        ("file,rank\na.jpg,1\n./a.jpg,1\n", r"line 3, column file: 'a\.jpg' is in line 2"),
        (
            "file,rank\na.jpg,1\ndeep/../a.jpg,2\n",
            r"line 3, column file: 'a\.jpg' is in line 2",
        ),
        ("file,rank\na\0.jpg,1\n", "line 2, column file: wanted the path of an image"),
        ("file,rank, Rank\na.jpg,1,2\n", "has the column 'rank' twice; keep one of them"),
        ("image,rank\na.jpg,1\n", r"has the columns image, rank; wanted columns file and"),
        ("", "is empty; wanted columns file and rank"),
        ("file|rank\na.jpg|1\n", r"has the columns file\|rank;.*, separated by comma, semic"),
        ("file,rank\n", "has no line below its header"),
        ('file,rank\n"a.jpg,1\n', "cannot be read: unexpected end of data"),
        ("file,rank\na.jpg,1\n", "at least 2 ranks, got 1"),
    ],
)
def test_an_unusable_line_is_named(read: Callable[..., Samples], text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_relative_and_an_absolute_path_of_one_image_are_refused(
    read: Callable[..., Samples], tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match=r"line 4, column file: 'a\.jpg' is in line 2 too"):
        read(f"file,rank\na.jpg,1\nb.jpg,2\n{tmp_path / 'a.jpg'},2\n")


@pytest.mark.parametrize(
    ("encoding", "what"), [("latin-1", "line 3"), ("utf-16", "it is UTF-16"), ("cp500", "line 1")]
)
def test_another_encoding_is_named(read: Callable[..., Samples], encoding: str, what: str) -> None:
    with pytest.raises(DatasetError, match=rf"is not text in UTF-8 \({what}\); save it as a CSV"):
        read("file,rank\na.jpg,1\njörg.jpg,1\n", encoding=encoding)


def test_a_workbook_of_excel_is_named(tmp_path: Path) -> None:
    (tmp_path / "my.xlsx").write_bytes(b"PK\x03\x04\xff")
    with pytest.raises(DatasetError, match=r"my\.xlsx is not text in UTF-8 \(it may be an Excel"):
        CsvFile(tmp_path, str(tmp_path / "my.xlsx")).read()


def test_a_compressed_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "my.csv.gz").write_bytes(b"\x1f\x8b\x08")
    with pytest.raises(DatasetError, match=r"not text in UTF-8 \(it is compressed by gzip\)"):
        CsvFile(tmp_path, str(tmp_path / "my.csv.gz")).read()


def test_a_first_line_for_excel_is_named(read: Callable[..., Samples]) -> None:
    with pytest.raises(DatasetError, match="begins with 'sep=;', which only Excel reads; delete"):
        read("sep=;\nfile;rank\na.jpg;1\nb.jpg;2\n")


def test_a_label_with_a_null_byte_names_its_line(read: Callable[..., Samples]) -> None:
    with pytest.raises(DatasetError, match=r"line 3, column rank: wanted a rank, got '2\\x00'"):
        read("file,rank\na.jpg,1\nb.jpg,2\0\n")


def test_lines_of_empty_cells_are_left_out(read: Callable[..., Samples]) -> None:
    listing = read("file,rank\na.jpg,1\n,\nb.jpg,2\n , \n,\n")
    assert [s.name for s in listing.samples] == ["a.jpg", "b.jpg"]


def test_a_file_of_nearly_that_name_is_named(read: Callable[..., Samples]) -> None:
    listing = read("file,rank\nA.JPG,1\nb,2\nc.jpg,1\ngone/d.jpg,2\n")
    assert [(name, reason) for name, reason in listing.rejected] == [
        ("A.JPG", "cannot be read: No such file or directory; there is a.jpg (line 2)"),
        ("b", "'' is not the ending of an image file; there is b.jpg (line 3)"),
        ("gone/d.jpg", "cannot be read: No such file or directory (line 5)"),
    ]


def test_folds_beside_parts_are_said_to_be_unused(read: Callable[..., Samples]) -> None:
    text = "file,rank,split,fold\na.jpg,1,train,0\nb.jpg,2,test,1\n"
    note = "column split divides the images, column fold does not; to use it, write part=-"
    assert read(text).notes[-1] == note
    assert note not in read(text, part="-").notes


@pytest.mark.parametrize("name", ["gone.csv", "."])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        CsvFile(tmp_path, str(tmp_path / name)).read()


def test_images_that_are_not_there_are_reported_with_their_line(
    read: Callable[..., Samples],
) -> None:
    listing = read("file,rank\na.jpg,1\ngone.jpg,2\n")
    assert listing.rejected == (("gone.jpg", "cannot be read: No such file or directory (line 3)"),)
    assert listing.task.num_ranks == 2
    with pytest.raises(DatasetError, match=r"none of its 2 images can be used, first 'x\.jpg'"):
        read("file,rank\nx.jpg,1\ny.jpg,2\n")


@pytest.mark.parametrize("word", ["None", "NA", "null", "nan"])
def test_a_rank_may_be_called_none_where_ranks_names_it(
    read: Callable[..., Samples], word: str
) -> None:
    text = f"file,rank\na.jpg,{word}\nb.jpg,Mild\nc.jpg,Severe\n"
    listing = read(text, ranks=f"{word};Mild;Severe")
    assert [s.rank for s in listing.samples] == [0, 1, 2]
    with pytest.raises(DatasetError, match=f"got '{word}'; correct it or add it to ranks="):
        read(text, ranks="Mild;Severe")


def test_person_7_and_person_7_0_and_person_007_are_one(read: Callable[..., Samples]) -> None:
    listing = read("file,rank,group\na.jpg,1,7\nb.jpg,2,7.0\nc.jpg,2,007\ndeep/d.jpg,2,v7.0\n")
    assert [s.group for s in listing.samples] == ["7", "7", "7", "v7.0"]
    assert [s.group for s in read("file,rank,group\na.jpg,1,0\nb.jpg,2,00.0\n").samples] == [
        "0"
    ] * 2
    spelled = "file,rank,group\na.jpg,1,Ada  L\nb.jpg,2,Ada\N{NO-BREAK SPACE}L\n"
    assert [s.group for s in read(spelled).samples] == ["Ada L"] * 2
    assert [s.fold for s in read("file,rank,fold\na.jpg,1,0.0\nb.jpg,2,1\n").samples] == [0, 1]


@pytest.mark.parametrize("nobody", ["nan", "NaN", "None", "NA", "null", "<NA>"])
def test_a_missing_person_is_an_empty_cell(read: Callable[..., Samples], nobody: str) -> None:
    with pytest.raises(DatasetError, match=f"column group: wanted a group.* got '{nobody}'; leave"):
        read(f"file,rank,group\na.jpg,1,ada\nb.jpg,2,{nobody}\n")


def test_columns_of_others_are_read_and_the_rest_is_named(read: Callable[..., Samples]) -> None:
    listing = read(
        "file,rank,split,Subject,age,\na.jpg,1,train,s1,3,x\nb.jpg,2,validation,s2,4,y\n"
    )
    assert [s[3:6] for s in listing.samples] == [("s1", None, "train"), ("s2", None, "val")]
    assert listing.notes[1:] == (
        "read group from column subject, part from column split",
        "columns not read: age",
    )


def test_a_column_of_parts_that_holds_something_else_is_named(read: Callable[..., Samples]) -> None:
    text = "file,rank,split\na.jpg,1,0\nb.jpg,2,1\n"
    with pytest.raises(DatasetError, match="column split: wanted train, val or test, got '0'; "):
        read(text)
    assert [s.part for s in read(text, part="-").samples] == [None, None]
    assert read(text, part="-").notes[1:] == ("columns not read: split",)


def test_columns_and_an_ending_may_be_named(read: Callable[..., Samples]) -> None:
    listing = read(
        "id_code,Diagnosis,eye\na,0,x\nb.jpg,2,y\n",
        file="id_code",
        rank="diagnosis",
        group="eye",
        suffix=".jpg",
    )
    assert [(s.name, s.rank, s.group) for s in listing.samples] == [
        ("a.jpg", 0, "x"),
        ("b.jpg", 1, "y"),
    ]
    with pytest.raises(SpecError, match=r"has no column 'age' \(rank=Age\); it has file, rank"):
        read("file,rank\na.jpg,1\n", rank="Age")


def test_an_image_has_one_name_by_absolute_or_relative_path(
    read: Callable[..., Samples], tmp_path: Path
) -> None:
    link = tmp_path.with_name(f"{tmp_path.name}-link")
    link.symlink_to(tmp_path)
    relative = read("file,rank\na.jpg,1\ndeep/d.jpg,2\n")
    for folder in (tmp_path, link, f"{tmp_path}/deep/.."):
        absolute = read(f"file,rank\n{folder}/a.jpg,1\n{folder}/deep/d.jpg,2\n")
        assert [s.name for s in absolute.samples] == ["a.jpg", "deep/d.jpg"]
        assert absolute.fingerprint == relative.fingerprint
    elsewhere = CsvFile(tmp_path, str(tmp_path / "deep" / "my.csv"))
    for text in ("../a.jpg,1\nd.jpg,2", f"{tmp_path}/a.jpg,1\nd.jpg,2"):
        (tmp_path / "deep" / "my.csv").write_text(f"file,rank\n{text}\n")
        assert [s.name for s in elsewhere.read().samples] == ["../a.jpg", "d.jpg"]


def test_a_name_is_found_in_either_unicode_form(
    read: Callable[..., Samples], tmp_path: Path, put: Put
) -> None:
    one, two = (unicodedata.normalize(form, "\xe9.jpg") for form in ("NFC", "NFD"))
    put(tmp_path, [two])
    for typed in (one, two):
        listing = read(f"file,rank\n{typed},1\na.jpg,2\n")
        assert [(s.name, Path(str(s.image)).name) for s in listing.samples] == [
            ("a.jpg", "a.jpg"),
            (one, two),
        ]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DatasetError, match=r"pipe\.csv cannot be read: not a regular file"):
        CsvFile(tmp_path, str(tmp_path / "pipe.csv")).read()


def test_images_may_lie_in_a_zip_archive(
    read: Callable[..., Samples], tmp_path: Path, put: Put
) -> None:
    put(tmp_path / "in", ["x/a.jpg", "x/b.jpg", "e\u0301.jpg"])
    (tmp_path / "in" / "x" / "text.jpg").write_text("a text")
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path / "in")
    listing = read("file,rank\nphotos.zip/x/a.jpg,1\na.jpg,2\nphotos.zip/gone.jpg,1\n")
    assert [s.name for s in listing.samples] == ["a.jpg", "photos.zip/x/a.jpg"]
    assert str(listing.samples[1].image) == f"{archive}/x/a.jpg"
    assert listing.samples[1].open().size == (2, 2)
    assert dict(listing.rejected) == {"photos.zip/gone.jpg": "is not in the archive (line 4)"}
    text = "file,rank\nx/a,1\nx/b,2\nx/text,2\n\xe9,2\n"
    prefixed = read(text, prefix="photos.zip/", suffix=".jpg")
    names = ["x/a.jpg", "x/b.jpg", "\xe9.jpg"]
    assert [s.name for s in prefixed.samples] == [f"photos.zip/{name}" for name in names]
    assert [r.name for r in prefixed.rejected] == ["photos.zip/x/text.jpg"]
    (tmp_path / "photos.zip").write_bytes(b"no archive")
    with pytest.raises(DatasetError, match=r"photos\.zip cannot be read as a zip archive: "):
        read(text, prefix="photos.zip/", suffix=".jpg")
