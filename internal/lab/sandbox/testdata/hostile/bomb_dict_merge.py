# ends: exited, memory, timed_out
d = {}
for i in range(40): d = {'a': d, 'b': d}
str(d)
