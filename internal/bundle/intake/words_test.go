package intake_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/fault"
)

// row is a carrier of frames that stand in memory.
type row struct{ frames []bundle.Frame }

func (r *row) Next() (bundle.Frame, error) {
	if len(r.frames) == 0 {
		return bundle.Frame{}, io.EOF
	}
	f := r.frames[0]
	r.frames = r.frames[1:]
	return f, nil
}

func TestReadWords(t *testing.T) {
	w := bundletest.NewWorld(t)
	var serials []bundle.Frame
	for _, s := range w.Chain {
		serials = append(serials, bundle.Frame{Kind: bundle.PublisherFrame, Payload: s.Text})
	}
	word := bundle.Frame{Kind: bundle.TrustFrame, Payload: w.Trust.Text}
	list := bundle.Frame{Kind: bundle.BlobFrame, Payload: []byte(bundletest.StatusList)}
	strange := bundle.Frame{Kind: bundle.PublisherFrame, Payload: w.Stranger[0].Text}
	theirs := bundle.Frame{Kind: bundle.TrustFrame, Payload: bundletest.Signed(t, "trust", bundle.Trust{
		Type: "trust", Format: 1, Publisher: bundletest.Stranger, SignedAt: bundletest.Day(5), Issuers: []bundle.Issuer{},
	}, bundletest.Key('s')).Text}
	forged := bundle.Frame{Kind: bundle.TrustFrame, Payload: bundletest.Signed(t, "trust", bundle.Trust{
		Type: "trust", Format: 1, Publisher: bundletest.School, SignedAt: bundletest.Day(5), Issuers: []bundle.Issuer{},
	}, bundletest.Key('s')).Text}
	root := bundle.Frame{Kind: bundle.RootFrame, Payload: w.Two.Signed.Text}
	join := func(parts ...[]bundle.Frame) (out []bundle.Frame) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	chain, err := bundle.ReadChain(w.Chain[0].Text)
	if err != nil {
		t.Fatal(err)
	}
	trusting := intake.Known{Chain: chain}
	tests := []struct {
		name      string
		frames    []bundle.Frame
		known     intake.Known
		want      string // the key of the refusal
		words     int
		strangers int
	}{
		{"one word", join(serials, []bundle.Frame{word, list}), trusting, "", 1, 0},
		{"two words, one of a stranger", join([]bundle.Frame{strange, theirs}, serials, []bundle.Frame{word, list}), trusting, "", 1, 1},
		{"the stranger last", join(serials, []bundle.Frame{word, strange, theirs, list}), trusting, "", 1, 1},
		{"whoever it is", join([]bundle.Frame{strange, theirs}, serials, []bundle.Frame{word}), intake.Known{Anybody: true}, "", 2, 0},
		{"a bundle", join(serials, []bundle.Frame{word, root, list}), trusting, "", 1, 0},
		{"nobody trusted", join(serials, []bundle.Frame{word}), intake.Known{}, "", 0, 1},
		{"signed by a stranger", join(serials, []bundle.Frame{forged}), trusting, "bundle.bad_signature", 0, 0},
		{"a stranger's serial under our word", []bundle.Frame{strange, word}, intake.Known{Anybody: true}, "bundle.mixed", 0, 0},
		{"a word without serials", []bundle.Frame{word}, intake.Known{Anybody: true}, "", 0, 1},
		{"no word", serials, trusting, "bundle.truncated", 0, 0},
		{"nothing", nil, trusting, "bundle.truncated", 0, 0},
		{"two words in a row", join(serials, []bundle.Frame{word, word}), trusting, "bundle.damaged", 0, 0},
		{"a serial behind a blob", join(serials, []bundle.Frame{word, list, strange}), trusting, "bundle.damaged", 0, 0},
		{"known better", join(serials, []bundle.Frame{word}), intake.Known{Chain: chain, Newest: bundletest.Day(31).AddDate(1, 0, 0)}, "bundle.key_expired", 0, 0},
	}
	for _, tt := range tests {
		got, err := intake.ReadWords(&row{tt.frames}, func(bundle.Chain) (intake.Known, error) { return tt.known, nil })
		var f *fault.Error
		switch {
		case tt.want != "":
			if !errors.As(err, &f) || f.Key != tt.want {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		case err != nil || len(got.Words) != tt.words || len(got.Strangers) != tt.strangers:
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	// Blobs that nobody names are passed over, and those that somebody names are there under their address.
	got, err := intake.ReadWords(&row{join(serials, []bundle.Frame{word, list, {Kind: bundle.BlobFrame, Payload: []byte("more")}})}, func(bundle.Chain) (intake.Known, error) { return trusting, nil })
	if err != nil || len(got.Blobs) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, doc, ok := got.List("https://school.example/api/status-lists/1"); !ok || !bytes.Equal(doc, list.Payload) {
		t.Error("the list is not found")
	}
	if _, _, ok := got.List("https://school.example/api/status-lists/2"); ok {
		t.Error("a list that nobody brought")
	}
	if said := got.Issuer(bundletest.School); len(said) != 1 || said[0].Country != "EG" || said[0].Publisher != bundletest.School || len(got.Issuer("did:web:x")) != 0 {
		t.Errorf("said %+v", said)
	}
}
