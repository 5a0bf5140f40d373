# ends: timed_out
import sys
def trace(*_):
    while True: pass
sys.settrace(trace)
def f(): pass
f()
