package verifier_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gowebpki/jcs"
	"github.com/mr-tron/base58"

	"github.com/banyan-lms/banyan/internal/credential/fetch"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/signing"
)

// signAnyhow signs whatever it is given with eddsa-jcs-2022, as the specification says and without asking package proof: an attacker's own
// program is not as strict as ours.
func signAnyhow(t *testing.T, doc map[string]any, method string, k signing.Key) []byte {
	t.Helper()
	digest := func(v any) []byte {
		canonical, err := jcs.Transform([]byte(toJSON(t, v)))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(canonical)
		return sum[:]
	}
	options := map[string]any{
		"type": "DataIntegrityProof", "cryptosuite": proof.JCS, "proofPurpose": "assertionMethod", "created": "2026-05-01T11:00:00Z", "verificationMethod": method,
	}
	sig, err := k.Sign(append(digest(options), digest(doc)...))
	if err != nil {
		t.Fatal(err)
	}
	options["proofValue"] = "z" + base58.Encode(sig)
	out := maps.Clone(doc)
	out["proof"] = options
	return []byte(toJSON(t, out))
}

// resolver tells every name the same addresses, and remembers who was asked for.
type resolver struct {
	mu    sync.Mutex
	asked []string
	says  []string
}

func (r *resolver) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, host)
	var out []netip.Addr
	for _, a := range r.says {
		out = append(out, netip.MustParseAddr(a))
	}
	return out, nil
}

// but gives who was asked for beside one.
func (r *resolver) but(host string) []string {
	return slices.DeleteFunc(slices.Clone(r.asked), func(asked string) bool { return asked == host })
}

// trap is a server of this network that a stranger would like to have asked. It counts whoever connects.
type trap struct {
	*httptest.Server
	reached atomic.Int32
	port    string
}

func newTrap(t *testing.T) *trap {
	t.Helper()
	p := &trap{}
	p.Server = httptest.NewUnstartedServer(http.NotFoundHandler())
	p.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			p.reached.Add(1)
		}
	}
	p.Start()
	t.Cleanup(p.Close)
	_, p.port, _ = net.SplitHostPort(p.Listener.Addr().String())
	return p
}

