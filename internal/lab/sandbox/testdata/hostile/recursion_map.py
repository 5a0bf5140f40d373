# ends: exited, memory, timed_out
it = iter([1])
for _ in range(200000): it = map(abs, it)
print(next(it))
