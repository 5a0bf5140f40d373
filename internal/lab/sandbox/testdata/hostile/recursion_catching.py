# ends: exited, timed_out, memory
import sys
sys.setrecursionlimit(10 ** 9)
def f():
    try: f()
    except BaseException: f()
f()
