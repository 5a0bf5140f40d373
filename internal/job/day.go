package job

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// dayID is the UUIDv7 of a kind's job on a day: the day's first millisecond, and the kind where others are random.
func dayID(k Kind, at time.Time) ID {
	sum := sha256.Sum256([]byte(k))
	u := uuid.UUID(sum[:16])
	ms := uint64(at.UTC().Truncate(24 * time.Hour).UnixMilli())
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], ms<<16)
	copy(u[:6], head[:6])
	u[6] = 0x70 | u[6]&0x0f
	u[8] = 0x80 | u[8]&0x3f
	return ID(u.String())
}
