# ends: timed_out
import math
math.factorial(10 ** 8)
