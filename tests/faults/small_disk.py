"""A file system of a few megabytes that can be filled and freed; where none can be mounted, files that can't grow."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

SIZE_MB = 20
_BLOCK = 4096
_FILLER = "filler"
_APART = "FAULTS_APART"


def apart() -> None:
    """Go on as the same command in a mount namespace of its own, where that is allowed: mounts end with us."""
    if not sys.platform.startswith("linux") or os.environ.get(_APART) or shutil.which("unshare") is None:
        return
    how = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    os.environ[_APART] = "tried"
    if subprocess.run([*how, "true"], capture_output=True).returncode:
        return
    os.environ[_APART] = "yes"
    os.execvp(how[0], [*how, sys.executable, "-m", "tests.faults", *sys.argv[1:]])


class SmallDisk:
    """A tmpfs at ``folder``, or a limit on the size of this process's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.mounted = os.environ.get(_APART) == "yes" and _mount(folder)
        self._soft, self._hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    @property
    def words(self) -> str:
        """What it is, for the report."""
        return f"tmpfs of {SIZE_MB} MB" if self.mounted else "limited file size"

    def fill(self, leave: int = 0, grows: Path | None = None) -> None:
        """Take all room but ``leave`` bytes; of ``grows``, where only sizes can be limited."""
        if not self.mounted:
            sizes = [path.stat().st_size for path in (grows, Path(f"{grows}-wal")) if path and path.exists()]
            resource.setrlimit(resource.RLIMIT_FSIZE, (max([_BLOCK, *sizes]) + leave, self._hard))
            return
        with (self.folder / _FILLER).open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 16, _BLOCK):
                with suppress(OSError):
                    while file.write(b"\xaa" * size) == size:
                        pass
            file.truncate(max(0, file.tell() - leave))

    def free(self) -> None:
        """Give all room back."""
        if self.mounted:
            (self.folder / _FILLER).unlink(missing_ok=True)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self._soft, self._hard))

    @property
    def left(self) -> int:
        """Bytes that may still be written."""
        return shutil.disk_usage(self.folder).free if self.mounted else 0

    def close(self) -> None:
        """Unmount; what lies there is gone."""
        self.free()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True, capture_output=True)


def _mount(folder: Path) -> bool:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)]
    return subprocess.run(mount, capture_output=True).returncode == 0
