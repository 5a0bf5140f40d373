package credential

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/framework"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

// The shape of an AchievementCredential as Banyan writes it: Open Badges 3.0
// on the Verifiable Credentials Data Model 2.0. Members stand in the order in
// which people read them.
//
// Its id is the address where people check it. A urn:uuid would outlive the
// host, but says nothing to who holds only the JSON; and the issuer's did:web is
// bound to the host anyhow. The address never changes.
type document struct {
	Context    []string `json:"@context"`
	ID         string   `json:"id"`
	Type       []string `json:"type"`
	Name       string   `json:"name"`
	Issuer     profile  `json:"issuer"`
	ValidFrom  string   `json:"validFrom"`
	ValidUntil string   `json:"validUntil,omitempty"`
	Subject    subject  `json:"credentialSubject"`
	Status     statuses `json:"credentialStatus"`
}

type profile struct {
	ID   string   `json:"id"`
	Type []string `json:"type"`
	Name string   `json:"name"`
}

type subject struct {
	// ID is the credential's own number, so that it names nobody and joins nothing. A VC-JWT must have a sub, which repeats it.
	ID          string             `json:"id,omitempty"`
	Type        []string           `json:"type"`
	Identifier  []identityObject   `json:"identifier,omitempty"`
	Result      []result           `json:"result,omitempty"`
	Achievement achievementContent `json:"achievement"`
}

// result is one thing that was found; what it means stands in the achievement under the same address.
type result struct {
	Type        []string `json:"type"`
	Description string   `json:"resultDescription"`
	Value       string   `json:"value"`
}

// resultDescription says what a result means. The possible values stand in docs/credentials.md: as a JSON-LD
// list they would be half of the credential's statements.
type resultDescription struct {
	ID         string   `json:"id"`
	Type       []string `json:"type"`
	Name       string   `json:"name"`
	ResultType string   `json:"resultType"`
	ValueMin   string   `json:"valueMin,omitempty"`
	ValueMax   string   `json:"valueMax,omitempty"`
}

// identityObject carries the one thing about the person that stands on a
// certificate: the name, in the clear. A hash of a name is no secret, and
// nobody could read whose certificate it is. No account, address or birthday.
type identityObject struct {
	Type         string `json:"type"`
	IdentityType string `json:"identityType"`
	Hashed       bool   `json:"hashed"`
	IdentityHash string `json:"identityHash"`
}

