# ends: exited, memory, timed_out
import os
a = []
while True: a.append(os.urandom(1 << 20))
