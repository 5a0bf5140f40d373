# ends: exited, memory, timed_out
try: import pickle
except ImportError: raise SystemExit
a = ['lol'] * 10
for _ in range(30): a = [a] * 10
b = pickle.loads(pickle.dumps(a))
repr(b)
