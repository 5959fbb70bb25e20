"""What every test runs under, however the run itself was started."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background of a shell: children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
