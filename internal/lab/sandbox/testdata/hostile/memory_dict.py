# ends: exited, memory, timed_out
d = {}
i = 0
while True:
    d[i] = [i] * 50
    i += 1
