"""What every test runs under, however the run itself was started."""

import gc
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background of a shell: children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What is loaded now stays: looking for rubbish among it at every syntax tree takes a third of the time."""
    gc.collect()
    gc.freeze()