// What a host or a reader might take for another's name is refused for its form, whoever signed it and however well: nobody is asked for it.
func TestNamesThatLookLikeOthers(t *testing.T) {
	k := newKey(t)
	oasis := verifier.Issuer{DID: "did:web:oasis.example:schools:oasis", From: verifier.Trusted, Final: true, Keys: []verifier.Key{
		{ID: "did:web:oasis.example:schools:oasis#" + k.Multikey(), Multikey: k.Multikey()},
	}}
	names := &resolver{says: []string{"93.184.215.14"}}
	a := newAsker()
	a.Web = fetch.New(fetch.Config{Resolver: names})
	a.Issuers = []verifier.Issuers{book{oasis}}
	for want, dids := range map[string][]string{
		"invalid bad_issuer": {
			// Escapes: of the path, of a dot, of the colons, of a user, of what ends a host; in either case.
			"did:web:oasis.example%2Fschools%2Foasis", "did:web:oasis.example%2fschools:oasis", "did:web:oasis.example:schools%2Foasis", "did:web:oasis%2Eexample:schools:oasis",
			"did:web:oasis.example:schools%3Aoasis", "did:web:oasis.example%3aschools:oasis", "did:web:oasis.example:%73chools:oasis", "did:web:oasis.example:schools:oasis%00",
			"did:web:oasis.example:schools:oasis%20", "did:web:oasis.example%40evil.example:schools:oasis", "did:web:evil.example%23oasis.example", "did:web:oasis.example%3F",
			"did:web:oasis.example:schools:oasis%3Fversion=1", "did:web:oasis.example:schools:oasis%23x", "did:web:oasis.example%5Cschools:oasis", "did:web:oasis.example%25:schools:oasis",
			"did:web:oasis.example:schools:%2e%2e:oasis", "did:web:oasis.example:schools:..%2Foasis", "did:web:oasis.example%E2%80%8B:schools:oasis",
			// Paths that lead elsewhere, or to the same place.
			"did:web:oasis.example:schools:..:oasis", "did:web:oasis.example:.:schools:oasis", "did:web:oasis.example::schools:oasis", "did:web:oasis.example:schools:oasis:", "did:web:oasis.example:...",
			// Ports: none, zero, too long, with zeros in front, of letters, as a segment that is one.
			"did:web:oasis.example%3A:schools:oasis", "did:web:oasis.example%3A0:schools:oasis", "did:web:oasis.example%3A0443:schools:oasis", "did:web:oasis.example%3A443443:schools:oasis",
			"did:web:oasis.example%3Ahttps:schools:oasis", "did:web:oasis.example%3A443%3A443:schools:oasis", "did:web:oasis.example%3A-1",
			// Capitals, dots at the end, users, brackets.
			"did:web:OASIS.example:schools:oasis", "did:web:Oasis.example", "DID:web:oasis.example:schools:oasis", "did:Web:oasis.example:schools:oasis",
			"did:web:oasis.example.:schools:oasis", "did:web:.oasis.example", "did:web:oasis..example", "did:web:user@oasis.example", "did:web:user:pass@oasis.example",
			"did:web:[::1]", "did:web:%5B::1%5D", "did:web:%5B%3A%3A1%5D", "did:web:oasis.example;x:schools:oasis", "did:web:oasis.example:schools:oasis;v=1", "did:web:oasis_example",
			"did:web:-oasis.example", "did:web:oasis-.example", "did:web:oasis.example:schools:oasis=", "did:web:oasis.example:schools:*", "did:web:oasis.example:schools:oasis+x",
			// Letters of other scripts, of full width, with marks, joined, invisible, and those that turn the line around.
			"did:web:оasis.example:schools:oasis", "did:web:oаsis.example:schools:oasis", "did:web:oasis.eхample:schools:oasis", "did:web:ｏasis.example:schools:oasis", "did:web:oasis。example:schools:oasis",
			"did:web:oasis․example:schools:oasis", "did:web:oásis.example:schools:oasis", "did:web:oasis.example:schools:oаsis", "did:web:oasis.example:schoοls:oasis", "did:web:oaſis.example:schools:oasis",
			"did:web:oasis.example:schools:oasis\u200b", "did:web:oasis.example:schools:\u202esisao", "did:web:oas\u00adis.example:schools:oasis", "did:web:oasiѕ.example", "did:web:०asis.example",
			"did:web:ΟASIS.example", "did:web:oasis.example：443", "did:web:", "did:web::", "did:key:", "did:key:z6Mk" + strings.Repeat("1", 44), "did:key:" + k.Multikey() + "1", "did:Key:" + k.Multikey(),
		},
		// What is no address of a DID at all: a query, a fragment, a path, white space.
		"invalid terms": {
			"did:web:oasis.example:schools:oasis?versionId=1", "did:web:oasis.example:schools:oasis#" + k.Multikey(), "did:web:oasis.example:schools:oasis/", "did:web:oasis.example/schools/oasis",
			"did:web:oasis.example:schools:oasis ", " did:web:oasis.example:schools:oasis", "did:web:oasis.example:schools:oasis\n", "did:web:oasis.example\\schools:oasis", "did:", "oasis.example", "",
			"https://user@oasis.example/", "https://oasis.example/#x", "ftp://oasis.example/", "urn:uuid:00000000-0000-4000-8000-000000000000", "javascript:alert(1)", "//oasis.example",
		},
		// Who is asked for a key of theirs is not who is known here; whose name is of another kind, nobody can ask.
		"unknown issuer_unknown": {"did:example:oasis", "did:ethr:0x0000000000000000000000000000000000000000", "https://OASIS.example/schools/oasis", "https://oasis.example/schools/%6fasis", "https://oasis.example/../schools/oasis"},
		// A page is asked for its keys, over https.
		"unknown issuer_unreachable": {"https://oasis.example/schools/oasis", "http://oasis.example/"},
	} {
		for _, did := range dids {
			for form, issuer := range map[string]any{"named": did, "described": map[string]any{"id": did, "type": []any{"Profile"}, "name": "Oasis school"}} {
				doc := badge("x", "", func(d map[string]any) { d["issuer"] = issuer })
				r := a.ask(t, signAnyhow(t, doc, did+"#"+k.Multikey(), k), verifier.Options{})
				got := why(r)
				// The escape of a mark that no line of text has is no form that JSON-LD lets pass.
				if got != want && (want != "invalid bad_issuer" || got != "invalid terms") {
					t.Errorf("%q, %s: %s, want %s", did, form, got, want)
				}
				// The trusted one's own key under another's name is another's key.
				r = a.ask(t, signAnyhow(t, doc, oasis.DID+"#"+k.Multikey(), k), verifier.Options{})
				if r.State != verifier.Invalid {
					t.Errorf("%q, %s, by the key of who is trusted: %s", did, form, why(r))
				}
			}
		}
	}
	// Its own host is asked whether the key was taken back, and nobody else.
	if others := names.but("oasis.example."); len(others) != 0 {
		t.Errorf("asked for %v", others)
	}
	// The one that is meant is known, by the same way of signing.
	r := a.ask(t, sign(t, badge(oasis.DID, "", nil), oasis.DID, k, noon), verifier.Options{})
	if why(r) != "valid" {
		t.Error(why(r))
	}
}

