package signing

import "math/big"

// PrivateExponent gives what must never be printed, to tests that look for it.
func PrivateExponent(k RSAKey) *big.Int { return k.private().D }
