# ends: exited
try: import pickle
except ImportError: raise SystemExit
print('running')
pickle.loads(b"cos\nsystem\n(S'id'\ntR.")
print('ESCAPED')
