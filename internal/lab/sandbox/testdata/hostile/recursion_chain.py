# ends: exited, memory, timed_out
import itertools
it = iter([1])
for _ in range(500000): it = itertools.chain(it)
print(list(it))
