# ends: exited, memory
t = None
for _ in range(2000000): t = (t,)
del t
print('gone')
