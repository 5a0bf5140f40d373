package verifier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/fetch"
	"github.com/banyan-lms/banyan/internal/signing"
)

// A did:web is written in one way alone: a name in lower case, its port as %3A, plain segments. Whatever else a host might take for the
// same path, or a reader for the same name, is refused: other letters, capitals, "..", "%2F", empty segments.
var (
	webForm = regexp.MustCompile(`^did:web:[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(%3A[1-9][0-9]{0,4})?(:[A-Za-z0-9_~.-]+)*$`)
	keyForm = regexp.MustCompile(`^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{40,48}$`)
	// Keys of other kinds (P-256, say) are names too, of whom nobody here knows anything.
	otherKey    = regexp.MustCompile(`^did:key:z[1-9A-HJ-NP-Za-km-z]{30,}$`)
	fragmentMax = 200
)

const maxDID = 400

// checkDID refuses what only looks like a name that is known here: errBadIssuer. Names of other kinds are ErrUnknown.
func checkDID(did string) error {
	if start := strings.ToLower(did[:min(len(did), len("did:web"))]); start != "did:web" && start != "did:key" {
		return fmt.Errorf("%w: %.80q", ErrUnknown, did)
	}
	if len(did) > maxDID {
		return fmt.Errorf("%w: %d characters", errBadIssuer, len(did))
	}
	switch {
	case keyForm.MatchString(did):
		if _, err := signing.DecodeMultikey(strings.TrimPrefix(did, "did:key:")); err != nil {
			return fmt.Errorf("%w: %w", errBadIssuer, err)
		}
		return nil
	case otherKey.MatchString(did) && !strings.HasPrefix(did, "did:key:z6Mk"):
		return fmt.Errorf("%w: %.80q", ErrUnknown, did)
	case !webForm.MatchString(did):
		return fmt.Errorf("%w: %.80q", errBadIssuer, did)
	}
	for s := range strings.SplitSeq(did, ":") {
		if strings.Trim(s, ".") == "" {
			return fmt.Errorf("%w: segment %q", errBadIssuer, s)
		}
	}
	return nil
}

// webAddress is where the document of a did:web stands.
func webAddress(did string, origin func(host string) string) string {
	host, path, _ := strings.Cut(strings.TrimPrefix(did, "did:web:"), ":")
	base := origin(strings.Replace(host, "%3A", ":", 1))
	if path == "" {
		return base + "/.well-known/did.json"
	}
	return base + "/" + strings.ReplaceAll(path, ":", "/") + "/did.json"
}

// keyIssuers reads a did:key: the name is the key. Nobody says whose it is.
type keyIssuers struct{}

// FindIssuer implements Issuers.
func (keyIssuers) FindIssuer(_ context.Context, did string) (Issuer, error) {
	multikey, ok := strings.CutPrefix(did, "did:key:")
	if !ok {
		return Issuer{}, ErrUnknown
	}
	return Issuer{DID: did, Keys: []Key{{ID: did + "#" + multikey, Multikey: multikey}}, From: Self, Source: did, Final: true}, nil
}

// webIssuers asks the host that a did:web names, or the page that an issuer calls itself by.
type webIssuers struct{ web *fetch.Client }

