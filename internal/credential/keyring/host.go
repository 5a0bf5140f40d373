package keyring

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/banyan-lms/banyan/internal/institution"
)

// Host is the public address of this server: the names of issuers begin with it.
type Host struct{ base *url.URL }

// Host reads the address that people reach this server by.
func (s *Service) Host() (Host, error) {
	raw := s.PublicURL
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return Host{}, fmt.Errorf("public URL %q: want https://host or https://host/path", raw)
	}
	return Host{u}, nil
}

// Base is the address without a slash at its end.
func (h Host) Base() string { return h.base.String() }

// DID is the did:web of an institution's path, which resolves to <base>/institutions/<slug>/did.json.
func (h Host) DID(slug string) string {
	parts := []string{"did", "web", strings.ReplaceAll(strings.ToLower(h.base.Host), ":", "%3A")}
	for p := range strings.SplitSeq(strings.Trim(h.base.EscapedPath(), "/"), "/") {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(append(parts, "institutions", url.PathEscape(slug)), ":")
}

// DIDOf is the DID that an institution issues under: of its own domain where it has one.
func (h Host) DIDOf(in institution.Institution) string {
	if in.Domain != "" {
		return "did:web:" + in.Domain
	}
	return h.DID(in.Slug)
}