// Nothing in this network can be reached through the names and addresses that stand in a credential, and the answer tells nothing
// about what is there.
func TestNothingOfThisNetworkIsAsked(t *testing.T) {
	inside := newTrap(t)
	k := newKey(t)
	names := &resolver{}
	a := newAsker()
	a.Web = fetch.New(fetch.Config{Resolver: names, Ports: []int{443, atoi(t, inside.port)}})
	issued := func(did string) string {
		a.Issuers = nil
		return why(a.ask(t, signAnyhow(t, badge(did, "", nil), did+"#"+k.Multikey(), k), verifier.Options{}))
	}
	for _, host := range []string{
		"127.0.0.1", "127.1", "127.0.1", "2130706433", "017700000001", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "0", "0.0.0.0", "localhost", "localhost.localdomain", "x.localhost",
		"169.254.169.254", "2852039166", "0xa9fea9fe", "metadata.google.internal", "100.64.0.1", "10.0.0.1", "192.168.0.1", "redis", "postgres.lan", "printer.local", "1.0.0.127.in-addr.arpa",
	} {
		for _, port := range []string{"", "%3A" + inside.port} {
			if got := issued("did:web:" + host + port); got != "unknown issuer_unreachable" {
				t.Errorf("%s%s: %s", host, port, got)
			}
		}
	}
	if len(names.asked) != 0 {
		t.Errorf("asked for %v", names.asked)
	}
	// A name that leads inside is asked for its address, and that is all; it does not matter what else it leads to.
	rebound := [][]string{
		{"127.0.0.1"},
		{"::1"},
		{"::ffff:127.0.0.1"},
		{"0.0.0.0"},
		{"169.254.169.254"},
		{"64:ff9b::7f00:1"},
		{"2002:7f00:1::1"},
		{"100.64.0.1"},
		{"fd00::1"},
		{"93.184.215.14", "127.0.0.1"},
	}
	for i, says := range rebound {
		names.says = says
		host := fmt.Sprintf("school-%d.example.com", i)
		if got := issued("did:web:" + host + "%3A" + inside.port); got != "unknown issuer_unreachable" {
			t.Errorf("%v: %s", says, got)
		}
		if !slices.Contains(names.asked, host+".") {
			t.Errorf("%s was not even asked for: %v", host, names.asked)
		}
	}
	// The same through the address of a status list, of an issuer who is known.
	did := "did:web:oasis.example"
	a.Issuers = []verifier.Issuers{book{{DID: did, From: verifier.Trusted, Final: true, Keys: []verifier.Key{{ID: did + "#" + k.Multikey(), Multikey: k.Multikey()}}}}}
	listed := func(address string) string {
		doc := badge(did, "https://x", func(d map[string]any) { d["credentialStatus"].(map[string]any)["statusListCredential"] = address })
		return why(a.ask(t, sign(t, doc, did, k, noon), verifier.Options{}))
	}
	names.asked, names.says = nil, []string{"127.0.0.1"}
	for _, address := range []string{
		"http://127.0.0.1:" + inside.port + "/", "https://127.0.0.1:" + inside.port + "/", "https://[::1]:" + inside.port + "/", "https://[::ffff:127.0.0.1]:" + inside.port + "/", "https://[::ffff:7f00:1]:" + inside.port + "/",
		"https://[64:ff9b::7f00:1]:" + inside.port + "/", "https://[fe80::1%25lo]:" + inside.port + "/", "https://0:" + inside.port + "/", "https://2130706433:" + inside.port + "/", "https://0x7f.1:" + inside.port + "/",
		"https://017700000001:" + inside.port + "/", "https://localhost:" + inside.port + "/", "https://localhost.:" + inside.port + "/", "https://①②⑦.0.0.1:" + inside.port + "/", "https://169.254.169.254/latest/meta-data/",
		"https://user@127.0.0.1:" + inside.port + "/", "https://example.com@127.0.0.1:" + inside.port + "/", "https://example.com:22/", "ftp://127.0.0.1:" + inside.port + "/", "file:///etc/passwd", "gopher://127.0.0.1:" + inside.port + "/_x", "data:application/json,1",
		"unix:///var/run/docker.sock", inside.URL, "https://example.com#" + inside.port,
	} {
		if got := listed(address); got != "unknown status_unreachable" {
			t.Errorf("%s: %s", address, got)
		}
	}
	// Its issuer's own host may be asked whether the key was taken back.
	if others := names.but("oasis.example."); len(others) != 0 {
		t.Errorf("asked for %v", others)
	}
	for i, says := range rebound {
		names.says = says
		if got := listed(fmt.Sprintf("https://lists-%d.example.com:%s/", i, inside.port)); got != "unknown status_unreachable" {
			t.Errorf("%v: %s", says, got)
		}
	}
	if n := inside.reached.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	var n int
	if err := json.Unmarshal([]byte(s), &n); err != nil {
		t.Fatal(err)
	}
	return n
}
