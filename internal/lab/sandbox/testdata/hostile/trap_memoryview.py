# ends: exited, memory, timed_out
b = bytearray(10)
m = memoryview(b)
class I:
    def __index__(s): m.release(); b.extend(bytes(1000)); return 5
for f in (lambda: m[I()], lambda: m.__setitem__(I(), 1), lambda: m[I():].tobytes()):
    try: print(f())
    except BaseException: pass
