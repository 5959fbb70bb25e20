"""``python -P -m dlgovern``: the same as the ``dlgovern`` script."""

import sys

from dlgovern.cli.main import main

sys.exit(main())
