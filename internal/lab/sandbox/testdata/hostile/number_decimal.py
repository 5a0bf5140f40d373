# ends: timed_out, exited, memory
try:
    import decimal
    decimal.getcontext().prec = 10 ** 7
    decimal.Decimal(2).sqrt()
except (ImportError, MemoryError): pass
while True: pass
