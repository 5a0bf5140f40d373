# ends: exited, timed_out, memory
import sys
sys.setrecursionlimit(10 ** 9)
a = []
for _ in range(500000): a = [a]
repr(a)
