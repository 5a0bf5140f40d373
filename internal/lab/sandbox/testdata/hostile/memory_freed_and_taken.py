# ends: timed_out
while True:
    a = bytearray(60 << 20)
    del a
