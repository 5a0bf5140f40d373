# ends: flooded, exited 0
import warnings
warnings.simplefilter('always')
for i in range(20000): warnings.warn('spam' * 100)
