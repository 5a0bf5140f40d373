package verifier

// ReadRevocations finds a credential in a revocation list.
var ReadRevocations = readRevocations
