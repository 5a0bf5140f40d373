# ends: flooded, exited 1
raise ValueError('x' * 10000000)
