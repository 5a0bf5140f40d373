# ends: exited, memory, timed_out
eval('-' * 500000 + '1')
