# ends: exited, memory, timed_out
import itertools
list(itertools.count())
