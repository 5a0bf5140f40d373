# ends: exited, memory, timed_out
t = ()
for _ in range(500000): t = (t,)
hash(t)
