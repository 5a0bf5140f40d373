# ends: exited 1
# says: No space left
i = 0
while True:
    open(f'f{i}', 'w').close()
    i += 1
