package verifier

import (
	"errors"
	"time"
)

// Claims are what a credential says. They are worth what its state is worth.
type Claims struct {
	ID            string
	Name          string // of the holder; "" when it does not say, or says it hashed
	Achievement   string
	AchievementID string
	Kind          string // achievementType
	Description   string
	Narrative     string // what was done for it
	Language      string // of these texts; "" when it does not say
	Version       string
	Issuer        string // a DID, or an address
	IssuerName    string
	ValidFrom     time.Time
	ValidUntil    time.Time // zero: it does not end
	Results       []Result
	Alignments    []Alignment
}

// Result is an outcome that the credential tells: a score, a level of assessment, help by AI.
type Result struct {
	Type  string // resultType
	Name  string
	Value string
}

// Alignment is a competence of a framework that the achievement attests.
type Alignment struct{ Name, Framework, Code, URL string }

const maxShown = 100 // of results and alignments

// readClaims reads what is there, in any of the shapes that Open Badges lets it have. Package proof has made sure of the form.
func readClaims(tree map[string]any) Claims {
	subject := first(tree["credentialSubject"])
	achievement := first(subject["achievement"])
	issuer := first(tree["issuer"])
	c := Claims{
		ID: text(tree["id"]), Achievement: text(achievement["name"]), AchievementID: text(achievement["id"]), Kind: text(achievement["achievementType"]),
		Description: text(achievement["description"]), Narrative: text(first(achievement["criteria"])["narrative"]), Language: text(achievement["inLanguage"]),
		Version: text(achievement["version"]), Issuer: idOf(tree["issuer"]), IssuerName: text(issuer["name"]),
	}
	if c.Achievement == "" {
		c.Achievement = text(tree["name"])
	}
	for _, id := range objects(subject["identifier"]) {
		if id["identityType"] == "name" && id["hashed"] == false {
			c.Name = text(id["identityHash"])
			break
		}
	}
	if c.Name == "" {
		c.Name = text(subject["name"])
	}
	c.ValidFrom, _ = readTime(tree["validFrom"])
	c.ValidUntil, _ = readTime(tree["validUntil"])
	described := map[string]map[string]any{}
	for _, d := range objects(achievement["resultDescription"]) {
		described[text(d["id"])] = d
	}
	for _, r := range objects(subject["result"]) {
		d := described[text(r["resultDescription"])]
		if v := text(r["value"]); v != "" && len(c.Results) < maxShown {
			c.Results = append(c.Results, Result{Type: text(d["resultType"]), Name: text(d["name"]), Value: v})
		}
	}
	for _, a := range objects(achievement["alignment"]) {
		if len(c.Alignments) < maxShown {
			c.Alignments = append(c.Alignments, Alignment{text(a["targetName"]), text(a["targetFramework"]), text(a["targetCode"]), text(a["targetUrl"])})
		}
	}
	return c
}

// text is a string, or the text of a language map with one language.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		s, _ := v["@value"].(string)
		return s
	}
	return ""
}

// texts are the strings of an array, or the one that stands for it.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// objects are the objects of an array, or the one that stands for it.
func objects(v any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var out []map[string]any
		for _, e := range v {
			if m, ok := e.(map[string]any); ok {
				out = append(out, m)
			}
		}
		return out
	}
	return nil
}

func first(v any) map[string]any {
	if all := objects(v); len(all) > 0 {
		return all[0]
	}
	return nil
}

func idOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return text(first(v)["id"])
}

func readTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, errors.New("not a time")
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err
}
