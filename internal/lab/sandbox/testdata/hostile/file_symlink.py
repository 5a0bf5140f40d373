# ends: exited 0
# says: refused
import os
for target in '/etc/passwd', '../etc/passwd', '/':
    for link in os.symlink, os.link:
        try: link(target, 'l'); print('ESCAPED', open('l').read())
        except (OSError, AttributeError): pass
print('refused', os.listdir('/'))
