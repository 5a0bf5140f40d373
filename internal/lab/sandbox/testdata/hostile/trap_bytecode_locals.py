# ends: exited, timed_out, memory
import types
def f():
    a = b = c = 1
    return a, b, c
g = f.__code__.replace(co_code=bytes([0x55, 250]) * 20 + f.__code__.co_code)
exec(g)
