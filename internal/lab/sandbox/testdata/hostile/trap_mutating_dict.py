# ends: exited, memory, timed_out
class E:
    def __hash__(s): return 1
    def __eq__(s, o): d.clear(); return False
d = {}
for _ in range(1000): d[E()] = 1
