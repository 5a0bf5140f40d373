package proof

import (
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"
)

// jcsMessage is what eddsa-jcs-2022 signs. Its options carry the document's contexts: the
// words of the JSON mean nothing without them.
func jcsMessage(tree map[string]any, o options) ([]byte, error) {
	members := o.members(JCS)
	members["@context"] = tree["@context"]
	head, err := jcsForm(members)
	if err != nil {
		return nil, err
	}
	body, err := jcsForm(tree)
	if err != nil {
		return nil, err
	}
	return digests(head, body), nil
}

// jcsForm gives a tree in the canonical form of RFC 8785.
func jcsForm(tree map[string]any) ([]byte, error) {
	raw, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	out, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return out, nil
}
