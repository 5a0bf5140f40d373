package credential

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
)

// ListClaims are what a status list of this service says: when it was signed, and its bits as they are encoded.
type ListClaims struct {
	SignedAt time.Time
	Bits     string
}

// ReadList reads a status list without checking its proof.
func ReadList(doc []byte) (ListClaims, error) {
	var d struct {
		ValidFrom string `json:"validFrom"`
		Subject   struct {
			Encoded string `json:"encodedList"`
		} `json:"credentialSubject"`
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		return ListClaims{}, fmt.Errorf("read status list: %w", err)
	}
	at, err := proof.ParseTime(d.ValidFrom)
	return ListClaims{SignedAt: at, Bits: d.Subject.Encoded}, err
}
