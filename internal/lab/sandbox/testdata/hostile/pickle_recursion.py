# ends: exited, memory, timed_out
try: import pickle
except ImportError: raise SystemExit
a = []
for _ in range(200000): a = [a]
pickle.dumps(a)
