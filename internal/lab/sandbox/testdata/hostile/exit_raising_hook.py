# ends: exited
import sys
def hook(*a): raise SystemExit(9)
sys.excepthook = hook
1 / 0
