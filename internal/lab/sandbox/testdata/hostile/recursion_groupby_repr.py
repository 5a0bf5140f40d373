# ends: exited, memory, timed_out
class A(list):
    def __repr__(self): return repr([self])
print(A())
