# ends: timed_out, exited, memory
import sys
sys.set_int_max_str_digits(0)
len(str(7 ** 50000000))
