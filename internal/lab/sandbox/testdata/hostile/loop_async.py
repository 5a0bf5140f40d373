# ends: timed_out
try:
    import asyncio
    async def f():
        while True: await asyncio.sleep(0)
    asyncio.run(f())
except (ImportError, OSError, AttributeError): pass
while True: pass
