# ends: exited 1
# says: MemoryError
'x' * (1 << 30)
