package sandbox

// Enter is the first half of a child. The others build the second wall around the calling process: all of it, or one part.
var (
	Enter       = enter
	LockIn      = lockIn
	CloseFiles  = closeFiles
	FilterCalls = filterCalls
	ChangeUser  = changeUser
	LandlockABI = landlockABI
)
