# ends: exited 0
# says: caught
try: 'x' * (1 << 30)
except MemoryError: print('caught')
