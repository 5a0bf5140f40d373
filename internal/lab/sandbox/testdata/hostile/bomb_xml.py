# ends: exited, memory, timed_out
try:
    import xml.etree.ElementTree as e
    e.fromstring('<!DOCTYPE l [<!ENTITY a "' + 'x' * 1000 + '">' + ''.join(f'<!ENTITY {chr(98+i)} "' + f'&{chr(97+i)};' * 10 + '">' for i in range(9)) + ']><l>&j;</l>')
except Exception: print('refused')
