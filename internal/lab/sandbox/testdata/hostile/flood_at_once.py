# ends: flooded
print('x' * 50000000)
