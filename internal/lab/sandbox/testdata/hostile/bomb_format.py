# ends: exited, memory, timed_out
s = '{0:' + '9' * 9 + '}'
s.format(1)
