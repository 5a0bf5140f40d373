# ends: exited, memory, timed_out
try:
    import zlib
    d = zlib.compressobj()
    c = b''.join(d.compress(bytes(1 << 20)) for _ in range(500)) + d.flush()
    zlib.decompress(c)
except (ImportError, MemoryError): print('refused')
