package recognition

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/proof"
)

// The shape of an EndorsementCredential of Open Badges 3.0. Open Badges gives an endorsement one comment in one language and says nothing
// of the issuer of what is endorsed, so both stand as evidence beside it, in terms that its context defines: one of the genre
// "issuer" whose id is the issuer's DID, and for each language (audience) one of the genres "as", "scope" and "conditions".
type document struct {
	Context  []string   `json:"@context"`
	ID       string     `json:"id"`
	Type     []string   `json:"type"`
	Name     string     `json:"name"`
	Issuer   profile    `json:"issuer"`
	From     string     `json:"validFrom"`
	Until    string     `json:"validUntil,omitempty"`
	Subject  subject    `json:"credentialSubject"`
	Evidence []evidence `json:"evidence"`
	Status   status     `json:"credentialStatus"`
}

type profile struct {
	ID   string   `json:"id"`
	Type []string `json:"type"`
	Name string   `json:"name"`
}

type subject struct {
	ID      string   `json:"id"`
	Type    []string `json:"type"`
	Comment string   `json:"endorsementComment"`
}

type evidence struct {
	ID        string   `json:"id,omitempty"`
	Type      []string `json:"type"`
	Genre     string   `json:"genre"`
	Audience  string   `json:"audience,omitempty"`
	Narrative string   `json:"narrative"`
}

type status struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Purpose string `json:"statusPurpose"`
	Index   string `json:"statusListIndex"`
	List    string `json:"statusListCredential"`
}

func address(base string, id ID) string { return base + "/api/recognitions/" + string(id) }

func (r Recognition) write(d credential.Desk) ([]byte, error) {
	e := []evidence{{ID: r.OfDID, Type: []string{"Evidence"}, Genre: "issuer", Narrative: r.Terms.OfName}}
	var comment []string
	for _, part := range []struct {
		genre string
		texts map[string]string
	}{{"as", r.Terms.As}, {"scope", r.Terms.Scope}, {"conditions", r.Terms.Conditions}} {
		for _, l := range slices.Sorted(maps.Keys(part.texts)) {
			e = append(e, evidence{Type: []string{"Evidence"}, Genre: part.genre, Audience: l, Narrative: part.texts[l]})
			comment = append(comment, part.texts[l])
		}
	}
	doc := document{
		Context: []string{proof.CredentialsV2, proof.OpenBadges303}, ID: address(d.Base, r.ID),
		Type: []string{"VerifiableCredential", "EndorsementCredential"}, Name: r.Terms.OfName,
		Issuer: profile{ID: d.DID, Type: []string{"Profile"}, Name: d.Name}, From: proof.FormatTime(d.At),
		Subject:  subject{ID: r.OfAchievement, Type: []string{"EndorsementSubject"}, Comment: strings.Join(comment, "\n")},
		Evidence: e,
		Status: status{
			ID: d.List + "#" + strconv.Itoa(d.Index), Type: "BitstringStatusListEntry", Purpose: "revocation", Index: strconv.Itoa(d.Index), List: d.List,
		},
	}
	if r.ValidUntil != nil {
		doc.Until = proof.FormatTime(*r.ValidUntil)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(doc)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// match tells whether a row says what its document says: who can write rows but has no key makes no recognition of another.
func (r Recognition) match() error {
	var d document
	if err := json.Unmarshal(r.Document, &d); err != nil {
		return err
	}
	if d.Issuer.ID != r.By || d.Subject.ID != r.OfAchievement || !strings.HasSuffix(d.ID, "/api/recognitions/"+string(r.ID)) || !slices.Contains(d.Type, "EndorsementCredential") {
		return errors.New("another recognition")
	}
	if !strings.HasSuffix(d.Status.List, "/api/status-lists/"+string(r.ListID)) || d.Status.Index != strconv.Itoa(r.Index) {
		return errors.New("another place in the status list")
	}
	from, err := proof.ParseTime(d.From)
	if err != nil || !from.Equal(r.CreatedAt) {
		return errors.New("another begin")
	}
	var until time.Time
	if d.Until != "" {
		if until, err = proof.ParseTime(d.Until); err != nil {
			return err
		}
	}
	if until.IsZero() != (r.ValidUntil == nil) || r.ValidUntil != nil && !until.Equal(*r.ValidUntil) {
		return errors.New("another end")
	}
	said := Terms{As: map[string]string{}, Scope: map[string]string{}, Conditions: map[string]string{}}
	issuers := 0
	for _, e := range d.Evidence {
		switch e.Genre {
		case "issuer":
			issuers++
			if said.OfName = e.Narrative; e.ID != r.OfDID {
				return errors.New("another issuer")
			}
		case "as":
			said.As[e.Audience] = e.Narrative
		case "scope":
			said.Scope[e.Audience] = e.Narrative
		case "conditions":
			said.Conditions[e.Audience] = e.Narrative
		}
	}
	t := r.Terms
	if issuers != 1 || said.OfName != t.OfName || !maps.Equal(said.As, t.As) || !maps.Equal(said.Scope, t.Scope) || !maps.Equal(said.Conditions, t.Conditions) {
		return errors.New("other terms")
	}
	return nil
}
