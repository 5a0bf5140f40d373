# ends: exited, timed_out, memory
import random
random.getrandbits(10 ** 10)
