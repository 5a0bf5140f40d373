# ends: timed_out
import itertools
list(itertools.repeat(0, 10)).index
any(x for x in itertools.repeat(0))
