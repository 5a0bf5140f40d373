package verifier

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"

	"github.com/banyan-lms/banyan/internal/signing"
)

// readJWK gives the Multikey of a public Ed25519 key, or an RSA key as it stands. Of others, and of a private key in public, it gives nothing.
func readJWK(raw []byte) (multikey string, jwk []byte) {
	var k struct {
		Type    string `json:"kty"`
		Curve   string `json:"crv"`
		X       string `json:"x"`
		Private string `json:"d"`
	}
	if err := json.Unmarshal(raw, &k); err != nil || k.Private != "" {
		return "", nil
	}
	if k.Type == "RSA" {
		return "", raw
	}
	x, err := base64.RawURLEncoding.Strict().DecodeString(k.X)
	if err != nil || k.Type != "OKP" || k.Curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
		return "", nil
	}
	return signing.EncodeMultikey(x), nil
}
