package proof

import (
	"encoding/json"
	"strings"
)

// Marshal writes what is to be signed. It leaves <, > and & as they are: this JSON is read by people and stands in no page unescaped.
func Marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}
