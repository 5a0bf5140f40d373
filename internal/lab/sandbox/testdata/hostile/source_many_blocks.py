# ends: exited, memory, timed_out
exec('try: pass\nexcept: pass\n' * 100000)
