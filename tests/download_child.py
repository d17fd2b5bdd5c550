"""Fetch one file in a process of its own, to be killed or to run out of disk: ARGV is QUEUE CACHE ENDPOINT [BYTES]."""

from __future__ import annotations

import sys
from pathlib import Path

from faulty_hub import REPO

from playground.downloads import job, record
from playground.downloads.control import Control, Patience
from playground.downloads.errors import DownloadError
from playground.downloads.place import Place


def main() -> int:
    """0: done; 3: a DownloadError, its kind and sentence on standard output."""
    queue, cache, endpoint, *limit = sys.argv[1:]
    if limit:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit[0]), int(limit[0])))
    journal = record.Journal(Path(queue))
    known = journal.load()
    wanted = known[0] if known else record.new(REPO, ["tiny.gguf"], endpoint=endpoint)
    try:
        job.run(wanted, journal, Place(Path(cache), REPO), Control(patience=Patience(first_s=0.02, longest_s=0.1)))
    except DownloadError as error:
        print(error.kind, error)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
