# ends: exited, memory, timed_out, flooded
e = ValueError()
for _ in range(200000):
    n = ValueError()
    n.__cause__ = e
    e = n
raise e
