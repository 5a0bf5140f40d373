# ends: exited, timed_out
import faulthandler
faulthandler._read_null()
