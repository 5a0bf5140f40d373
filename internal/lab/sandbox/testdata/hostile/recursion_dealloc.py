# ends: exited, memory
t = None
for _ in range(300000): t = (t,)
del t
print('gone')
