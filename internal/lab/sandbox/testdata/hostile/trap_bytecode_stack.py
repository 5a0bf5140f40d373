# ends: exited, timed_out, memory
def f(a):
    return [a, [a, [a, [a, [a, [a]]]]]]
f.__code__ = f.__code__.replace(co_stacksize=0)
for _ in range(10000): f(1)
