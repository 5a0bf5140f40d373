# ends: timed_out
f = open('f', 'wb', buffering=0)
while True:
    try: f.write(bytes(65536))
    except OSError: pass
