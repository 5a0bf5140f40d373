package statuslist

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
)

// Claims are what a status list of this service says: when it was signed, and its bits as they are encoded.
type Claims struct {
	SignedAt time.Time
	Bits     string
}

// Read reads a status list without checking its proof.
func Read(doc []byte) (Claims, error) {
	var d struct {
		ValidFrom string `json:"validFrom"`
		Subject   struct {
			Encoded string `json:"encodedList"`
		} `json:"credentialSubject"`
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		return Claims{}, fmt.Errorf("read status list: %w", err)
	}
	at, err := proof.ParseTime(d.ValidFrom)
	return Claims{SignedAt: at, Bits: d.Subject.Encoded}, err
}
