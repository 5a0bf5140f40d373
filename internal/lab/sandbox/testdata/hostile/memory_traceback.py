# ends: exited, timed_out, memory
class Boom(Exception):
    def __str__(self): return 'x' * (1 << 28)
raise Boom
