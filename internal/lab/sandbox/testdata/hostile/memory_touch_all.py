# ends: exited 0
# says: touched
a = bytearray(90 << 20)
for i in range(0, len(a), 4096): a[i] = 1
print('touched')
