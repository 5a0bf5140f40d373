# ends: exited, timed_out, memory
def f():
    while x: pass
for delta in 1, 50, 200, 255:
    c = bytearray(f.__code__.co_code)
    for i in range(1, len(c), 2): c[i] = delta
    try: exec(f.__code__.replace(co_code=bytes(c)), {'x': 1})
    except BaseException: pass
