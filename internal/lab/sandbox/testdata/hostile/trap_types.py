# ends: exited, memory, timed_out
class M(type):
    def mro(cls): return [cls, int, dict, object]
for f in (lambda: M('x', (), {}), lambda: type('t', (int,), {'__slots__': ('a',)}), lambda: object.__new__(type), lambda: type.__call__(type(lambda: 0).__code__.__class__), lambda: type(iter([])).__new__(list)):
    try: f()
    except BaseException: pass
