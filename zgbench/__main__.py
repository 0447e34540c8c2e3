"""``python -m zgbench``."""

import sys

from zgbench.cli import main

if __name__ == "__main__":
    sys.exit(main())
