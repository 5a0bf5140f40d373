package proof

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/piprate/json-gold/ld"
)

// The addresses of the contexts that a signed document may name.
const (
	CredentialsV2 = "https://www.w3.org/ns/credentials/v2"
	OpenBadges303 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
)

//go:embed contexts/*.json
var contextFiles embed.FS

var bundled = []struct{ address, file, sha256 string }{
	{CredentialsV2, "contexts/credentials-v2.json", "8a9f494a89ecc51db093e90e84713e07e84d6d9204364a9b3c7868b21751236f"},
	{OpenBadges303, "contexts/ob-3.0.3.json", "ef2fa9c7846dce233cc166b43639027278be4ee44f00bb1d45c75de2dd0cd761"},
}

// loader gives the bundled contexts and nothing else. It has no network.
type loader map[string]any

// LoadDocument implements ld.DocumentLoader.
func (l loader) LoadDocument(address string) (*ld.RemoteDocument, error) {
	doc, ok := l[address]
	if !ok {
		return nil, fmt.Errorf("%w: %q is not bundled", ErrContext, address)
	}
	return &ld.RemoteDocument{DocumentURL: address, Document: doc}, nil
}

// contexts parses the bundled files once. Bytes that do not have their pinned
// digest are a broken build, which nothing may sign or verify with.
var contexts = sync.OnceValues(func() (loader, error) {
	l := loader{}
	for _, c := range bundled {
		raw, err := contextFiles.ReadFile(c.file)
		if err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != c.sha256 {
			return nil, fmt.Errorf("bundled context %s has another digest than pinned", c.file)
		}
		doc, err := ld.DocumentFromReader(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("parse bundled context %s: %w", c.file, err)
		}
		l[c.address] = doc
	}
	return l, nil
})

// Context gives the bytes of a bundled context by its address.
func Context(address string) (json.RawMessage, bool) {
	for _, c := range bundled {
		if c.address == address {
			raw, err := contextFiles.ReadFile(c.file)
			return raw, err == nil
		}
	}
	return nil, false
}
