# ends: exited, memory, timed_out
exec('\n'.join(' ' * i + 'if 1:' for i in range(99)) + '\n' + ' ' * 99 + 'pass')
