# ends: exited
import sys, json, random, math
json.dumps = lambda *a: 'forged'
random.random = lambda: 0.5
math.sqrt = None
sys.modules['re'] = None
sys.path[:] = []
sys.meta_path[:] = []
sys.path_hooks[:] = []
