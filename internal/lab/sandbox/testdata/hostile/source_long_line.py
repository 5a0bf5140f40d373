# ends: exited, memory, timed_out
exec('x = [' + '1,' * 2000000 + ']')
