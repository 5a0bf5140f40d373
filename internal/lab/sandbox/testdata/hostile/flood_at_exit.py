# ends: flooded
import atexit
atexit.register(lambda: print('x' * 50000000))
