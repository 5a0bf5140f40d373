# ends: exited, memory, timed_out
class C: pass
a = []
while True: a.append(C())