// FindIssuer implements Issuers.
func (w webIssuers) FindIssuer(ctx context.Context, did string) (Issuer, error) {
	address := did
	if strings.HasPrefix(did, "did:web:") {
		address = webAddress(did, w.web.Origin)
	} else if !isPage(did) {
		return Issuer{}, ErrUnknown
	}
	d, err := w.web.Fetch(ctx, fetch.DIDDocument, address)
	if err != nil {
		// One answer for all: who asks through us learns nothing about what stands where in this network.
		return Issuer{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	i, err := ReadDIDDocument(d.Body)
	if err != nil || i.DID != did {
		return Issuer{}, fmt.Errorf("%w: its document is not %s's: %v", ErrUnreachable, did, err) //nolint:errorlint // what is wrong with it is for the log alone
	}
	i.From, i.Source, i.At, i.Final = Web, address, d.FetchedAt, !d.Stale
	return i, nil
}

// The types of verification methods whose keys can be read.
var methodTypes = map[string]string{
	"Multikey": "publicKeyMultibase", "Ed25519VerificationKey2020": "publicKeyMultibase", "JsonWebKey": "publicKeyJwk", "JsonWebKey2020": "publicKeyJwk",
}

// ReadDIDDocument reads an issuer from its DID document, or from a page that says its keys in the same way (W3C Controlled Identifiers 1.0): the
// keys that it signs credentials with, and no others. Keys of kinds that nobody here can check are left out.
func ReadDIDDocument(raw []byte) (Issuer, error) {
	if err := plainJSON(raw); err != nil {
		return Issuer{}, err
	}
	var d struct {
		ID        string            `json:"id"`
		Methods   []json.RawMessage `json:"verificationMethod"`
		Assertion []json.RawMessage `json:"assertionMethod"`
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return Issuer{}, fmt.Errorf("read DID document: %w", err)
	}
	if err := checkIssuer(d.ID); err != nil {
		return Issuer{}, fmt.Errorf("read DID document: %w", err)
	}
	if isPage(d.ID) && len(d.Methods)+len(d.Assertion) == 0 {
		return Issuer{}, errors.New("read the issuer's page: it says nothing of keys")
	}
	if len(d.Methods)+len(d.Assertion) > 256 {
		return Issuer{}, errors.New("read DID document: too many keys")
	}
	byID := map[string]Key{}
	add := func(raw json.RawMessage) (string, error) {
		k, err := readMethod(raw, d.ID)
		if err != nil || k.ID == "" {
			return "", err
		}
		if old, twice := byID[k.ID]; twice && (old.Multikey != k.Multikey || !bytes.Equal(old.JWK, k.JWK)) {
			return "", fmt.Errorf("read DID document: key %.80q twice", k.ID)
		}
		byID[k.ID] = k
		return k.ID, nil
	}
	for _, m := range d.Methods {
		if _, err := add(m); err != nil {
			return Issuer{}, err
		}
	}
	i := Issuer{DID: d.ID}
	named := map[string]bool{}
	// A revoked key asserts nothing any more, but what it signed before must find it.
	for _, k := range byID {
		if !k.Revoked.IsZero() {
			named[k.ID] = true
			i.Keys = append(i.Keys, k)
		}
	}
	for _, a := range d.Assertion {
		var id string
		if err := json.Unmarshal(a, &id); err != nil {
			if id, err = add(a); err != nil {
				return Issuer{}, err
			}
		}
		id = absolute(id, d.ID)
		if k, ok := byID[id]; ok && !named[id] {
			named[id] = true
			i.Keys = append(i.Keys, k)
		}
	}
	return i, nil
}

// readMethod reads a verification method; one of another kind or of another's gives no key.
func readMethod(raw json.RawMessage, did string) (Key, error) {
	var m struct {
		ID         string          `json:"id"`
		Type       string          `json:"type"`
		Controller string          `json:"controller"`
		Multibase  string          `json:"publicKeyMultibase"`
		JWK        json.RawMessage `json:"publicKeyJwk"`
		Created    string          `json:"created"`
		Expires    string          `json:"expires"`
		Revoked    string          `json:"revoked"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return Key{}, fmt.Errorf("read DID document: %w", err)
	}
	id := absolute(m.ID, did)
	fragment, ours := strings.CutPrefix(id, did+"#")
	if !ours || fragment == "" || len(fragment) > fragmentMax || m.Controller != did || methodTypes[m.Type] == "" {
		return Key{}, nil
	}
	k := Key{ID: id}
	if methodTypes[m.Type] == "publicKeyMultibase" {
		k.Multikey = m.Multibase
	} else {
		k.Multikey, k.JWK = readJWK(m.JWK)
	}
	if _, err := signing.DecodeMultikey(k.Multikey); err != nil && k.JWK == nil {
		return Key{}, nil // a key of a kind that nobody here can check, P-256 say, is no fault of the document
	}
	for _, at := range []struct {
		text string
		into *time.Time
	}{{m.Created, &k.From}, {m.Expires, &k.Retired}, {m.Revoked, &k.Revoked}} {
		if at.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, at.text)
		if err != nil {
			return Key{}, fmt.Errorf("read DID document: time %.40q", at.text)
		}
		*at.into = t.UTC()
	}
	return k, nil
}

func absolute(id, did string) string {
	if strings.HasPrefix(id, "#") {
		return did + id
	}
	return id
}

// plainJSON refuses what two readers could understand differently: a member twice, or something after the end. It bounds the depth.
func plainJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := plainValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

const maxDepth = 32

func plainValue(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return errors.New("too deep")
	}
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	names := map[string]bool{}
	for d.More() {
		if open == '{' {
			t, err := d.Token()
			if err != nil {
				return err
			}
			// encoding/json takes Id for id, and ſ for s.
			name := strings.ToLower(strings.ToUpper(t.(string)))
			if names[name] {
				return fmt.Errorf("member %.40q twice", name)
			}
			names[name] = true
		}
		if err := plainValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
