"""What holds for every dataset: the next one is tested before its author writes a test."""

from __future__ import annotations

import tarfile
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ordbench.plugins.registry import DATASETS
from ordbench.recipe import OptionValue
from ordbench.testing.datasets import DATASET_CHECKS, DatasetUnderTest

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "datasets" / "ordbench_datasets"
Put = Callable[[Path, Iterable[str]], Path]


@pytest.fixture(params=sorted(DATASETS))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_every_file_is_registered_and_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    registered: dict[str, str] = project["entry-points"]["ordbench.datasets"]
    modules = {target.partition(":")[0].rpartition(".")[2] for target in registered.values()}
    assert modules == {file.stem for file in FILES.glob("[!_]*.py")}, "edit pyproject.toml"
    assert set(DATASETS) >= registered.keys(), "run: pip install -e ."


Files = Callable[[Path], str]
"""Writes a few files in a dataset's layout below a folder; returns what stands after its colon."""


def faces(names: Sequence[str]) -> Callable[[Put], Files]:
    def maker(put: Put) -> Files:
        def write(root: Path) -> str:
            put(root, names)
            return ""

        return write

    return maker


def csv_file(put: Put) -> Files:
    def write(root: Path) -> str:
        put(root, ["a.jpg", "b.jpg"])
        (root / "labels.csv").write_text("file,rank\na.jpg,1\nb.jpg,2\n", encoding="utf-8")
        return str(root / "labels.csv")

    return write


def folder(put: Put) -> Files:
    def write(root: Path) -> str:
        put(root, ["1/a.jpg", "2/b.jpg"])
        return str(root)

    return write


def features(put: Put) -> Files:
    def write(root: Path) -> str:
        root.mkdir()
        (root / "x.csv").write_text("a,b,rank\n0.5,1,3\n2,-1,4\n", encoding="utf-8")
        return str(root / "x.csv")

    return write


def hugging_face(put: Put) -> Files:
    def write(root: Path) -> str:
        import pyarrow as pa
        from pyarrow import parquet

        image = (put(root, ["a.jpg"]) / "a.jpg").read_bytes()
        (root / "a.jpg").unlink()
        table = pa.table({"image": [image, image], "rank": [1, 2]})
        parquet.write_table(table, root / "train.parquet")
        return str(root)

    return write


def webdataset(put: Put) -> Files:
    def write(root: Path) -> str:
        put(root, ["a.jpg"])
        with tarfile.open(root / "x.tar", "w") as shard:
            for key in ("a", "b"):
                (root / "label").write_text(key.replace("a", "1").replace("b", "2"))
                shard.add(root / "a.jpg", f"{key}.jpg")
                shard.add(root / "label", f"{key}.cls")
        return str(root / "x.tar")

    return write


def table(images: Sequence[str], lists: dict[str, str]) -> Callable[[Put], Files]:
    """Images, and lists by their names below the folder."""

    def maker(put: Put) -> Files:
        def write(root: Path) -> str:
            put(root, images)
            for name, text in lists.items():
                (root / name).write_text(text, encoding="utf-8")
            return ""

        return write

    return maker


def cacd2000(put: Put) -> Files:
    def write(root: Path) -> str:
        from scipy.io import savemat

        names = ["53_Robin_Williams_0001.jpg", "23_Emma_Stone_0002.jpg"]
        put(root / "CACD2000", names)
        images = {"name": np.array(names, object), "identity": [1, 2], "age": [53, 23]}
        content = {"celebrityImageData": images | {"rank": [1, 7]}}
        savemat(root / "celebrity2000_meta.mat", content)
        return ""

    return write


def retinamnist(put: Put) -> Files:
    def write(root: Path) -> str:
        root.mkdir()
        arrays: dict[str, Any] = {}
        for part in ("train", "val", "test"):
            arrays[f"{part}_images"] = np.zeros((2, 4, 4, 3), np.uint8)
            arrays[f"{part}_labels"] = np.array([[0], [4]], np.uint8)
        np.savez(root / "retinamnist_224.npz", **arrays)
        return ""

    return write


AESTHETICS = "#flickr_photo_id\tcategory\tbeauty_scores\n"
APPA = "file_name,num_ratings,apparent_age_avg,apparent_age_std,real_age\n"
APPA_PARTS = (("train", 1), ("valid", 2), ("test", 3))
ADIENCE = "user_id\toriginal_image\tface_id\tage\tgender\n"

IMDB = "filename,age,gender,x_min,y_min,x_max,y_max,head_roll,head_yaw,head_pitch\n"
IMDB_PARTS = (("train", 1), ("valid", 2), ("test", 3))
EMCNN = "\t".join(("1/nm1_rm1.jpg", "A B", *"1234", "30", "M", "0.9\n"))
AADB_PARTS = (("Train", "a"), ("Validation", "b"), ("TestNew", "c"))

