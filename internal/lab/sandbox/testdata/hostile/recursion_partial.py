# ends: exited, memory, timed_out
import functools
f = print
for _ in range(200000):
    g = functools.partial(abs)
    g.__setstate__((f, (), {}, None))
    f = g
f()
