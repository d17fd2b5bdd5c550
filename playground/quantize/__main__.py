"""``python -m playground.quantize``: the quantizer's process. See `worker`."""

import sys

from playground.quantize.worker import main

if __name__ == "__main__":
    sys.exit(main())
