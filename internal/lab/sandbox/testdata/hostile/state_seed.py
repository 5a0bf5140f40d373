# ends: exited
import random, os, time
random.seed(0)
for _ in range(100): os.urandom(7); time.time(); random.random()
