# ends: exited 1, memory
# says: MemoryError
b = bytearray()
while True: b.extend(bytes(1 << 20))
