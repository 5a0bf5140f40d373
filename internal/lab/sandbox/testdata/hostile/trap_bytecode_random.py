# ends: exited, timed_out, memory, flooded
import random
def f(a, b=2, *c, d=4, **e):
    try:
        with open('canary.txt') as g:
            return [x for x in g if x] + [a, b, c, d, e]
    except OSError as err: raise ValueError from err
code = f.__code__
for _ in range(3000):
    c = bytearray(code.co_code)
    for _ in range(random.randrange(1, 5)): c[random.randrange(len(c))] = random.randrange(256)
    f.__code__ = code.replace(co_code=bytes(c))
    try: f(1, x=2)
    except BaseException: pass
