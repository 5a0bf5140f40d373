# ends: exited, memory, timed_out
a = list(range(1000))
class K:
    def __init__(s, x): pass
    def __lt__(s, o): a.clear(); a.extend([K(1)] * 5); return True
try: a.sort(key=K)
except ValueError: print('refused')
