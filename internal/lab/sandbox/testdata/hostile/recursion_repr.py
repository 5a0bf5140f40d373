# ends: exited, memory
# says: Error
a = []
for _ in range(1000000): a = [a]
repr(a)
