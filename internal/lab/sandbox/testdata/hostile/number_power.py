# ends: timed_out
print(9 ** 9 ** 9)
