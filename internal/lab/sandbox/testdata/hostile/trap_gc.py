# ends: exited, memory, timed_out
import gc
class A:
    def __del__(self): keep.append(self); gc.collect()
keep = []
for _ in range(1000):
    a = A(); a.me = a; del a
gc.collect()
for o in gc.get_objects():
    try:
        if isinstance(o, dict): o.clear()
    except BaseException: pass
