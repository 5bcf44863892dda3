"""A sweep on a terminal of 80 columns and 24 lines."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

SWEEP = ("run", "--head", "linear,coral", "--dataset", "drawn-faces:per_rank=5", "--shots", "1,2")
QUICK = ("--recipe", "min_steps=4", "--recipe", "epochs=1")


def on_a_terminal(*arguments: str, cwd: Path, cache: Path, into: Path | None = None) -> str:
    """What a command writes to the terminal; its standard output goes there or into a file."""
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    env = dict(os.environ, TERM="xterm", ORDBENCH_CACHE=str(cache), HF_HUB_OFFLINE="1")
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        env.pop(name, None)
    command = [sys.executable, "-m", "ordbench", *arguments]
    with (
        open(into or os.devnull, "wb") as file,
        subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=terminal,
            stdout=file if into else terminal,
            stderr=terminal,
        ) as process,
    ):
        os.close(terminal)
        screen = b"".join(_chunks(master))
    os.close(master)
    assert process.returncode == 0, screen
    return screen.decode()


def _chunks(terminal: int) -> Iterator[bytes]:
    try:
        while chunk := os.read(terminal, 65536):
            yield chunk
    except OSError:  # how Linux says that nobody writes any more
        pass


def states(screen: str) -> list[str]:
    """Each text that stood on a line of the screen, without colours."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen)
    return [state for state in re.split(r"[\r\n]+", text) if state]


def test_lines_fit_the_screen_and_the_bar_does_not_stand_in_them(
    tmp_path: Path, shared_cache: Path
) -> None:
    screen = on_a_terminal(*SWEEP, *QUICK, cwd=tmp_path, cache=shared_cache)
    shown = states(screen)
    assert "loading PyTorch" in shown[0], "before what takes seconds"
    assert max(map(len, shown)) <= 80
    results = [state for state in shown if "MAE" in state]
    assert [re.sub(r"MAE [0-9.]+ ", "", result) for result in results] == [
        f"{head}, {shots}, seed 0: years (median)"
        for shots in ("1 shot", "2 shots")
        for head in ("linear", "coral")
    ]
    assert shown[-1] == "4 trained, 0 already done"
    first = next(n for n, state in enumerate(shown) if "MAE" in state)
    later = [state for state in shown[first + 1 :] if "ETA" in state and " 0/4 " not in state]
    assert later
    assert not [state for state in later if "ETA -" in state], "known from the first cell on"


def test_json_goes_to_a_file_though_the_bar_is_on_a_terminal(
    tmp_path: Path, shared_cache: Path
) -> None:
    file = tmp_path / "records.jsonl"
    command = (*SWEEP, *QUICK, "--json")
    screen = on_a_terminal(*command, cwd=tmp_path, cache=shared_cache, into=file)
    assert [json.loads(line)["status"] for line in file.read_text().splitlines()] == ["done"] * 4
    assert "status" not in screen
