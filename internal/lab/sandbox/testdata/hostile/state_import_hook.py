# ends: exited
import sys
class F:
    def find_spec(self, *a): raise SystemExit(66)
sys.meta_path.insert(0, F())
sys.modules.clear()