FILES_OF: dict[str, Callable[[Put], Files]] = {
    "aadb": table(
        ["a.jpg", "b.jpg", "AADB_newtest/0.300_c.jpg"],
        {f"imgList{part}Regression_score.txt": f"{n}.jpg 0.3\n" for part, n in AADB_PARTS},
    ),
    "ava": table(
        ["images/953619.jpg", "images/953958.jpg"],
        {
            "AVA.txt": "1 953619 0 1 5 17 38 36 15 6 5 1 1 22 1396\n"
            "2 953958 10 7 15 26 26 21 10 8 1 2 1 21 1396\n",
            "generic_test.jpgl": "953958\n",
        },
    ),
    "bus-bra": table(
        ["Images/bus_0001-l.png", "Images/bus_0002-r.png"],
        {
            "bus_data.csv": "ID,Case,BIRADS\nbus_0001-l,1,4\nbus_0002-r,2,2\n",
            "5-fold-cv.csv": "ID,kFold\nbus_0001-l,1\nbus_0002-r,2\n",
        },
    ),
    "imdb-clean": table(
        [f"0{n}/nm{n}_rm1.jpg" for _, n in IMDB_PARTS],
        {
            f"imdb_{part}_new_1024.csv": f"{IMDB}0{n}/nm{n}_rm1.jpg,30,F,1,2,3,4,0,0,0\n"
            for part, n in IMDB_PARTS
        },
    ),
    "imdb-wiki": table(["1/nm1_rm1.jpg"], {"emcnn_annotion_18-Nov-2017.txt": EMCNN}),
    "knee-kl": faces(["train/0/9003175L.png", "val/1/1L.png", "test/4/2R.png"]),
    "adience": table(
        ["aligned/7@N01/landmark_aligned_face.1.a.jpg"],
        {f"fold_{fold}_data.txt": ADIENCE for fold in range(1, 5)}
        | {"fold_0_data.txt": ADIENCE + "7@N01\ta.jpg\t1\t(25, 32)\tf\n"},
    ),
    "afad": faces(["15/111/638660-1.jpg", "40/112/7-0.jpg"]),
    "agedb": faces(["11706_OliviaHussey_31_f.jpg", "4509_CarlosSantana_48_m.jpg"]),
    "appa-real": table(
        ["train/1.jpg_face.jpg", "valid/2.jpg_face.jpg", "test/3.jpg_face.jpg"],
        {f"gt_avg_{part}.csv": APPA + f"{n}.jpg,38,30.5,3.2,31\n" for part, n in APPA_PARTS},
    ),
    "cacd2000": cacd2000,
    "clap2015": table(
        ["image_1.jpg", "image_2.jpg"],
        {"total_2015.csv": "filename,age,stdv,database\nimage_1.jpg,21,4.0,train\n"},
    ),
    "clap2016": table(
        ["train/1.jpg", "valid/2.jpg", "test/3.jpg"],
        {f"{part}_gt.csv": f"image,mean,stdv\n{n}.jpg,30.5,3.2\n" for part, n in APPA_PARTS},
    ),
    "aesthetics": table(
        ["8039179792.png", "49021903.jpg"],
        {"beauty-icwsm15-dataset.tsv": AESTHETICS + "8039179792\tnature\t3,4,4,5,2\n"},
    ),
    "aptos2019": table(["train_images/0a.png"], {"train.csv": "id_code,diagnosis\n0a,2\n"}),
    "fairface": table(
        ["train/1.jpg", "val/1.jpg"],
        {
            "fairface_label_train.csv": "file,age,gender,race\ntrain/1.jpg,3-9,Male,White\n",
            "fairface_label_val.csv": "file,age,gender,race\nval/1.jpg,3-9,Male,White\n",
        },
    ),
    "hci": faces(["decade_database/1930s/a.jpg", "decade_database/1970s/b.jpg"]),
    "koniq10k": table(
        ["512x384/1.jpg"],
        {
            "koniq10k_distributions_sets.csv": "image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,set\n"
            "1.jpg,0.0,0.0,0.2,0.7,0.1,105,77.4,0.5,training\n"
        },
    ),
    "limuc": faces(
        [
            "train_and_validation_sets/Mayo 0/UC_patient_1_1.bmp",
            "test_set/Mayo 3/UC_patient_2_1.bmp",
        ]
    ),
    "retinamnist": retinamnist,
    "scut-fbp5500": table(
        ["Images/AF1.jpg"],
        {f"test_{fold}.txt": "" for fold in range(2, 6)} | {"test_1.txt": "AF1.jpg 3.516667\n"},
    ),
    "csv": csv_file,
    "drawn-faces": faces([]),
    "features": features,
    "drawn-fruit": faces([]),
    "hf": hugging_face,
    "fgnet": faces(["001A02.JPG", "002A05a.JPG"]),
    "folder": folder,
    "morph": faces(["009055_1M54.JPG", "009056_0F40.JPG"]),
    "utkface": faces(["1_0_0_20170109150557335.jpg", "30_1_2_20170109150557336.jpg"]),
    "webdataset": webdataset,
}

EMBEDDED = ("drawn-faces", "drawn-fruit")


def test_every_dataset_is_checked() -> None:
    assert set(FILES_OF) == set(DATASETS), "write files in the layout of the new dataset above"


def test_its_card_says_where_the_files_are_put(name: str) -> None:
    card = DATASETS[name].card
    assert card.embedded or card.argument or "its folder" in card.how_to_get


@pytest.mark.parametrize("check", DATASET_CHECKS)
def test_it_passes_the_checks(name: str, check: str, put: Put, tmp_path: Path) -> None:
    root = tmp_path / name
    argument = FILES_OF[name](put)(root)
    options: dict[str, OptionValue] = {"per_rank": 1} if name in EMBEDDED else {}
    case = DatasetUnderTest(
        dataset_class=DATASETS[name], root=root, argument=argument, options=options
    )
    DATASET_CHECKS[check](case)
