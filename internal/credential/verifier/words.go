package verifier

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Words gives the message key of a reason and its arguments. date writes a day in the reader's language. What an issuer gives as its own reason
// is no part of the words: it stands in Reason.Given.
func (r Reason) Words(date func(time.Time) string) (key string, args map[string]any) {
	key, args = "credential.why."+string(r.Code), map[string]any{}
	at := r.Date()
	if !at.IsZero() {
		args["Date"] = date(at)
		if r.Code == RevokedBy || r.Code == SuspendedBy {
			key += "_on"
		}
	}
	if s := r.Source(); s != "" {
		args["Source"] = s
	}
	return key, args
}

// Date is when what the reason tells of came about, zero when it does not say.
func (r Reason) Date() time.Time {
	t, _ := r.Args["Date"].(time.Time)
	return t
}

// Given is the reason that the issuer gave, in its own words; "" when there is none.
func (r Reason) Given() string {
	s, _ := r.Args["Reason"].(string)
	return s
}

// Source is the address that the reason is about, "" when it is about none.
func (r Reason) Source() string {
	s, _ := r.Args["Source"].(string)
	return s
}

// StateWords gives the message keys of a state: its name, and what it means.
func StateWords(s State) (title, text string) {
	return "credential.state." + string(s), "credential.state." + string(s) + "_text"
}

// AgeWords gives the message key of how long ago something was, in hours or days.
func AgeWords(age time.Duration) (key string, args map[string]any) {
	switch hours := int(age / time.Hour); {
	case hours < 1:
		return "credential.age.now", nil
	case hours < 48:
		return "credential.age.hours", map[string]any{"Count": hours}
	default:
		return "credential.age.days", map[string]any{"Count": hours / 24}
	}
}

// TextIn gives the text for a reader and the language that it is in: theirs, else the one nearest to it, else one whose language nobody knows
// (""), else English, else whichever there is.
func TextIn(texts map[string]string, locale string) (text, lang string) {
	base, _, _ := strings.Cut(locale, "-")
	wanted := append([]string{locale, base, "und", "en"}, slices.Sorted(maps.Keys(texts))...)
	for _, tag := range wanted {
		if t := texts[tag]; t != "" {
			if tag == "und" {
				tag = ""
			}
			return t, tag
		}
	}
	return "", ""
}
