# ends: exited, memory, timed_out
try: import pickle
except ImportError: raise SystemExit
pickle.loads(b'\x80\x04' + b'X' + (2 ** 31 - 1).to_bytes(4, 'little') + b'x')
