# ends: exited, memory, timed_out
s = 'a'
while True: s = s.replace('a', 'aa')
