# ends: exited 1
# says: No space left
f = open('f', 'wb', buffering=0)
while True: f.write(bytes(65536))
