# ends: exited, memory, timed_out
import sys
sys.path.insert(0, '/')
for i in range(50): open(f'm{i}.py', 'w').write(f'import m{(i + 1) % 50}\nx = [0] * 100000\nimport sys\ndel sys.modules[__name__]\nimport m{i}')
import m0
