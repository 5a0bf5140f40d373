# ends: exited
class A:
    def __del__(self):
        raise SystemExit(5)
x = A()
