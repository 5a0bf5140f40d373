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

// The addresses of the contexts that a document of ours names.
const (
	CredentialsV2 = "https://www.w3.org/ns/credentials/v2"
	OpenBadges303 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
)

//go:embed contexts/*.json
var contextFiles embed.FS

// bundled are all contexts that there are for us: the first two in documents of ours, the others in those of other issuers.
var bundled = []struct{ address, file, sha256 string }{
	{CredentialsV2, "contexts/credentials-v2.json", "8a9f494a89ecc51db093e90e84713e07e84d6d9204364a9b3c7868b21751236f"},
	{OpenBadges303, "contexts/ob-3.0.3.json", "ef2fa9c7846dce233cc166b43639027278be4ee44f00bb1d45c75de2dd0cd761"},
	{"https://purl.imsglobal.org/spec/ob/v3p0/context.json", "contexts/ob-3.0.json", "9f1c8f9f361ba2994b9b50701f41149919542c50c7b7455b2846d87959295d72"},
	{"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json", "contexts/ob-3.0.1.json", "af095468326d3449160509b26ca71576e6321d13c85b0369cfe3b654c9a48fba"},
	{"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json", "contexts/ob-3.0.2.json", "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53"},
	{"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", "contexts/ob-extensions.json", "2d013f981d1f4516081a6a04e55468ba2b071d4153b794f19a79715c45a89a5e"},
	{"https://w3id.org/security/data-integrity/v1", "contexts/data-integrity-v1.json", "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554"},
	{"https://w3id.org/security/data-integrity/v2", "contexts/data-integrity-v2.json", "0f77743daf5b4e8fc067fc5ba5b21044283053aa717fc6b0219843bed3b00363"},
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

// parsed are contexts as json-gold has read them: reading takes as long as all the rest. Only so many lists
// are kept: each takes some 100 kB, and strangers choose.
var parsed = struct {
	sync.Mutex
	lists map[string]*ld.Context
}{lists: map[string]*ld.Context{}}

const maxParsed = 16

// activeContext gives what a document's contexts mean. The list has been checked: it is short, and all are bundled.
func activeContext(list any) (*ld.Context, *ld.JsonLdOptions, error) {
	l, err := contexts()
	if err != nil {
		return nil, nil, err
	}
	opts := ld.NewJsonLdOptions("")
	opts.DocumentLoader = l
	opts.SafeMode = true
	key := fmt.Sprint(list)
	parsed.Lock()
	kept, ok := parsed.lists[key]
	parsed.Unlock()
	if ok {
		return kept, opts, nil
	}
	c, err := ld.NewContext(nil, opts).Parse(list)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrContext, err)
	}
	parsed.Lock()
	if len(parsed.lists) < maxParsed {
		parsed.lists[key] = c
	}
	parsed.Unlock()
	return c, opts, nil
}
