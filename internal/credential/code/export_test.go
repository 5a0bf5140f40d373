package code

// Encode45 and Decode45 are base45, for tests.
var (
	Encode45 = encode45
	Decode45 = decode45
)
