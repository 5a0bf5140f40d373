# ends: exited, memory, timed_out
compile('if 1:\n ' + '+'.join(['x'] * 200000), 'f', 'exec')
