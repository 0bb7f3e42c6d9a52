# Runs a program on a terminal of its own, as a person would: what comes in on stdin is typed, what it shows goes to
# stdout. Python, because Node has no pseudo terminals.
import os
import pty
import sys

sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
