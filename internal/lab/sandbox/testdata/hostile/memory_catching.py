# ends: timed_out, memory, exited
a = []
while True:
    try:
        while True: a.append(bytes(1 << 16))
    except BaseException:
        pass
