# ends: exited 1, memory
# says: MemoryError
a = []
while True: a.append('x' * 1000000)
