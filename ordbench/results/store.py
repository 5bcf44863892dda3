"""Records on disk: one file a run, written once and whole, safe for many processes at a time."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from ordbench.errors import OrdbenchError, StoreError
from ordbench.plugins.reference import PluginRef, typed_value
from ordbench.results.layout import (
    HEAD,
    LEFT_OUT,
    PREDICTIONS,
    RUN_ID,
    entries,
    record_path,
    skip_path,
    stamps,
    trace_path,
)
from ordbench.runs.predictions import Predictions, from_parquet, to_parquet
from ordbench.runs.record import (
    HeadFile,
    PredictionsFile,
    Record,
    SkippedCell,
    UnreadableError,
    cell_key,
    read_record,
    to_sealed,
)
from ordbench.runs.spec import RunSpec
from ordbench.runs.titles import head_label
from ordbench.utils.canonical_json import RUN_ID_LENGTH
from ordbench.utils.files import (
    cannot_read,
    cannot_write,
    flush_folder,
    read_regular,
    remove_stale,
    write_atomic,
)

_ATTEMPTS = 3
logger = logging.getLogger(__name__)


def read_all(root: Path, run_ids: Iterable[str]) -> Iterator[tuple[Path, Record | ValueError]]:
    """Read the records of a store: the path of each, and the record or why it is not one."""
    for run_id in run_ids:
        path = record_path(root, run_id)
        try:
            yield path, read_record(path, run_id)
        except FileNotFoundError:
            continue  # removed since the folder was listed
        except ValueError as error:
            yield path, error


class Store:
    """A folder of records: ``runs/<2 hex>/<run id>.json``; predictions and trained heads beside.

    The files are the truth; whatever is made of them can be made again. Nothing is locked: a
    record appears by a rename, after its other files, so one that exists is complete.

    Args:
        root: The folder; it is made at the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._swept: set[Path] = set()

    def find(self, run_id: str) -> Record | None:
        """The record of one run, or None if there is none that is whole.

        Raises:
            StoreError: If ``run_id`` is none, or the file cannot be read.
        """
        path = self._path(run_id)
        try:
            return read_record(path, run_id)
        except UnreadableError as error:
            raise cannot_read(path, error.cause) from error
        except (FileNotFoundError, ValueError):
            return None

    def has(self, run_id: str) -> bool:
        """Whether the run is done: it has a whole record, which is not that of a failure."""
        record = self.find(run_id)
        return record is not None and record.status == "done"

    def write(
        self,
        record: Record,
        predictions: Predictions | None = None,
        head: bytes | None = None,
        *,
        trace: str = "",
    ) -> Record:
        """Keep a record, in place of an older one of the same run; its other files go first.

        Args:
            record: What the run leaves behind. A failure never takes the place of a run that is
                done: it is not kept.
            predictions: The predictions of the test images.
            head: The file of the trained head, as `ordbench.runs.kept_head` makes it.
            trace: Where in the code a run failed; kept beside the record as ``.trace``.

        Returns:
            The record, with the names and hashes of the other files.

        Raises:
            StoreError: If it cannot be written; nothing half-written stays behind.
        """
        files: dict[str, bytes] = {}
        named: dict[str, PredictionsFile | HeadFile] = {}
        if predictions is not None:
            files[PREDICTIONS] = content = to_parquet(predictions)
            named["predictions"] = PredictionsFile(
                file=f"{record.run_id}{PREDICTIONS}", sha256=_sha256(content)
            )
        if head is not None:
            files[HEAD] = head
            named["kept_head"] = HeadFile(file=f"{record.run_id}{HEAD}", sha256=_sha256(head))
        if named:
            record = record.model_copy(update=named)
        self.keep(record, files, trace=trace)
        return record

    def keep(self, record: Record, files: Mapping[str, bytes], *, trace: str = "") -> None:
        """As `write`, of files that are named by the record, by the ending of their names.

        Raises:
            StoreError: As `write`.
        """
        path = self._path(record.run_id)
        self._sweep_once(path.parent)
        trace_file = trace_path(self.root, record.run_id)
        if trace:
            write_atomic(trace_file, trace.encode())
        if record.status == "failed" and self.has(record.run_id):
            return
        if files:
            self._write_all(record, {path.with_suffix(end): files[end] for end in files})
        else:
            write_atomic(path, to_sealed(record))
        if record.kept_head is None:
            with suppress(OSError):
                path.with_suffix(HEAD).unlink()  # that of an earlier run
        if not trace:
            with suppress(OSError):
                trace_file.unlink()  # that of an earlier failure
        skip = skip_path(self.root, cell_key(record.spec))
        if skip.exists():
            skip.unlink(missing_ok=True)

    def write_skip(self, spec: RunSpec, reason: str) -> SkippedCell:
        """Note that the runs of a cell could not be started; a run of that cell clears the note.

        Args:
            spec: One of the runs; its seeds do not matter.
            reason: Why, in one line.

        Raises:
            StoreError: If it cannot be written.
        """
        skipped = SkippedCell(label=_label(spec), spec=spec, reason=reason)
        path = skip_path(self.root, skipped.key)
        write_atomic(path, skipped.model_dump_json().encode())
        return skipped

    def skipped(self) -> list[SkippedCell]:
        """The cells that could not be started, by key; a file that is not one is logged.

        Raises:
            StoreError: If the folder cannot be read.
        """
        found: list[SkippedCell] = []
        for entry in sorted(entries(self.root / "skipped"), key=lambda entry: entry.name):
            if entry.name.startswith(".") or not entry.name.endswith(".json"):
                continue
            try:
                content = read_regular(Path(entry.path))
                found.append(SkippedCell.model_validate_json(content))
            except FileNotFoundError:
                continue  # cleared since the folder was listed
            except (OSError, ValueError):
                logger.warning("%s does not describe a skipped cell and is ignored", entry.path)
        return found

    def read(self, run_id: str) -> Record:
        """The record of one run.

        Raises:
            StoreError: If there is none, or it is not whole.
        """
        path = self._path(run_id)
        try:
            return read_record(path, run_id)
        except FileNotFoundError:
            raise StoreError(f"no run {run_id} in {self.root}; `ordbench run` makes it") from None
        except ValueError as error:
            raise StoreError(
                f"{path} is not a record: {error}; remove it and run it again"
            ) from None

    def records(self) -> Iterator[Record]:
        """All records, by run id. A file that is not a record is logged by name and left out.

        Raises:
            StoreError: If a folder cannot be read.
        """
        for path, record in read_all(self.root, sorted(stamps(self.root))):
            if isinstance(record, ValueError):
                logger.warning(LEFT_OUT, path, record)
            else:
                yield record

    def read_predictions(self, run_id: str, *, posterior: bool = True) -> Predictions:
        """The predictions of one run, image by image; without their posterior if none is needed.

        Raises:
            StoreError: If the run or its predictions are not there, or not those of the record.
        """
        record = self.read(run_id)
        try:
            content = self.predictions_file(record)
            if content is not None:
                return from_parquet(content, posterior=posterior)
        except ValueError as error:
            path = self._path(run_id).with_suffix(".parquet")
            raise StoreError(
                f"{path} does not hold the predictions of run {run_id}: {error}; "
                "remove its record and run it again"
            ) from error
        raise StoreError(f"run {run_id} in {self.root} holds no predictions; run it again")

    def predictions_file(self, record: Record) -> bytes | None:
        """The Parquet file of a record's predictions; None if it names none.

        Raises:
            ValueError: If it is not there, or not the one that the record names.
        """
        return self._named_file(record, record.predictions, PREDICTIONS)

    def head_file(self, record: Record) -> bytes | None:
        """The safetensors file of a record's trained head; None if it names none.

        Raises:
            ValueError: As `predictions_file`.
        """
        return self._named_file(record, record.kept_head, HEAD)

    def files(self, record: Record) -> dict[str, bytes]:
        """The files that a record names, by the ending of their names.

        Raises:
            ValueError: As `predictions_file`.
        """
        found = {PREDICTIONS: self.predictions_file(record), HEAD: self.head_file(record)}
        return {ending: content for ending, content in found.items() if content is not None}

    def _named_file(
        self, record: Record, named: PredictionsFile | HeadFile | None, ending: str
    ) -> bytes | None:
        if named is None:
            return None
        path = self._path(record.run_id).with_suffix(ending)
        if named.file != path.name:
            raise ValueError(f"it is named {named.file}, wanted {path.name}")
        try:
            content = read_regular(path)
        except OSError as error:
            raise ValueError(error.strerror or str(error)) from error
        if _sha256(content) != named.sha256:
            raise ValueError(f"its SHA-256 is not {named.sha256}")
        return content

    def _path(self, run_id: str) -> Path:
        if not RUN_ID.fullmatch(run_id):
            raise StoreError(
                f"{run_id!r} is not a run id; wanted {RUN_ID_LENGTH} of the digits 0-9 and a-f"
            )
        return record_path(self.root, run_id)

    def _write_all(self, record: Record, files: Mapping[Path, bytes]) -> None:
        path = self._path(record.run_id)
        contents = {**files, path: to_sealed(record)}  # the record comes last
        for _ in range(_ATTEMPTS):
            mark = f"{token_hex(4)}.tmp"  # by which `remove_stale` knows what a killed writer left
            ready = {file: file.with_name(f".{file.name}.{mark}") for file in contents}
            try:
                # All are on the disk before the older ones are touched: renames need no room.
                for file, content in contents.items():
                    write_atomic(ready[file], content)
                if any(file.exists() and not _holds(file, files[file]) for file in files):
                    # The older record would be beside files that are not its own.
                    path.unlink(missing_ok=True)
                for file in contents:
                    os.replace(ready[file], file)
                flush_folder(path.parent)
            except OSError as error:
                raise cannot_write(path, error) from error
            finally:
                for left in ready.values():
                    with suppress(OSError):
                        left.unlink()
            # Two processes may write one run at once: the last to finish leaves files that fit.
            if all(_holds(file, content) for file, content in files.items()):
                return

    def _sweep_once(self, folder: Path) -> None:
        if folder not in self._swept:
            self._swept.add(folder)
            remove_stale(folder)


def _holds(file: Path, content: bytes) -> bool:
    try:
        return file.stat().st_size == len(content) and file.read_bytes() == content
    except FileNotFoundError:
        return False  # removed by another process


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _label(spec: RunSpec) -> str:
    """What tables call a head, even if it cannot be imported."""
    try:
        return head_label(spec)
    except OrdbenchError:
        options = {k: typed_value(v) for k, v in spec.head_options.items()}
        return str(PluginRef(spec.head, options.pop("argument", ""), options))
