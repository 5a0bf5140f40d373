# ends: exited, memory, timed_out
try:
    import zipfile
    z = zipfile.ZipFile('z.zip', 'w')
    for i in range(10000): z.writestr(f'f{i}', bytes(1000))
except (ImportError, OSError, MemoryError): print('refused')
