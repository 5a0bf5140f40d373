# ends: exited, timed_out, memory, flooded
import marshal, random
good = marshal.dumps(compile('x = [i for i in range(3)]\ndef f(a, b=1): return a + b\nf(1)', 'f', 'exec'))
for _ in range(3000):
    b = bytearray(good)
    for _ in range(random.randrange(1, 6)): b[random.randrange(len(b))] = random.randrange(256)
    try: exec(marshal.loads(bytes(b)))
    except BaseException: pass
