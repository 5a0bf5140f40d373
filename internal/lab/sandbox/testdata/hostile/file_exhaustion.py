# ends: exited 1
# says: OSError
a = []
while True: a.append(open('main.py'))
