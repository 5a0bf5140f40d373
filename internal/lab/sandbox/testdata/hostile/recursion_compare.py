# ends: exited, memory
# says: Error
a, b = [], []
for _ in range(500000): a, b = [a], [b]
a == b
