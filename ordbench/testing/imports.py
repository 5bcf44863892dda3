"""What importing a plug-in loads besides: it is listed by commands that must not wait for torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection


def loaded_with(module: str, names: Collection[str]) -> list[str]:
    """Which of some modules are loaded in a new process that imports one.

    Args:
        module: It is looked for where this process looks for modules.
        names: Of modules.

    Raises:
        AssertionError: If it cannot be imported.

    >>> loaded_with("json.tool", ["argparse", "json", "torch"])
    ['argparse', 'json']
    """
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; import {module}; "
        f"print(*sorted({set(names)!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"it cannot be imported: {done.stderr.strip()}"
    return done.stdout.split()
