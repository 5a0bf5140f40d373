# ends: exited 1
# says: RecursionError
def f(): f()
f()
