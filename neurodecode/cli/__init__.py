"""The command line: ``neurodecode VERB``. Each verb has a Python call that does the same.

A new verb is one module here with ``configure(parser)`` and ``run(options, terminal)``, and one
line in ``VERBS`` of ``_main.py``. The module is imported only when its verb is used.
"""

from neurodecode.cli._main import VERBS, main
from neurodecode.cli._terminal import Terminal

__all__ = ["VERBS", "Terminal", "main"]
