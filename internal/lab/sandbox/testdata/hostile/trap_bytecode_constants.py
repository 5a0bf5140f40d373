# ends: exited, timed_out, memory
def f(): return 1
c = f.__code__.co_code
for op in range(256):
    f.__code__ = f.__code__.replace(co_code=c[:2] + bytes([op, 255]) * 2 + c[2:], co_consts=())
    try: f()
    except BaseException as e: pass
