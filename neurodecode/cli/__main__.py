"""``python -m neurodecode.cli`` is ``neurodecode``."""

import sys

from neurodecode.cli import main

sys.exit(main())