type achievementContent struct {
	ID          string   `json:"id"`
	Type        []string `json:"type"`
	Kind        string   `json:"achievementType"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Criteria    criteria `json:"criteria"`
	// Open Badges wants plain strings, so the language stands here and not beside each text.
	InLanguage string              `json:"inLanguage"`
	Version    string              `json:"version"`
	Alignment  []alignment         `json:"alignment,omitempty"`
	Results    []resultDescription `json:"resultDescription,omitempty"`
}

// alignment says to which competence of a published framework the achievement attests.
type alignment struct {
	Type            []string `json:"type"`
	TargetType      string   `json:"targetType"`
	TargetName      string   `json:"targetName"`
	TargetURL       string   `json:"targetUrl"`
	TargetFramework string   `json:"targetFramework"`
	TargetCode      string   `json:"targetCode"`
}

type criteria struct {
	Narrative string `json:"narrative"`
}

type status struct {
	ID         string `json:"id"` // the Open Badges schema requires it
	Type       string `json:"type"`
	Purpose    string `json:"statusPurpose"`
	Index      string `json:"statusListIndex"`
	Credential string `json:"statusListCredential"`
}

// statuses are one or several entries; documents of old have one that stands alone.
type statuses []status

// UnmarshalJSON implements json.Unmarshaler.
func (s *statuses) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]status)(s))
	}
	*s = make(statuses, 1)
	return json.Unmarshal(raw, &(*s)[0])
}

func (s statuses) of(p statuslist.Purpose) status {
	for _, e := range s {
		if e.Purpose == string(p) {
			return e
		}
	}
	return status{}
}

// addresses are the names that a host gives to what it signs.
type addresses struct{ keyring.Host }

func (s *Service) addresses() (addresses, error) {
	h, err := s.Keys.Host()
	return addresses{h}, err
}

func (a addresses) verify(id ID) string { return a.Base() + "/verify/" + string(id) }

// achievement is the address of the course version in its source language:
// one achievement has one address, whatever language its holder reads.
func (a addresses) achievement(v curriculum.Version) string {
	return fmt.Sprintf("%s/%s/courses/%s@%d", a.Base(), url.PathEscape(v.Manifest.SourceLocale), url.PathEscape(string(v.CourseID)), v.Number)
}

// competence is the address under which the CASE interface publishes a competence, whatever the language: by it others know it again.
func (a addresses) competence(id string) string {
	return a.Base() + "/ims/case/v1p1/CFItems/" + framework.Identifier(id)
}

// alignments names the competences in the certificate's language, where the framework is translated into it.
func (a addresses) alignments(ids []string, locale string) []alignment {
	var out []alignment
	for _, g := range framework.Shipped().Group(ids) {
		title, _ := g.Framework.Title.In(locale, g.Framework.Language)
		for _, c := range g.Competences {
			name, _ := c.Name.In(locale, g.Framework.Language)
			out = append(out, alignment{
				Type: []string{"Alignment"}, TargetType: "CFItem", TargetName: clean(name), TargetURL: a.competence(c.ID),
				TargetFramework: clean(title), TargetCode: c.ID,
			})
		}
	}
	return out
}

// What a credential's results are about. The first two are our own, in the form that Open Badges gives to extensions.
const (
	assessmentResult = "ext:AssessmentLevel"
	helpResult       = "ext:AIAssistance"
	scoreResult      = "Percent"
)

func subjectID(id ID) string { return "urn:uuid:" + string(id) }

// build writes the unsigned document of a credential.
func build(a addresses, w Words, c Credential, g Grant, in institution.Institution, v curriculum.Version) ([]byte, error) {
	m := v.Manifest
	text := func(t curriculum.Text) string { return clean(t.In(c.Locale, m.SourceLocale)) }
	name, _ := in.NameIn(c.Locale)
	d := document{
		Context:   []string{proof.CredentialsV2, proof.OpenBadges303},
		ID:        a.verify(c.ID),
		Type:      []string{"VerifiableCredential", "AchievementCredential"},
		Name:      text(m.Achievement.Name),
		Issuer:    profile{ID: a.DIDOf(in), Type: []string{"Profile"}, Name: clean(name)},
		ValidFrom: proof.FormatTime(c.IssuedAt),
		Subject: subject{
			ID:         subjectID(c.ID),
			Type:       []string{"AchievementSubject"},
			Identifier: []identityObject{{Type: "IdentityObject", IdentityType: "name", IdentityHash: c.Name}},
			Achievement: achievementContent{
				ID:          a.achievement(v),
				Type:        []string{"Achievement"},
				Kind:        "CertificateOfCompletion",
				Name:        text(m.Achievement.Name),
				Description: text(m.Achievement.Description),
				Criteria:    criteria{Narrative: clean(g.narrative(w, c.Locale, m))},
				InLanguage:  c.Locale,
				Version:     strconv.Itoa(v.Number),
				Alignment:   a.alignments(g.competences(m), c.Locale),
			},
		},
	}
	for p, list := range map[statuslist.Purpose]statuslist.ID{statuslist.Revocation: c.StatusListID, statuslist.Suspension: c.SuspensionListID} {
		d.Status = append(d.Status, status{
			ID:         statuslist.Address(a.Host, list) + "#" + strconv.Itoa(c.StatusIndex),
			Type:       "BitstringStatusListEntry",
			Purpose:    string(p),
			Index:      strconv.Itoa(c.StatusIndex),
			Credential: statuslist.Address(a.Host, list),
		})
	}
	slices.SortFunc(d.Status, func(x, y status) int { return strings.Compare(x.Purpose, y.Purpose) })
	said := func(part, key, kind, value string) {
		id := a.achievement(v) + "#" + part
		desc := resultDescription{ID: id, Type: []string{"ResultDescription"}, Name: clean(w.T(c.Locale, key, nil)), ResultType: kind}
		if kind == scoreResult {
			desc.ValueMin, desc.ValueMax = "0", "100"
		}
		d.Subject.Achievement.Results = append(d.Subject.Achievement.Results, desc)
		d.Subject.Result = append(d.Subject.Result, result{[]string{"Result"}, id, value})
	}
	said("assessment", "credential.assessment", assessmentResult, string(c.Assessment))
	said("ai-help", "credential.ai_help", helpResult, string(c.AIHelp))
	if g.Score != nil {
		said("score", "credential.score", scoreResult, percent(*g.Score))
	}
	if c.ExpiresAt != nil {
		d.ValidUntil = proof.FormatTime(*c.ExpiresAt)
	}
	return proof.Marshal(d)
}

// percent writes a score of 0 to 1, and never more than was reached.
func percent(score float64) string {
	return strconv.FormatFloat(math.Floor(score*1000+1e-6)/10, 'f', -1, 64)
}

// clean makes a text fit for signing: package proof refuses control characters.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' || r == 0x7f || r == '\uFFFD' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " ")))
}

// Claims are what a credential's document says.
type Claims struct {
	ID            string // the address where it can be checked
	Name          string // of the holder
	Achievement   string
	AchievementID string
	Description   string
	Narrative     string
	Locale        curriculum.Locale // of the texts
	Issuer        string            // DID
	IssuerName    string
	IssuedAt      time.Time
	ExpiresAt     *time.Time
	Version       string     // of the course
	Assessment    Assessment // "" in documents of old
	AIHelp        AIHelp     // "" in documents of old
	Score         string     // in percent, "" where none is stated

	status statuses
}

// ReadClaims reads a document without checking its proof.
func ReadClaims(doc []byte) (Claims, error) {
	var d document
	if err := json.Unmarshal(doc, &d); err != nil {
		return Claims{}, fmt.Errorf("read credential document: %w", err)
	}
	name, err := d.Subject.name()
	if err != nil {
		return Claims{}, err
	}
	c := Claims{
		ID: d.ID, Name: name,
		Achievement: d.Subject.Achievement.Name, AchievementID: d.Subject.Achievement.ID,
		Description: d.Subject.Achievement.Description, Narrative: d.Subject.Achievement.Criteria.Narrative,
		Locale: d.Subject.Achievement.InLanguage, Issuer: d.Issuer.ID, IssuerName: d.Issuer.Name,
		Version: d.Subject.Achievement.Version, status: d.Status,
	}
	kinds := map[string]string{}
	for _, r := range d.Subject.Achievement.Results {
		kinds[r.ID] = r.ResultType
	}
	for _, r := range d.Subject.Result {
		switch kinds[r.Description] {
		case assessmentResult:
			c.Assessment = Assessment(r.Value)
		case helpResult:
			c.AIHelp = AIHelp(r.Value)
		case scoreResult:
			c.Score = r.Value
		}
	}
	if c.IssuedAt, err = proof.ParseTime(d.ValidFrom); err != nil {
		return Claims{}, err
	}
	if d.ValidUntil != "" {
		until, err := proof.ParseTime(d.ValidUntil)
		if err != nil {
			return Claims{}, err
		}
		c.ExpiresAt = &until
	}
	return c, nil
}

// name gives the holder's name; "" where the subject is a number.
func (s subject) name() (string, error) {
	if len(s.Identifier) == 0 && s.ID != "" {
		return "", nil
	}
	if len(s.Identifier) != 1 || s.Identifier[0].IdentityType != "name" || s.Identifier[0].Hashed || s.Identifier[0].IdentityHash == "" {
		return "", errors.New("read credential document: not one holder's name")
	}
	return s.Identifier[0].IdentityHash, nil
}

// match tells whether a row says the same as its document. Who can write rows
// but has no key must not be able to dress one document as another.
func (c Claims) match(r Credential) error {
	expires := c.ExpiresAt == nil && r.ExpiresAt == nil ||
		c.ExpiresAt != nil && r.ExpiresAt != nil && c.ExpiresAt.Equal(*r.ExpiresAt)
	switch {
	case !strings.HasSuffix(c.ID, "/verify/"+string(r.ID)):
		return errors.New("another id")
	case c.Name != r.Name || (c.Name == "") != (r.ErasedAt != nil):
		return errors.New("another name")
	case c.Locale != r.Locale:
		return errors.New("another language")
	case c.Achievement != clean(r.AchievementName[r.Locale]):
		return errors.New("another achievement")
	case !strings.Contains(c.AchievementID, "/courses/"+string(r.CourseID)+"@"):
		return errors.New("another course")
	case !c.IssuedAt.Equal(r.IssuedAt):
		return errors.New("another time of issue")
	case !expires:
		return errors.New("another time of expiry")
	case c.Assessment != r.Assessment:
		return errors.New("another level of assessment")
	case c.AIHelp != r.AIHelp:
		return errors.New("another declaration of help")
	case !c.places(statuslist.Revocation, r.StatusListID, r.StatusIndex) || !c.places(statuslist.Suspension, r.SuspensionListID, r.StatusIndex):
		return errors.New("another place in the status list")
	}
	return nil
}

// places tells whether the document has that place in that list, or none for a list that is none.
func (c Claims) places(p statuslist.Purpose, list statuslist.ID, index int) bool {
	e := c.status.of(p)
	if list == "" {
		return e == status{}
	}
	return strings.HasSuffix(e.Credential, "/api/status-lists/"+string(list)) && e.Index == strconv.Itoa(index)
}

// names are the achievement's own names, without words that stand in for a translation.
func names(m curriculum.Manifest) curriculum.Text {
	out := curriculum.Text{}
	for l, name := range m.Achievement.Name {
		if m.Achievement.NameLang[l] == "" {
			out[l] = name
		}
	}
	return out
}

// pickLocale gives the language of a certificate: the learner's where the
// course has it (ar for ar-EG too), else the course's own. Where the achievement has no name in that language, it is
// the one that stands in for it.
func pickLocale(u identity.User, m curriculum.Manifest) curriculum.Locale {
	l := spokenBy(u, m)
	if other := m.Achievement.NameLang[l]; other != "" {
		return other
	}
	return l
}

func spokenBy(u identity.User, m curriculum.Manifest) curriculum.Locale {
	language, _, _ := strings.Cut(u.Locale, "-")
	for _, want := range []string{u.Locale, language} {
		for _, l := range m.Locales {
			if want != "" && strings.EqualFold(l, want) {
				return l
			}
		}
	}
	return m.SourceLocale
}
