# ends: timed_out
while True: pass
