# ends: timed_out
import itertools
for _ in itertools.product(range(10), repeat=40): pass
