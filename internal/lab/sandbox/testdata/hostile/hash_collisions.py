# ends: timed_out
m = (1 << 61) - 1
d = {}
for i in range(1, 10 ** 7): d[i * m] = 1
while True: pass
