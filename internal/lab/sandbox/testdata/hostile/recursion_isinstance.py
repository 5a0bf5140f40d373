# ends: exited, memory
t = int
for _ in range(500000): t = (t,)
isinstance('x', t)
