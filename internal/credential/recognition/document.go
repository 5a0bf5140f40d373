package recognition

import (
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
	return proof.Marshal(doc)
}

// Said is what a document says.
type Said struct {
	Address       string // of the document itself
	By, ByName    string // DID and name of who recognises
	OfDID         string
	OfAchievement string
	Terms         Terms
	From          time.Time
	Until         *time.Time
	List          string // address of the list of revocations, and the place in it
	Index         int
}

// Read reads an endorsement that is written as Banyan writes them, and believes nothing: its proofs are for others to check. Whatever two readers
// could understand differently is refused.
func Read(doc []byte) (Said, error) {
	var d document
	if err := json.Unmarshal(doc, &d); err != nil {
		return Said{}, err
	}
	if !slices.Contains(d.Type, "EndorsementCredential") || !slices.Contains(d.Subject.Type, "EndorsementSubject") {
		return Said{}, errors.New("not a recognition")
	}
	if d.Status.Type != "BitstringStatusListEntry" || d.Status.Purpose != "revocation" || d.Status.List == "" {
		return Said{}, errors.New("no place in a list of revocations")
	}
	out := Said{
		Address: d.ID, By: d.Issuer.ID, ByName: d.Issuer.Name, OfAchievement: d.Subject.ID, List: d.Status.List,
		Terms: Terms{As: map[string]string{}, Scope: map[string]string{}, Conditions: map[string]string{}},
	}
	var err error
	if out.Index, err = strconv.Atoi(d.Status.Index); err != nil {
		return Said{}, err
	}
	if out.From, err = proof.ParseTime(d.From); err != nil {
		return Said{}, err
	}
	if d.Until != "" {
		until, err := proof.ParseTime(d.Until)
		if err != nil {
			return Said{}, err
		}
		out.Until = &until
	}
	issuers := 0
	for _, e := range d.Evidence {
		var texts map[string]string
		switch e.Genre {
		case "issuer":
			issuers++
			out.OfDID, out.Terms.OfName = e.ID, e.Narrative
			continue
		case "as":
			texts = out.Terms.As
		case "scope":
			texts = out.Terms.Scope
		case "conditions":
			texts = out.Terms.Conditions
		default:
			return Said{}, errors.New("evidence of another kind")
		}
		if _, twice := texts[e.Audience]; twice {
			return Said{}, errors.New("one text twice")
		}
		texts[e.Audience] = e.Narrative
	}
	// What no institution here could have said is no word for people either.
	n := New{OfDID: out.OfDID, OfAchievement: out.OfAchievement, Terms: out.Terms}
	if err := n.check(time.Time{}); issuers != 1 || err != nil || n.OfAchievement != out.OfAchievement || !n.Terms.equal(out.Terms) {
		return Said{}, errors.Join(errors.New("not written as it should be"), err)
	}
	return out, nil
}

func (t Terms) equal(o Terms) bool {
	return t.OfName == o.OfName && maps.Equal(t.As, o.As) && maps.Equal(t.Scope, o.Scope) && maps.Equal(t.Conditions, o.Conditions)
}

// match tells whether a row says what its document says: who can write rows but has no key makes no recognition of another.
func (r Recognition) match() error {
	said, err := Read(r.Document)
	if err != nil {
		return err
	}
	if said.By != r.By || said.OfDID != r.OfDID || said.OfAchievement != r.OfAchievement || !strings.HasSuffix(said.Address, "/api/recognitions/"+string(r.ID)) {
		return errors.New("another recognition")
	}
	if !strings.HasSuffix(said.List, "/api/status-lists/"+string(r.ListID)) || said.Index != r.Index {
		return errors.New("another place in the status list")
	}
	if !said.From.Equal(r.CreatedAt) {
		return errors.New("another begin")
	}
	if (said.Until == nil) != (r.ValidUntil == nil) || r.ValidUntil != nil && !said.Until.Equal(*r.ValidUntil) {
		return errors.New("another end")
	}
	if !said.Terms.equal(r.Terms) {
		return errors.New("other terms")
	}
	return nil
}
