# ends: timed_out
def forever():
    while True: yield 1
sum(forever())
