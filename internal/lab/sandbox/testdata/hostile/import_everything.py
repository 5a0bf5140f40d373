# ends: exited, memory, timed_out, flooded
import sys
for n in sorted(sys.stdlib_module_names):
    if n in ('antigravity', 'this', 'turtledemo', 'idlelib'): continue
    try: __import__(n)
    except BaseException: pass
