# ends: exited
exec('x = 1\x00')
