# ends: timed_out
import sys
def hook(*a):
    while True: pass
sys.excepthook = hook
1 / 0
